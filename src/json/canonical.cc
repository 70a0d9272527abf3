#include "json/canonical.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "json/slice.h"

namespace sallyport::json {
namespace {

// Order by UTF-16 code units (RFC 8785 3.2.3), told from the UTF-8: it differs from byte order only where a character
// beyond U+FFFF (lead byte F0..F4, surrogates D800..DFFF) meets one of U+E000..U+FFFF (lead byte EE or EF).
bool utf16_less(std::string_view a, std::string_view b) noexcept {
  const auto [x, y] = std::ranges::mismatch(a, b);
  if (y == b.end()) return false;
  if (x == a.end()) return true;
  const auto p = static_cast<unsigned char>(*x);
  const auto q = static_cast<unsigned char>(*y);
  if (p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0)) return p >= 0xF0;
  return p < q;
}

// RFC 8785 3.2.2.2: only what must be escaped is.
void append_minimal_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kLetters = "btn-fr";  // of 0x08 .. 0x0D; 0x0B has none
  out += '"';
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u >= 0x20) {
      out += c;
    } else if (u >= 0x08 && u <= 0x0D && u != 0x0B) {
      out += '\\';
      out += kLetters[u - 0x08U];
    } else {
      out += "\\u00";
      out += kHex[u >> 4U];
      out += kHex[u & 15U];
    }
  }
  out += '"';
}

// ECMA-262, Number::toString with radix 10: digits d1..dk, value 0.d1..dk times 10 to the n.
void append_ecma_number(std::string& out, double number) {
  if (number == 0) {
    out += '0';
    return;
  }
  if (number < 0) out += '-';
  std::array<char, 32> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), std::fabs(number), std::chars_format::scientific);
  const std::string_view shown(text.data(), end);
  const std::size_t e = shown.find('e');
  int n = 0;
  std::from_chars(text.data() + e + (shown[e + 1] == '+' ? 2 : 1), end, n);
  n += 1;
  std::string digits(shown.substr(0, 1));
  if (e > 2) digits += shown.substr(2, e - 2);
  const int k = static_cast<int>(digits.size());
  if (k <= n && n <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(n - k), '0');
  } else if (0 < n && n <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(n)).append(".").append(digits, static_cast<std::size_t>(n));
  } else if (-6 < n && n <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-n), '0').append(digits);
  } else {
    out += digits[0];
    if (k > 1) out.append(".").append(digits, 1);
    out.append(n > 0 ? "e+" : "e-").append(std::to_string(std::abs(n - 1)));
  }
}

void append_number(std::string& out, Value value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const Kind kind = value.kind();
  const auto number = value.as_double();
  const bool token = kind == Kind::big_number || !number || (kind != Kind::real && std::fabs(*number) >= kExact);
  if (token)
    out += value.raw();
  else
    append_ecma_number(out, *number);
}

void append_object(std::string& out, Value value) {
  std::vector<Member> members;
  members.reserve(value.size());
  for (const Member member : value.members()) members.push_back(member);
  std::ranges::sort(members, [](const Member& a, const Member& b) { return utf16_less(a.key, b.key); });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i != 0) out += ',';
    append_minimal_string(out, members[i].key);
    out += ':';
    append_canonical(out, members[i].value);
  }
  out += '}';
}

void new_line(std::string& out, std::size_t depth) { out.append("\n").append(depth * 2, ' '); }

}  // namespace

// Recursion is bounded by the reader's depth limit.
void append_canonical(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::object:
      return append_object(out, value);
    case Kind::string:
      return append_minimal_string(out, *value.as_string());
    case Kind::array: {
      out += '[';
      bool first = true;
      for (const Value element : value.elements()) {
        if (!first) out += ',';
        first = false;
        append_canonical(out, element);
      }
      out += ']';
      return;
    }
    case Kind::null:
    case Kind::boolean:
      out += value.raw();
      return;
    default:
      return append_number(out, value);
  }
}

std::string canonical(Value value) {
  std::string out;
  out.reserve(value.raw().size());
  append_canonical(out, value);
  return out;
}

namespace {

// Bytes of the character at the front of `s` where a terminal acts on it or shows it as something else, else 0: DEL, C1 (U+009B
// begins an escape sequence), zero width, line separators, bidi, byte order mark. C0 is escaped in any JSON.
std::size_t unseen(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  if (at(0) == 0x7F) return 1;
  if (at(0) == 0xC2) return at(1) >= 0x80 && at(1) <= 0x9F ? 2 : 0;
  if (at(0) == 0xEF) return at(1) == 0xBB && at(2) == 0xBF ? 3 : 0;
  if (at(0) != 0xE2) return 0;
  const unsigned last = at(2);
  if (at(1) == 0x80) return (last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE) ? 3 : 0;
  return at(1) == 0x81 && last >= 0xA0 && last <= 0xA9 ? 3 : 0;
}

void append_seen(std::string& out, std::string_view token) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!token.empty()) {
    const std::size_t length = unseen(token);
    if (length == 0) {
      out += token.front();
      token.remove_prefix(1);
      continue;
    }
    unsigned point = static_cast<unsigned char>(token.front()) & (length == 1 ? 0x7FU : length == 2 ? 0x1FU : 0xFU);
    for (std::size_t i = 1; i < length; ++i) point = point << 6U | (static_cast<unsigned char>(token[i]) & 0x3FU);
    out += "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kHex[point >> shift & 15U];
    token.remove_prefix(length);
  }
}

}  // namespace

std::string pretty(std::string_view minified) {
  std::string out;
  out.reserve(minified.size() * 2);
  std::size_t depth = 0;
  for (std::size_t at = 0; at < minified.size(); ++at) {
    const char c = minified[at];
    if (c == '"') {
      const std::size_t end = detail::skip_value(minified, at);
      append_seen(out, minified.substr(at, end - at));
      at = end - 1;
    } else if (c == '{' || c == '[') {
      out += c;
      if (at + 1 < minified.size() && (minified[at + 1] == '}' || minified[at + 1] == ']'))
        out += minified[++at];
      else
        new_line(out, ++depth);
    } else if (c == '}' || c == ']') {
      new_line(out, depth > 0 ? --depth : 0);
      out += c;
    } else {
      out += c;
      if (c == ',')
        new_line(out, depth);
      else if (c == ':')
        out += ' ';
    }
  }
  return out;
}

}  // namespace sallyport::json
