#include "json/unescape.h"

#include <cstdint>

#include "json/scan.h"

namespace sallyport::json::detail {
namespace {

// Four hex digits at `p`, or -1.
std::int32_t hex4(const char* p, const char* end) noexcept {
  if (end - p < 4) return -1;
  std::int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    std::int32_t nibble = 0;
    if (c >= '0' && c <= '9')
      nibble = c - '0';
    else if (c >= 'a' && c <= 'f')
      nibble = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      nibble = c - 'A' + 10;
    else
      return -1;
    value = value * 16 + nibble;
  }
  return value;
}

// `p` stands after "\u". Returns the position after the escape (or after the second of a pair), or null.
const char* unicode_escape(const char* p, const char* end, std::string& out) {
  const std::int32_t high = hex4(p, end);
  if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF)) return nullptr;
  p += 4;
  if (high < 0xD800 || high > 0xDBFF) {
    append_utf8(out, static_cast<char32_t>(high));
    return p;
  }
  if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return nullptr;
  const std::int32_t low = hex4(p + 2, end);
  if (low < 0xDC00 || low > 0xDFFF) return nullptr;
  append_utf8(out, static_cast<char32_t>(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)));
  return p + 6;
}

char simple_escape(char c) noexcept {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      put(0xE0 | (c >> 12));
    } else {
      put(0xF0 | (c >> 18));
      put(0x80 | ((c >> 12) & 0x3F));
    }
    put(0x80 | ((c >> 6) & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

bool unescape(std::string_view inner, std::string& out) {
  const char* p = inner.data();
  const char* const end = p + inner.size();
  while (p != end) {
    const char* const run = find_special(p, end);
    out.append(p, run);
    if (run == end) return true;
    if (*run != '\\' || end - run < 2) return false;
    p = run + 2;
    if (run[1] == 'u') {
      p = unicode_escape(p, end, out);
      if (p == nullptr) return false;
    } else {
      const char c = simple_escape(run[1]);
      if (c == 0) return false;
      out.push_back(c);
    }
  }
  return true;
}

}  // namespace sallyport::json::detail
