#include "control/certificate_reach.h"

#include <algorithm>

namespace sallyport::control {
namespace {

constexpr std::size_t kShownMax = 5;

bool has(const std::vector<std::string>& all, std::string_view one) { return std::ranges::find(all, one) != all.end(); }

bool is_living_client(const IssuedCertificate& one, WallTime now) {
  return one.kind == CertificateKind::client && !one.revoked_at && one.not_after > now;
}

Result<void> nobody_else(const std::vector<CertificateMappingPtr>& mappings, const std::string& principal) {
  for (const auto& mapping : mappings) {
    if (mapping->principal == principal) continue;
    return fail(Code::conflict, "a certificate of that name stands for " + mapping->principal + " by " + mapping->name +
                                    ", and would be refused as one of two; remove client certificate " + mapping->id +
                                    " first");
  }
  return {};
}

// Of the keys that the built-in authority has had.
std::vector<std::string> own_keys(const CertificateIndex& index) {
  std::vector<std::string> out;
  for (const IssuedCertificate& one : index.issued) {
    if (one.kind == CertificateKind::authority) out.push_back(one.spki_sha256);
  }
  return out;
}

std::string described(const std::vector<const IssuedCertificate*>& some) {
  std::string out;
  for (std::size_t i = 0; i < std::min(some.size(), kShownMax); ++i) {
    out += (i == 0 ? "" : ", ") + some[i]->serial + " (" + some[i]->name + ", issued by " + some[i]->issued_by + ")";
  }
  return some.size() > kShownMax ? out + " and " + std::to_string(some.size() - kShownMax) + " more" : out;
}

// A name: whoever was given a certificate with it before gets in by it, so each of these is meant, or revoked.
Result<void> check_issued_before(const CertificateMappings& all, const CertificateIndex& index, const MappingWish& wish,
                                 WallTime now) {
  const auto keys = own_keys(index);
  const bool reaches_ours = wish.what.issuer.empty() || has(keys, wish.what.issuer);
  std::vector<const IssuedCertificate*> left_out;
  std::vector<std::string> reached;
  for (const IssuedCertificate& one : index.issued) {
    if (!reaches_ours || !is_living_client(one, now)) continue;
    const auto names = names_of(one);
    if (!has(names, wish.what.name)) continue;
    SP_CHECK(nobody_else(mappings_of(all, names, keys), wish.what.principal));
    reached.push_back(one.serial);
    if (!has(wish.including, one.serial)) left_out.push_back(&one);
  }
  for (const std::string& serial : wish.including) {
    if (!has(reached, serial))
      return fail(Code::validation, "including: " + serial + " is no good certificate of that name");
  }
  if (left_out.empty()) return {};
  return fail(Code::conflict, "certificates that were issued before have that name and would be let in: " +
                                  described(left_out) + "; revoke them, or name each of them with --including SERIAL");
}

// The same name under another issuer is another name, but not where one of the two says none.
Result<void> check_same_name(const CertificateMappings& all, const MappingWish& wish) {
  auto same = all.of_name(wish.what.name);
  std::erase_if(same, [&](const auto& one) {
    return one->issuer == wish.what.issuer || (!one->issuer.empty() && !wish.what.issuer.empty());
  });
  return nobody_else(same, wish.what.principal);
}

// The names of the one certificate that is meant; none: nobody has shown it.
std::vector<std::string> names_meant(const CertificateIndex& index, const MappingWish& wish) {
  if (!wish.shown.empty()) return wish.shown;
  for (const IssuedCertificate& one : index.issued) {
    if (wish.what.name == "sha256:" + one.fingerprint_sha256) return names_of(one);
  }
  return {};
}

}  // namespace

std::vector<std::string> names_of(std::string_view fingerprint, const std::vector<crypto::AltName>& names) {
  std::vector<std::string> out{"sha256:" + std::string(fingerprint)};
  for (const crypto::AltName& name : names) out.push_back(crypto::to_string(name));
  return out;
}

std::vector<std::string> names_of(const IssuedCertificate& one) {
  return names_of(one.fingerprint_sha256, one.alt_names);
}

std::vector<CertificateMappingPtr> mappings_of(const CertificateMappings& all, const std::vector<std::string>& names,
                                               const std::vector<std::string>& authorities) {
  std::vector<CertificateMappingPtr> out;
  for (const std::string& name : names) {
    for (const auto& one : all.of_name(name)) {
      if (one->issuer.empty() || authorities.empty() || has(authorities, one->issuer)) out.push_back(one);
    }
  }
  return out;
}

Result<void> check_reach(const CertificateMappings& all, const CertificateIndex& index, const MappingWish& wish,
                         bool by_admin, WallTime now) {
  if (!wish.what.name.starts_with("sha256:")) {
    if (!by_admin) {
      return fail(Code::access_denied,
                  "Only an admin lets a name stand for somebody: it reaches every certificate that has it. Give the "
                  "certificate itself: --certificate FILE");
    }
    SP_CHECK(check_same_name(all, wish));
    return check_issued_before(all, index, wish, now);
  }
  if (!wish.including.empty()) return fail(Code::validation, "including: a fingerprint is of one certificate alone");
  const auto names = names_meant(index, wish);
  if (names.empty() && !by_admin) {
    return fail(Code::access_denied,
                "Only an admin maps a bare fingerprint: nobody sees which names the certificate has. Give the "
                "certificate itself: --certificate FILE");
  }
  // Who issued it is not looked at, so each mapping of its names counts, whatever its issuer.
  return nobody_else(mappings_of(all, names, {}), wish.what.principal);
}

}  // namespace sallyport::control
