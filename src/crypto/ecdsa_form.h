// The two forms of an ECDSA signature: DER, which OpenSSL speaks, and r || s of fixed length, which JWS speaks (RFC 7518
// 3.4). Internal to crypto. Whether r and s lie in range is OpenSSL's to check when it verifies.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::crypto {

// r || s, `size` bytes each; nothing where `der` is no signature or a number is too long.
std::optional<std::string> ecdsa_raw(std::string_view der, std::size_t size);
// Nothing where `raw` has not exactly 2 x `size` bytes.
std::optional<std::string> ecdsa_der(std::string_view raw, std::size_t size);

}  // namespace sallyport::crypto
