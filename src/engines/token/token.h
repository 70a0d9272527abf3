// Sallyport's own access tokens (RFC 7519, RFC 8725): claims inside a JWS under a key of the Snapshot's KeyRing. Issued
// by control/accounts, verified by request/identity, so that both have one codec. Strict on the way in: exact header,
// every claim required, no duplicate, issuer, audience and type ours. One object a process, immutable, any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "engines/token/key_ring.h"

namespace sallyport::token {

struct TokenClaims {
  std::string user_id;             // UserRecord::id; `sub` is "user:" + it, `user_id` is it (C21)
  bool of_key = false;             // minted from an API key: user_id is the key's id, `sub` is "key:" + it
  std::string session_id;          // sid: LoginSession::id; the token ends with it
  std::vector<std::string> roles;  // for people and other services; identity takes roles from the Snapshot
  std::string id;                  // jti
  WallTime issued_at{};            // to the microsecond (iat_us): a password change ends tokens of the same second
  WallTime not_before{};
  WallTime expires_at{};
  std::string key_id;  // of the key that verified it; not a claim
};

struct TokenRules {
  std::string issuer = "sallyport";
  // The gateway's own name or address: a token of one environment dies in another.
  std::string audience = "sallyport";
  // 0..30 s, for iat and nbf only: exp has none, or a revoked token could revive when its revocation is swept.
  std::chrono::seconds future_leeway{30};
  // 60 s..24 h; a token that claims to live longer is refused.
  std::chrono::seconds lifetime_max{24 * 3600};
};

class TokenCodec {
 public:
  explicit TokenCodec(TokenRules rules);

  // Under the ring's signer. `keys` may be null, here and below: nothing is issued then, and everything is refused.
  // Code::crypto without a key that signs, Code::validation for claims that verify() would refuse.
  [[nodiscard]] Result<std::string> issue(const KeyRing* keys, const TokenClaims& claims) const;
  // Code::unauthenticated for every refusal; detail names the reason ("token.expired", "token.signature", ...).
  [[nodiscard]] Result<TokenClaims> verify(const KeyRing* keys, std::string_view token, WallTime now) const;

 private:
  TokenRules rules_;
};

}  // namespace sallyport::token
