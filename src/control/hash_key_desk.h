// The generations of the API keys' hash key (crypto/hash_keys.h): turned by age or on demand. Keys go over as they are used, a
// generation is destroyed once no key needs it: one that is not expired, or its former secret while that is good. Resumable at
// any point: a generation is stored before anything is hashed under it, and dropped after nothing is. Kept sealed in the store,
// so that it is one with the hashes in every backup. Part of the control plane; its thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/repository.h"
#include "core/task.h"
#include "crypto/hash_keys.h"
#include "model/snapshot.h"

namespace sallyport::control {

struct HashKeyRules {
  std::chrono::hours rotate_after{365 * 24};
};

struct HashKeyStatus {
  std::uint32_t number = 0;
  WallTime made_at{};
  std::size_t keys = 0;  // API keys that need it
};

// Whether a start will open those in the store; true of a home that has none yet. Changes nothing. Errors: crypto, storage.
Result<void> check_hash_keys(Repository& repository, const crypto::KeyStore& keys);

class HashKeyDesk {
 public:
  // Both are in force on every worker when it returns.
  using Publish =
      std::function<Task<Result<void>>(std::shared_ptr<const Principals>, std::shared_ptr<const crypto::HashKeys>)>;

  // All references outlive it. `now`: the newest snapshot.
  HashKeyDesk(Repository& repository, const crypto::KeyStore& keys, Random& random, const Clock& clock,
              HashKeyRules rules, Publish publish, std::function<SnapshotPtr()> now);
  // Code::crypto where the stored ones do not open.
  Result<void> load();
  [[nodiscard]] const std::shared_ptr<const crypto::HashKeys>& all() const noexcept { return all_; }

  [[nodiscard]] std::vector<HashKeyStatus> status() const;  // newest last
  [[nodiscard]] WallTime rotates_at() const;
  // A new one is in force; its number. Code::limit where HashKeys::kMax are needed.
  Task<Result<std::uint32_t>> rotate();
  // What is due by age, and what no key needs any more. For the audit; empty: nothing.
  Task<Result<std::string>> maintain();
  // Stores the hashes of keys that were used, a few hundred at a time; how many. Every few seconds.
  Task<Result<std::size_t>> store_fresh();

 private:
  [[nodiscard]] std::map<std::uint32_t, std::size_t> needed() const;
  [[nodiscard]] std::vector<crypto::HashKey> without_unneeded() const;
  Result<void> put(std::vector<crypto::HashKey> keys);
  Task<Result<void>> publish_all();
  // Has the record under its new hash, once it is stored; nothing where it has changed meanwhile.
  Result<std::shared_ptr<const KeyRecord>> store(const Principals& principals, const crypto::FreshHash& fresh);

  Repository& repository_;
  const crypto::KeyStore& keys_;
  Random& random_;
  const Clock& clock_;
  HashKeyRules rules_;
  Publish publish_;
  std::function<SnapshotPtr()> now_;
  std::shared_ptr<crypto::FreshHashes> fresh_ = std::make_shared<crypto::FreshHashes>();
  std::vector<crypto::FreshHash> waiting_;  // taken, not stored yet
  std::shared_ptr<const crypto::HashKeys> all_;
};

}  // namespace sallyport::control
