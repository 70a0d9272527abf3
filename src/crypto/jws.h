// JSON Web Signature, compact form (RFC 7515, RFC 8725): the three parts and the signature, no JSON. The algorithm and
// the key are ours, never the token's: the signature is checked before a byte of header or payload is decoded. Any
// thread. At most 8 KiB a token. Claims are read and written by engines/token.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "crypto/jws_key.h"

namespace sallyport::crypto {

inline constexpr std::size_t kJwsBytesMax = 8192;

struct JwsContent {
  std::string header;   // decoded, not yet read
  std::string payload;  // decoded, not yet read
};

// `header` and `payload` as they are to stand in the token. Code::crypto where the key cannot sign.
[[nodiscard]] Result<std::string> jws_sign(const JwsKey& key, std::string_view header, std::string_view payload);

// Exactly three parts in strict base64url (no padding, no whitespace, no stray bits) and this key's signature by this
// key's algorithm. Every refusal is Code::unauthenticated; detail says which.
// `bytes_max`: more for what is no token of a request, such as the signature of a bundle.
[[nodiscard]] Result<JwsContent> jws_verify(const JwsKey& key, std::string_view token,
                                            std::size_t bytes_max = kJwsBytesMax);

// True for text with the outer form of a compact JWS: tells a JWT from an API key before either is checked.
[[nodiscard]] bool looks_like_jws(std::string_view text) noexcept;

}  // namespace sallyport::crypto
