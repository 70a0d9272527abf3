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

// What it opens ends with the mapping, and with a list that revokes the certificate.
void hold_to(Principal& principal, const CertificateMapping& mapping, const ShownCertificate& shown) {
  principal.certificate_id = mapping.id;
  principal.certificate =
      std::make_shared<const CertificateSerial>(std::string(shown.issuer), std::string(shown.serial));
  principal.expires_at = std::min(principal.expires_at, shown.not_after);
}

}  // namespace

Result<void> still_good(const ShownCertificate& shown, WallTime now) {
  if (shown.revoked) return refused("identity.certificate_revoked", shown);
  if (shown.not_after <= now) return refused("identity.certificate_expired", shown);
  return {};
}

Result<CertificateMappingPtr> mapping_of(const CertificateMappings& all, const ShownCertificate& shown) {
  CertificateMappingPtr found;
  bool two = false;
  std::string name;
  const auto look = [&](std::string_view kind, std::string_view value) {
    name.assign(kind).append(value);
    const auto one = all.by_name.find(name);
    if (one == all.by_name.end()) return;
    if (!found) found = one->second;
    two = two || found->principal != one->second->principal;
  };
  if (all.by_name.empty()) return refused("identity.certificate_unknown", shown);
  look("sha256:", shown.fingerprint);
  for (const std::string& uri : shown.uris) look("uri:", uri);
  for (const std::string& dns : shown.dns) look("dns:", dns);
  for (const std::string& email : shown.emails) look("email:", email);
  if (two) return refused("identity.certificate_ambiguous", shown);
  if (!found) return refused("identity.certificate_unknown", shown);
  return found;
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

}  // namespace sallyport
