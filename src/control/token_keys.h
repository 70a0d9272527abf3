// The signing keys of access tokens: made, sealed for the store, retired, forgotten. Rotation is by age; a key that no
// longer signs verifies until the last token under it has expired. Values in, values out: the control plane stores and
// publishes. Its thread only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/repository.h"
#include "core/random.h"
#include "crypto/jws_key.h"
#include "crypto/key_store.h"
#include "engines/token/key_ring.h"

namespace sallyport::control {

struct TokenKeyRules {
  crypto::JwsAlgorithm algorithm = crypto::JwsAlgorithm::hs256;
  bool operator_secret = false;  // HS256 under auth.secret_key (S0-3): theirs to change, never rotated by us
  std::chrono::seconds token_lifetime{1800};  // 60 s..24 h
  std::chrono::hours rotate_after{90 * 24};
};

// One key as it is stored and as it is used.
struct TokenKey {
  StoredTokenKey stored;
  std::shared_ptr<const crypto::JwsKey> key;
};
using TokenKeySet = std::vector<TokenKey>;  // newest first; at most one without retired_at, and then the first

class TokenKeys {
 public:
  // Both outlive it.
  TokenKeys(const crypto::KeyStore& keys, Random& random, TokenKeyRules rules);

  // Code::crypto for a row that was changed, or sealed under another master key.
  [[nodiscard]] Result<TokenKeySet> open(std::vector<StoredTokenKey> rows) const;

  // What has to stand at `now`: a signer of the algorithm in force, young enough; nothing whose last token has expired.
  // Nothing: the set may stay as it is.
  [[nodiscard]] Result<std::optional<TokenKeySet>> maintained(const TokenKeySet& set, WallTime now) const;
  // A new signer now. `revoke`: every earlier key verifies no more from now on. Code::conflict under operator_secret.
  [[nodiscard]] Result<TokenKeySet> rotated(const TokenKeySet& set, WallTime now, bool revoke) const;

  // The operator's secret, where that is in force, before the set.
  [[nodiscard]] Result<std::shared_ptr<const token::KeyRing>> ring(const TokenKeySet& set) const;

 private:
  Result<TokenKey> make(WallTime now) const;
  Result<TokenKeySet> without_signer(const TokenKeySet& set, WallTime now, bool revoke) const;
  Result<std::string> sealed(const TokenKey& key) const;
  [[nodiscard]] bool signer_is_due(const TokenKeySet& set, WallTime now) const;

  const crypto::KeyStore& keys_;
  Random& random_;
  TokenKeyRules rules_;
};

// The rows of a set.
[[nodiscard]] std::vector<StoredTokenKey> rows_of(const TokenKeySet& set);

}  // namespace sallyport::control
