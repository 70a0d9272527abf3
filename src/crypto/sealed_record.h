// A value at rest (S2-8, S2-13): sealed with AES-256-GCM under a data key of its own, which the key-encryption key in force
// wraps. Both halves are bound to table, row, column and version, so that a ciphertext that was moved does not open. What
// is stored names its algorithm, and an unknown one is refused (docs/vault.md):
//   ciphertext   "sps1.A256GCM." nonce(12) ciphertext tag(16)
//   wrapped_key  see crypto/wrapping_keys.h
// A data key seals one value once; a new value, or a new version, has a new key. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/key_store.h"

namespace sallyport::crypto {

inline constexpr std::size_t kRecordPlainBytesMax = 16U << 20;

// Whose value it is. Any bytes; each field stands with its length before it.
struct Binding {
  std::string_view table, row, column;
  std::uint64_t version = 0;
};

struct SealedRecord {
  std::string wrapped_key, ciphertext;  // bytes, not text
};

// Code::limit over 16 MiB; Code::crypto while the vault is sealed.
[[nodiscard]] Result<SealedRecord> seal_record(const KeyStore& keys, std::string_view plain, const Binding& binding,
                                               Random& random);

// Code::crypto for what was changed, moved, cut, or sealed by an algorithm or under a key that is not here.
[[nodiscard]] Result<Secret> open_record(const KeyStore& keys, const SealedRecord& record, const Binding& binding);

// The same data key under the key-encryption key in force; the ciphertext stays as it is. For records of which
// KeyStore::needs_rewrap() is true.
[[nodiscard]] Result<std::string> rewrap_record(const KeyStore& keys, std::string_view wrapped_key,
                                                const Binding& binding, Random& random);

}  // namespace sallyport::crypto
