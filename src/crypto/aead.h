// AES-256-GCM (NIST SP 800-38D) with a random nonce: confidentiality and integrity of small values at rest and in
// tokens (cursors, request state, credentials). Any thread. At most 2^32 messages a key, 64 MiB a message.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"

namespace sallyport::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;
inline constexpr std::size_t kAeadPlainBytesMax = 64U << 20;

// nonce(12) || ciphertext || tag(16). `additional` is authenticated, not stored: say there what the value is and whose.
// Code::crypto where the key has another size than 32 bytes, Code::limit where the text is too long.
[[nodiscard]] Result<std::string> seal(std::span<const std::byte> key, std::string_view plain,
                                       std::string_view additional, Random& random);

// The plain text, or Code::crypto: changed, cut, other key or other `additional` are one and the same answer.
[[nodiscard]] Result<std::string> open(std::span<const std::byte> key, std::string_view sealed,
                                       std::string_view additional);

}  // namespace sallyport::crypto
