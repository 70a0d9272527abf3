#include "core/encoding.h"

#include <algorithm>
#include <array>

#include "core/secret.h"

namespace sallyport {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

consteval std::array<std::int8_t, 256> reverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kFromHex = reverse(kHex);
constexpr auto kFromBase64Url = reverse(kBase64Url);

}  // namespace

std::string hex_encode(std::span<const std::byte> bytes) {
  std::string out(bytes.size() * 2, '\0');
  char* at = out.data();
  for (const std::byte b : bytes) {
    *at++ = kHex[std::to_integer<unsigned>(b >> 4)];
    *at++ = kHex[std::to_integer<unsigned>(b & std::byte{15})];
  }
  return out;
}

std::optional<std::vector<std::byte>> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = kFromHex[static_cast<unsigned char>(text[2 * i])];
    const int low = kFromHex[static_cast<unsigned char>(text[2 * i + 1])];
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return out;
}

std::string base64url_encode(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::byte b : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(b);
    for (held += 8; held >= 6; held -= 6) out += kBase64Url[(bits >> (held - 6)) & 63];
  }
  if (held > 0) out += kBase64Url[(bits << (6 - held)) & 63];
  return out;
}

std::optional<std::vector<std::byte>> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kFromBase64Url[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    if ((held += 6) >= 8) out.push_back(static_cast<std::byte>((bits >> (held -= 8)) & 255));
  }
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;  // RFC 4648 3.5: trailing bits must be zero
  return out;
}

std::string base64_encode(std::span<const std::byte> bytes) {
  std::string text = base64url_encode(bytes);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<std::vector<std::byte>> base64_decode(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  auto bytes = base64url_decode(url);
  wipe(url);
  return bytes;
}

}  // namespace sallyport
