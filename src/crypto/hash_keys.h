// The generations of the API keys' hash key (ruling C9; docs/vault.md, "Rotation"). A key is hashed under the newest. One that
// was hashed under an earlier generation is checked under that: its stored hash names it, so that a look-up costs one HMAC,
// however many there are. A key that is shown then leaves a fresh hash, which the control plane stores. Part of a Snapshot; any
// thread, no lock. A stored hash: 64 hex digits (generation 1, KeyStore purpose key_hashing), or "2." and 64 hex digits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "crypto/key_store.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {

struct HashKey {
  std::uint32_t number = 1;  // never used again
  WallTime made_at{};
  std::shared_ptr<const LockedKey> key;
};

// What a key that was shown is to be stored as, if its record still has `former`.
struct FreshHash {
  std::string id, former, hash;
};

// From many threads to one. What comes while kMax wait is dropped: the key is shown again.
class FreshHashes {
 public:
  static constexpr std::size_t kMax = 10'000;
  FreshHashes() = default;
  FreshHashes(const FreshHashes&) = delete;
  FreshHashes& operator=(const FreshHashes&) = delete;
  ~FreshHashes() { (void)take(); }

  void add(FreshHash hash);
  [[nodiscard]] std::vector<FreshHash> take();

 private:
  struct Node {
    FreshHash hash;
    Node* next = nullptr;
  };
  std::atomic<Node*> newest_{nullptr};
  std::atomic<std::size_t> count_{0};
};

class HashKeys {
 public:
  static constexpr std::size_t kMax = 16;

  // One or more, ascending; the last is in force.
  HashKeys(std::vector<HashKey> keys, std::shared_ptr<FreshHashes> fresh);
  // Generation 1 alone: a home whose hash key has not been turned yet.
  static std::shared_ptr<const HashKeys> first_of(const KeyStore& keys);
  static HashKey first_key(const KeyStore& keys);

  [[nodiscard]] std::string hash(std::string_view key) const;  // under the newest
  // In constant time. `stored` is KeyRecord::hash; false where its generation is gone.
  [[nodiscard]] bool matches(std::string_view key, std::string_view stored) const noexcept;
  // `key` was just checked against `stored`: leaves a fresh hash where that is of an earlier generation.
  void shown(std::string_view id, std::string_view key, std::string_view stored) const;

  [[nodiscard]] const std::vector<HashKey>& all() const noexcept { return keys_; }
  // The generation that a stored hash names; 0 for another form.
  [[nodiscard]] static std::uint32_t generation_of(std::string_view stored) noexcept;
  [[nodiscard]] bool has(std::uint32_t generation) const noexcept { return find(generation) != nullptr; }

 private:
  [[nodiscard]] const HashKey* find(std::uint32_t number) const noexcept;

  std::vector<HashKey> keys_;
  std::shared_ptr<FreshHashes> fresh_;
};

}  // namespace sallyport::crypto
