#include "engines/policy/rego_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace sallyport::policy {
namespace {

constexpr char32_t kNone = 0xfffd;

// The next code point, taken from `rest`; U+FFFD for a byte that begins none (RFC 3629 3).
char32_t next(std::string_view& rest) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xc2 && first < 0xe0 ? 2
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xf0 && first < 0xf5 ? 4
                                                           : 0;
  if (size == 0 || size > rest.size()) {
    rest.remove_prefix(1);
    return kNone;
  }
  char32_t point = size == 1 ? first : first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) {
      rest.remove_prefix(1);
      return kNone;
    }
    point = point << 6U | (byte(i) & 0x3fU);
  }
  rest.remove_prefix(size);
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  const bool overlong = (size == 3 && point < 0x800) || (size == 4 && (point < 0x10000 || point > 0x10ffff));
  return surrogate || overlong ? kNone : point;
}

// What a reader cannot see, or what moves what they see.
bool harmful(char32_t c) {
  using Range = std::pair<char32_t, char32_t>;
  static constexpr std::array<Range, 13> kRanges{{{0, 0x1f},
                                                  {0x7f, 0x9f},
                                                  {0xad, 0xad},
                                                  {0x61c, 0x61c},
                                                  {0x180b, 0x180f},
                                                  {0x200b, 0x200f},
                                                  {0x2028, 0x202e},
                                                  {0x2060, 0x206f},
                                                  {0xfe00, 0xfe0f},
                                                  {0xfeff, 0xfeff},
                                                  {0xfff0, 0xffff},
                                                  {0xe000, 0xf8ff},
                                                  {0xe0000, 0x10ffff}}};
  return std::ranges::any_of(kRanges, [&](const Range& range) { return c >= range.first && c <= range.second; });
}

void append_escape(std::string& out, std::uint32_t unit) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (unsigned shift = 16; shift > 0; shift -= 4) out += kHex[unit >> (shift - 4) & 0xfU];
}

}  // namespace

std::string rego_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const char32_t c = next(text);
    if (c >= 0x10000) {
      append_escape(out, 0xd800 + ((c - 0x10000) >> 10U));
      append_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ffU));
    } else if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
      append_escape(out, c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

std::string comment_text(std::string_view text, std::size_t width) {
  std::string out;
  for (std::size_t used = 0; !text.empty(); ++used) {
    if (used == width) return out + "...";
    const std::string_view before = text;
    const char32_t c = next(text);
    if (c == kNone || harmful(c)) out += ' ';
    else out += before.substr(0, before.size() - text.size());
  }
  return out;
}

}  // namespace sallyport::policy
