// Who calls: one credential of a request head becomes a Principal, or Code::unauthenticated. One Identity a worker (its
// cache is not shared and has no lock). What was verified is cached by digest and dies with the Snapshot's principals
// or token keys: revoking a key, a user or a signing key holds at the very next request. Cache: 2 x 4,096 credentials, two
// generations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "engines/token/token.h"
#include "model/principal.h"
#include "model/snapshot.h"
#include "request/identity/certificate.h"
#include "request/identity/credential_cache.h"

namespace sallyport {

// What a request head carries. Views into it; nothing is copied.
struct CredentialView {
  std::optional<std::string_view> authorization;  // value of the Authorization field
  std::optional<std::string_view> api_key;        // value of X-API-Key
  bool repeated = false;                          // one of the two came twice: refused
  std::string_view query;                         // raw query; a token found there is refused, never used
  std::string_view address, user_agent;  // of the client: what a login session or a key may be bound to
  const ShownCertificate* certificate = nullptr;  // what this connection's handshake verified; null: none

  // Give it every field of the head; others are passed over. The name is compared without case.
  void see(std::string_view field_name, std::string_view field_value) noexcept;
  [[nodiscard]] bool present() const noexcept { return authorization || api_key; }
};

class Identity {
 public:
  // `tokens` outlives the Identity.
  explicit Identity(const token::TokenCodec& tokens, CertificateRules rules = {}) noexcept
      : tokens_(tokens), rules_(std::move(rules)) {}

  // Every refusal is Code::unauthenticated with the one public text; Error::detail begins with the true reason for the
  // audit: "identity.no_credential", "identity.key_unknown", "token.expired", ... and never holds a secret. A token is
  // good while its login session is, and each use is noted there. A key, and a token that it bought, is good from the
  // key's addresses alone. What a certificate counts for is said by the rules; one that is good no more refuses, whatever else
  // was shown.
  Result<PrincipalPtr> verify(const Snapshot& snapshot, const CredentialView& seen, WallTime now);

  // What verify() says of `credential` alone, from whichever client; no use of its session, and nothing is cached.
  [[nodiscard]] Result<PrincipalPtr> inspect(const Snapshot& snapshot, std::string_view credential, WallTime now) const;

  [[nodiscard]] std::size_t cached() const noexcept { return cache_.size(); }

 private:
  struct Verified {
    PrincipalPtr principal;
    WallTime expires_at;
  };
  Result<PrincipalPtr> by_credential(const Snapshot& snapshot, const CredentialView& seen, WallTime now);
  Result<PrincipalPtr> by_certificate(const Snapshot& snapshot, const CredentialView& seen, WallTime now) const;
  Result<Verified> verify_uncached(const Snapshot& snapshot, std::string_view credential, WallTime now) const;
  Result<Verified> verify_key(const Snapshot& snapshot, std::string_view key, std::string_view id, WallTime now) const;
  Result<Verified> verify_token(const Snapshot& snapshot, std::string_view token, WallTime now) const;
  Result<Verified> verify_minted(const Snapshot& snapshot, const token::TokenClaims& claims, WallTime now) const;

  const token::TokenCodec& tokens_;
  CertificateRules rules_;
  CredentialCache cache_;
};

// The one credential of a head, or why there is none to check.
[[nodiscard]] Result<std::string_view> find_credential(const CredentialView& seen);

// Value of WWW-Authenticate for a 401 (RFC 6750 3; RFC 9728 5.1). `presented`: a credential was there but refused.
// `resource_metadata`: URL of the protected resource metadata, or empty.
[[nodiscard]] std::string www_authenticate(bool presented, std::string_view resource_metadata = {});

}  // namespace sallyport
