// The bytes of keys/keyring (docs/vault.md, byte by byte): a readable head that says how to open it, and a body that is
// sealed with AES-256-GCM under the unseal key; the whole head is its additional data, so that neither can be changed or
// taken from another keyring. Pure functions, any thread.
//   "sallyport-keyring 1 A256GCM\n" "id " 16 hex digits "\n" "generation " decimal "\n" "unseal " line "\n" "\n"
//   nonce(12) ciphertext tag(16); the plain body, numbers of 8 bytes, big-endian:
//   root(32) count, then for each key-encryption key: id, made (us since 1970), retired (0: in force), key(32)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "crypto/locked_key.h"
#include "crypto/wrapping_keys.h"

namespace sallyport::crypto {

inline constexpr std::size_t kKeyringBytesMax = 64U << 10;
inline constexpr std::size_t kWrappingKeysMax = 256;

// What may be read without a key, and is not believed before the body has opened.
struct KeyringHead {
  std::string id;  // of the keyring; the same for its life
  std::uint64_t generation = 0;  // one more with each change
  std::string unseal;  // UnsealKey::line
  std::string_view text, body;  // views of the document
};

struct KeyringBody {
  LockedKey root;  // 32 bytes: what the HKDF purposes come from
  WrappingKeySet wrapping;
};

// Code::config for another form or version.
Result<KeyringHead> read_keyring_head(std::string_view document);
// Code::crypto where the key is another one or a byte was changed.
Result<KeyringBody> open_keyring_body(const KeyringHead& head, const LockedKey& key);
Result<std::string> write_keyring(const KeyringHead& head, const KeyringBody& body, const LockedKey& key,
                                  Random& random);

}  // namespace sallyport::crypto
