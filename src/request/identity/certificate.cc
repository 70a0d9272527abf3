#include "request/identity/certificate.h"

#include <algorithm>

#include "request/identity/principal_of.h"

namespace sallyport {
namespace {

std::unexpected<Error> refused(const char* why, const ShownCertificate& shown) {
  return fail(Code::unauthenticated, std::string(why) + " fingerprint=" + std::string(shown.fingerprint));
}

bool needs_factor(const Principal& principal, const UserRecord& user, const CertificateRules& rules) {
  if (user.second_factor.confirmed || user.second_factor.due) return true;
  return std::ranges::any_of(principal.roles, [&](const std::string& role) {
    return std::ranges::find(rules.factor_roles, role) != rules.factor_roles.end();
  });
}

Result<std::shared_ptr<Principal>> user_of(const Principals& all, std::string_view id, const ShownCertificate& shown,
                                           const CertificateRules& rules) {
  const auto found = all.users.find(id);
  if (found == all.users.end()) return refused("identity.user_unknown", shown);
  const UserRecord& user = *found->second;
  if (!user.enabled) return refused("identity.user_disabled", shown);
  auto principal = principal_of(user, all);
  // One proof where two are asked for would be a way around the second.
  if (needs_factor(*principal, user, rules)) return refused("identity.certificate_is_no_second_factor", shown);
  return principal;
}

Result<std::shared_ptr<Principal>> key_of(const Principals& all, std::string_view id, const ShownCertificate& shown,
                                          std::string_view address, WallTime now) {
  const auto found = all.keys.find(id);
  if (found == all.keys.end()) return refused("identity.key_unknown", shown);
  const KeyRecord& key = *found->second;
  SP_CHECK(check_key(all, key, now));
  if (!key.allows_address(address)) return refused("identity.key_address", shown);
  return principal_of(found->second, key.secret_number);
}

// What it opens ends with the certificate of its connection, and with a list that revokes that one.
void hold_to(Principal& principal, const ShownCertificate& shown) {
  principal.certificate = std::make_shared<const CertificateChain>(
      std::string(shown.links), std::vector<std::string>(shown.authorities.begin(), shown.authorities.end()));
  principal.expires_at = std::min(principal.expires_at, shown.not_after);
}

// And with the mapping.
void hold_to(Principal& principal, const CertificateMapping& mapping, const ShownCertificate& shown) {
  principal.certificate_id = mapping.id;
  hold_to(principal, shown);
}

}  // namespace

Result<void> still_good(const ShownCertificate& shown, WallTime now) {
  if (shown.revoked) return refused("identity.certificate_revoked", shown);
  if (shown.list_ended) return refused("identity.certificate_list_ended", shown);
  if (shown.not_after <= now) return refused("identity.certificate_expired", shown);
  return {};
}

namespace {

// Collects what the names of one certificate stand for.
class Lookup {
 public:
  Lookup(const CertificateMappings& all, const ShownCertificate& shown) : all_(all), shown_(shown) {}
  // A fingerprint is one certificate, whoever issued it.
  void fingerprint(std::string_view value) { take(find("sha256:", value, {})); }
  void name(std::string_view kind, std::string_view value) {
    for (const std::string& authority : shown_.authorities) take(find(kind, value, authority));
    const auto of_any = find(kind, value, {});
    if (of_any && !shown_.one_authority) unnamed_ = true;
    else take(of_any);
  }
  [[nodiscard]] Result<CertificateMappingPtr> verdict() const {
    if (two_) return refused("identity.certificate_ambiguous", shown_);
    if (found_) return found_;
    return refused(unnamed_ ? "identity.certificate_issuer_unnamed" : "identity.certificate_unknown", shown_);
  }

 private:
  [[nodiscard]] CertificateMappingPtr find(std::string_view kind, std::string_view value,
                                           std::string_view issuer) const {
    const auto one = all_.by_name.find(CertificateMappings::name_key(std::string(kind).append(value), issuer));
    return one == all_.by_name.end() ? nullptr : one->second;
  }
  void take(const CertificateMappingPtr& one) {
    if (!one) return;
    if (!found_) found_ = one;
    two_ = two_ || found_->principal != one->principal;
  }
  const CertificateMappings& all_;
  const ShownCertificate& shown_;
  CertificateMappingPtr found_;
  bool two_ = false, unnamed_ = false;
};

}  // namespace

Result<CertificateMappingPtr> mapping_of(const CertificateMappings& all, const ShownCertificate& shown) {
  if (all.by_name.empty()) return refused("identity.certificate_unknown", shown);
  Lookup lookup(all, shown);
  lookup.fingerprint(shown.fingerprint);
  for (const std::string& uri : shown.uris) lookup.name("uri:", uri);
  for (const std::string& dns : shown.dns) lookup.name("dns:", dns);
  for (const std::string& email : shown.emails) lookup.name("email:", email);
  return lookup.verdict();
}

Result<PrincipalPtr> principal_by_certificate(const Snapshot& snapshot, const ShownCertificate& shown,
                                              const CertificateRules& rules, std::string_view address, WallTime now) {
  SP_TRY(const CertificateMappingPtr mapping, mapping_of(*snapshot.certificates, shown));
  const std::string_view whose = mapping->principal;
  const std::string_view id = whose.substr(whose.find(':') + 1);
  const Principals& all = *snapshot.principals;
  SP_TRY(const auto principal,
         whose.starts_with("user:") ? user_of(all, id, shown, rules) : key_of(all, id, shown, address, now));
  principal->auth_type = "client_certificate";
  principal->credential_id = mapping->id;
  principal->issued_at = now;
  hold_to(*principal, *mapping, shown);
  return principal;
}

Result<PrincipalPtr> with_certificate(const Snapshot& snapshot, PrincipalPtr principal, const ShownCertificate& shown) {
  SP_TRY(const CertificateMappingPtr mapping, mapping_of(*snapshot.certificates, shown));
  if (mapping->principal != principal->id && mapping->principal != person_of(*principal))
    return refused("identity.certificate_of_another", shown);
  auto both = std::make_shared<Principal>(*principal);
  hold_to(*both, *mapping, shown);
  return both;
}

PrincipalPtr over_certificate(const PrincipalPtr& principal, const ShownCertificate& shown) {
  auto held = std::make_shared<Principal>(*principal);
  hold_to(*held, shown);
  return held;
}

}  // namespace sallyport
