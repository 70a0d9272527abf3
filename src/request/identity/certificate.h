// The second half of identity: what a client's certificate proves (S2-26). Looked up at each request in the Snapshot, never kept
// with the connection, so that what is taken away holds at the next request of an open one. Only what the TLS handshake of
// this connection verified counts: no header says anything about a certificate. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport {

enum class CertificateUse : std::uint8_t {
  off,  // certificates say nothing about who calls
  beside,  // a mapped one is a credential; so are keys and tokens, and where one is shown, it decides
  required,  // a key or token, and a certificate of the same principal
  only,  // a mapped one, and nothing else
};

struct CertificateRules {
  CertificateUse use = CertificateUse::off;
  std::vector<std::string> factor_roles;  // whose people need a second factor: a certificate alone is none
};

// Of a verified certificate. Views; net::PeerCertificate is not known here.
struct ShownCertificate {
  std::string_view fingerprint;  // SHA-256 of the DER, lower-case hex
  std::span<const std::string> uris, dns, emails;  // of subjectAltName
  WallTime not_after{};
  bool revoked = false;  // it, or one above it, by the lists of now; or none of its authorities is trusted any more
  bool list_ended = false;  // no list in force says whether it is revoked
  std::string_view links{};  // as CertificateChain has them
  std::span<const std::string> authorities{};
  bool one_authority = true;  // is trusted for client certificates; else a name must come with its issuer
};

// The handshake may be long ago. Code::unauthenticated: identity.certificate_expired, identity.certificate_revoked,
// identity.certificate_list_ended.
[[nodiscard]] Result<void> still_good(const ShownCertificate& shown, WallTime now);

// The mapping of that certificate. Code::unauthenticated: identity.certificate_unknown; identity.certificate_ambiguous where its
// names stand for two principals; identity.certificate_issuer_unnamed where several authorities could have put that name into
// one, and the mapping does not say whose.
[[nodiscard]] Result<CertificateMappingPtr> mapping_of(const CertificateMappings& all, const ShownCertificate& shown);

// Whom the certificate alone makes its bearer. `address`: of the client, for keys that are bound to some. Code::unauthenticated
// with the true reason first.
[[nodiscard]] Result<PrincipalPtr> principal_by_certificate(const Snapshot& snapshot, const ShownCertificate& shown,
                                                            const CertificateRules& rules, std::string_view address,
                                                            WallTime now);

// `principal`, who showed a key or token, with the certificate as the second proof. Code::unauthenticated where it is not theirs.
[[nodiscard]] Result<PrincipalPtr> with_certificate(const Snapshot& snapshot, PrincipalPtr principal,
                                                    const ShownCertificate& shown);

// `principal`, for whom a key or token is enough: what that opens over this connection ends with its certificate all the same.
[[nodiscard]] PrincipalPtr over_certificate(const PrincipalPtr& principal, const ShownCertificate& shown);

}  // namespace sallyport
