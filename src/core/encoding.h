// Hex and base64url (RFC 4648), strict on the way in: no padding, no whitespace, no non-canonical trailing bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

std::string hex_encode(std::span<const std::byte> bytes);
std::optional<std::vector<std::byte>> hex_decode(std::string_view text);

std::string base64url_encode(std::span<const std::byte> bytes);
std::optional<std::vector<std::byte>> base64url_decode(std::string_view text);

// What others write: base64 with its padding; read in either alphabet, with or without padding. Copies are wiped.
std::string base64_encode(std::span<const std::byte> bytes);
std::optional<std::vector<std::byte>> base64_decode(std::string_view text);

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sallyport
