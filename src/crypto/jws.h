// JSON Web Signature, compact form, HS256 only (RFC 7515, RFC 8725): the three parts and the MAC, no JSON. The
// algorithm and the key are ours, never the token's: the MAC is checked before a byte of header or payload is looked
// at. Any thread. At most 8 KiB a token. Claims are read and written by engines/token.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::crypto {

inline constexpr std::size_t kJwsBytesMax = 8192;

struct JwsContent {
  std::string header;   // decoded, not yet read
  std::string payload;  // decoded, not yet read
};

[[nodiscard]] std::string jws_sign(std::span<const std::byte> key, std::string_view header, std::string_view payload);

// Exactly three parts in strict base64url (no padding, no whitespace, no stray bits) and our MAC in constant time.
// Every refusal is Code::unauthenticated; detail says which.
[[nodiscard]] Result<JwsContent> jws_verify(std::span<const std::byte> key, std::string_view token);

// True for text with the outer form of a compact JWS: tells a JWT from an API key before either is checked.
[[nodiscard]] bool looks_like_jws(std::string_view text) noexcept;

}  // namespace sallyport::crypto
