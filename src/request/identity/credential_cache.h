// Verified credentials by SHA-256 digest, in two generations: when the young one is full the old one is dropped, so
// memory is bounded and what is used stays. Bound to one Principals object and one KeyRing, which it holds, so that no
// address can come again. One thread. At most 2 x kGenerationMax entries; only what verified gets in, so strangers cannot fill it.
#pragma once

#include <cstring>
#include <memory>
#include <unordered_map>

#include "core/clock.h"
#include "crypto/hash.h"
#include "model/principal.h"
#include "model/snapshot.h"

namespace sallyport {

class CredentialCache {
 public:
  static constexpr std::size_t kGenerationMax = 4096;

  // Forgets everything where either is another object than before.
  void bind(const std::shared_ptr<const Principals>& principals,
            const std::shared_ptr<const token::KeyRing>& token_keys = nullptr);

  // The principal verified before under `digest`, or null: unknown or past its expiry.
  [[nodiscard]] PrincipalPtr find(const crypto::Digest& digest, WallTime now);
  void put(const crypto::Digest& digest, PrincipalPtr principal, WallTime expires_at);
  [[nodiscard]] std::size_t size() const noexcept { return young_.size() + old_.size(); }

 private:
  struct Entry {
    PrincipalPtr principal;
    WallTime expires_at;
  };
  struct DigestHash {
    std::size_t operator()(const crypto::Digest& digest) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };
  using Generation = std::unordered_map<crypto::Digest, Entry, DigestHash>;

  std::shared_ptr<const Principals> principals_;
  std::shared_ptr<const token::KeyRing> token_keys_;
  Generation young_;
  Generation old_;
};

}  // namespace sallyport
