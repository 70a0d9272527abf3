// The signing keys of access tokens at work: what TokenKeys works out is stored, published, and only then answered. Turned by age
// or on demand. Part of the control plane; its thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/repository.h"
#include "control/token_keys.h"
#include "core/task.h"

namespace sallyport::control {

class TokenKeyDesk {
 public:
  // The ring is in force on every worker when it returns.
  using Publish = std::function<Task<Result<void>>(std::shared_ptr<const token::KeyRing>)>;

  // All references outlive it.
  TokenKeyDesk(Repository& repository, const crypto::KeyStore& keys, Random& random, const Clock& clock,
               TokenKeyRules rules, Publish publish);
  // Before any worker runs. The id of the key that was made to sign; empty: none. Errors: crypto, storage.
  Result<std::string> load(std::vector<StoredTokenKey> rows);
  [[nodiscard]] Result<std::shared_ptr<const token::KeyRing>> ring() const { return keys_.ring(set_); }

  // A new key (its id) signs from now on; the former ones verify until their last token has expired, or with `revoke` no more,
  // even where the store fails. conflict: see TokenKeys, or another rotation runs.
  Task<Result<std::string>> rotate(bool revoke);
  // What is due by age, every minute: the id of a new signer; empty: there is none.
  Task<Result<std::string>> maintain();

 private:
  Task<Result<void>> publish(TokenKeySet keys);
  Task<Result<void>> turn(TokenKeySet next);

  Repository& repository_;
  const Clock& clock_;
  TokenKeys keys_;
  Publish publish_;
  TokenKeySet set_;
  bool turning_ = false;
};

}  // namespace sallyport::control
