// The keys of access tokens at one moment: one signs, those before it verify until the last token that they signed has
// expired. A part of the Snapshot: made by the control plane, immutable, any thread. A token finds its key by its first
// part as a whole, which must be byte for byte the header that we write under that key (RFC 8725 3.1, 3.11): algorithm,
// key id and type are compared, never interpreted, and jwk, jku, x5u, x5c, crit have no place to stand.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "crypto/jws_key.h"

namespace sallyport::token {

struct RingKey {
  std::string id;  // kid: RFC 7638 thumbprint, random for HS256; empty: the operator's own secret (S0-3), without a kid
  std::shared_ptr<const crypto::JwsKey> key;
  WallTime created_at{};
  WallTime retired_at = WallTime::max();  // signs no more
  WallTime verifies_until = WallTime::max();  // its last token has expired
  WallTime rotates_at = WallTime::max();  // when the next one takes its place
  bool revoked = false;  // verifies_until lies before its last token's end
};

class KeyRing {
 public:
  // The first signs. Ids differ.
  explicit KeyRing(std::vector<RingKey> keys);

  // Null: there is none, and nothing can be issued.
  [[nodiscard]] const RingKey* signer() const noexcept;
  // JSON text of the header that stands in tokens under `key` of this ring.
  [[nodiscard]] static std::string header_of(const RingKey& key);
  // The key whose header `encoded` (base64url) is; for any other text the one without an id, whose header is read after
  // its signature; null where neither is there. One past verifies_until is as good as none, and so is a revoked one, whatever `now`.
  [[nodiscard]] const RingKey* by_header(std::string_view encoded, WallTime now) const noexcept;
  // True: the key of this id was given up before its time; what its tokens began ends.
  [[nodiscard]] bool revoked(std::string_view id) const noexcept;
  [[nodiscard]] const std::vector<RingKey>& keys() const noexcept { return keys_; }

  // RFC 7517 5: the public halves of all that verify at `now`; symmetric keys are never in it.
  [[nodiscard]] std::string jwks(WallTime now) const;

 private:
  std::vector<RingKey> keys_;
  std::vector<std::string> headers_;  // base64url, beside keys_
};

}  // namespace sallyport::token
