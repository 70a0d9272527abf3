// The key-encryption keys: they wrap data keys and nothing else (docs/vault.md). One is in force and wraps; earlier ones,
// retired, only unwrap, until nothing that is stored names them. A wrapped key says in its header by which algorithm and
// which key it was wrapped, and is bound to its place:
//   "spw1.HKDF-SHA256+A256GCM." id "." salt(16) nonce(12) ciphertext(32) tag(16)
// Each wrapping has a key of its own, HKDF(key-encryption key, salt), so that the limit of messages a key that random
// nonces have is never near. Owned by the KeyStore. Any thread; a lock for the time of copying a pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {

struct WrappingKey {
  std::uint32_t id = 0;  // from 1, ascending, never used again
  WallTime made_at;
  std::optional<WallTime> retired_at;
  std::shared_ptr<const LockedKey> key;
};

// Ascending ids; the last is in force, every other one is retired. Empty: sealed, nothing wraps or unwraps.
using WrappingKeySet = std::vector<WrappingKey>;

class WrappingKeys {
 public:
  explicit WrappingKeys(WrappingKeySet keys = {}) : keys_(std::make_shared<const WrappingKeySet>(std::move(keys))) {}

  // `binding`: where the data key belongs; the same to unwrap. Code::conflict while sealed.
  [[nodiscard]] Result<std::string> wrap(const LockedKey& data_key, std::string_view binding, Random& random) const;
  // Code::crypto for what was changed, belongs elsewhere, names an algorithm that we do not know or a key that is gone.
  [[nodiscard]] Result<LockedKey> unwrap(std::string_view wrapped, std::string_view binding) const;

  [[nodiscard]] std::uint32_t in_force() const;  // 0 while sealed
  // The key that a wrapped one names, not yet believed; nothing where it has another form.
  [[nodiscard]] static std::optional<std::uint32_t> named_by(std::string_view wrapped);

  [[nodiscard]] std::shared_ptr<const WrappingKeySet> current() const;
  void replace(WrappingKeySet keys);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const WrappingKeySet> keys_;
};

}  // namespace sallyport::crypto
