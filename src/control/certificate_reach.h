// What is looked at when a client certificate is mapped to somebody, beside whose rights that gives (control/gifts.h): which
// certificates the name reaches that were issued before it stood for anybody, and whom those stand for by another of their
// names, since a certificate of two is refused at the door. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/certificate_desk.h"
#include "control/certificate_index.h"

namespace sallyport::control {

struct MappingWish {
  CertificateDesk::Wish what;  // its name as certificate_name() has it
  std::vector<std::string> shown;  // names of the certificate itself, where it was given
  std::vector<std::string> including;  // serials of what the built-in authority issued with that name before
};

// The names of a certificate by which it may stand for somebody: its fingerprint, and those of its subjectAltName.
[[nodiscard]] std::vector<std::string> names_of(const IssuedCertificate& one);
[[nodiscard]] std::vector<std::string> names_of(std::string_view fingerprint,
                                                const std::vector<crypto::AltName>& names);

// Each mapping by one of these names, whose issuer is one of `authorities` or none; no authorities: whatever its issuer.
[[nodiscard]] std::vector<CertificateMappingPtr> mappings_of(const CertificateMappings& all,
                                                             const std::vector<std::string>& names,
                                                             const std::vector<std::string>& authorities);

// Errors: access_denied: only an admin maps what cannot be looked at (a name, which any authority of tls.client_ca may have
// given to certificates that nobody here knows, or a bare fingerprint); conflict: a certificate that the name reaches stands for
// another, or is good and not in `including`; validation: `including` says what the name does not reach.
Result<void> check_reach(const CertificateMappings& all, const CertificateIndex& index, const MappingWish& wish,
                         bool by_admin, WallTime now);

}  // namespace sallyport::control
