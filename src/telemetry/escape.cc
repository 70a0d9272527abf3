#include "telemetry/escape.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace sallyport::telemetry {
namespace {

struct Character {
  std::uint32_t point = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

std::uint8_t byte_at(std::string_view s, std::size_t i) { return static_cast<std::uint8_t>(s[i]); }

// The character that begins at `i`; a bad byte is one invalid character. RFC 3629: no overlong forms, no surrogates.
Character decode(std::string_view s, std::size_t i) {
  const std::uint8_t lead = byte_at(s, i);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (n == 0 || lead > 0xF4 || i + n > s.size()) return {lead, 1, false};
  std::uint32_t point = lead & (0xFFU >> (n + 1));
  for (std::size_t k = 1; k < n; ++k) {
    if ((byte_at(s, i + k) & 0xC0) != 0x80) return {lead, 1, false};
    point = point << 6 | (byte_at(s, i + k) & 0x3FU);
  }
  const std::uint32_t least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {lead, 1, false};
  return {point, n, true};
}

// Not shown as they are: they end lines, move the cursor or turn the direction of what is read.
bool hidden(std::uint32_t p) {
  return p < 0x20 || (p >= 0x7F && p <= 0x9F) || p == 0x2028 || p == 0x2029 || (p >= 0x202A && p <= 0x202E) ||
         (p >= 0x2066 && p <= 0x2069) || p == 0xFEFF;
}

}  // namespace

void append_escaped(std::string& out, std::string_view value, EscapeStyle style, std::size_t limit) {
  for (std::size_t i = 0; i < value.size();) {
    if (i >= limit) {
      out += "...";
      return;
    }
    const Character c = decode(value, i);
    if (!c.valid && style == EscapeStyle::json) {
      out += "\\ufffd";
    } else if (!c.valid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c.point);
    } else if (c.point == '"' || c.point == '\\') {
      out += '\\';
      out += static_cast<char>(c.point);
    } else if (hidden(c.point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.point);
    } else {
      out += value.substr(i, c.bytes);
    }
    i += c.bytes;
  }
}

}  // namespace sallyport::telemetry
