#include "request/audit/scan.h"

#include <charconv>

#include "core/ascii.h"

namespace sallyport::audit {
namespace {

constexpr auto kNone = std::string_view::npos;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hex digits at `at`, or -1.
int code_unit(std::string_view raw, std::size_t at) noexcept {
  if (at + 4 > raw.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(raw[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xC0U | c >> 6U), put(0x80U | (c & 0x3FU));
  if (c < 0x10000) return put(0xE0U | c >> 12U), put(0x80U | (c >> 6U & 0x3FU)), put(0x80U | (c & 0x3FU));
  put(0xF0U | c >> 18U), put(0x80U | (c >> 12U & 0x3FU)), put(0x80U | (c >> 6U & 0x3FU)), put(0x80U | (c & 0x3FU));
}

// The escape \uXXXX whose digits start at `at`, with its second half where it has one; the position behind it.
std::size_t append_escape(std::string& out, std::string_view raw, std::size_t at) {
  const int first = code_unit(raw, at);
  if (first < 0) return append_utf8(out, 0xFFFD), at;
  if (first < 0xD800 || first > 0xDFFF) return append_utf8(out, static_cast<std::uint32_t>(first)), at + 4;
  const bool pair = first < 0xDC00 && raw.substr(at + 4, 2) == "\\u";
  const int second = pair ? code_unit(raw, at + 6) : -1;
  if (second < 0xDC00 || second > 0xDFFF) return append_utf8(out, 0xFFFD), at + 4;
  append_utf8(out, 0x10000U + (static_cast<std::uint32_t>(first - 0xD800) << 10U) +
                       static_cast<std::uint32_t>(second - 0xDC00));
  return at + 10;
}

}  // namespace

bool valid_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      i += ascii::ascii_run(text.substr(i));
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) return false;
    }
    const auto next = static_cast<unsigned char>(text[i + 1]);
    // Overlong forms, surrogates, beyond U+10FFFF (RFC 3629 4).
    if ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) ||
        (lead == 0xF4 && next > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    i += ascii::plain_run(text.substr(i));
    if (i >= text.size()) break;
    const char c = text[i];
    if (c == '"') return i + 1;
    if (static_cast<unsigned char>(c) < 0x20) return kNone;
    if (c != '\\') continue;
    if (++i == text.size() || !std::string_view("\"\\/bfnrtu").contains(text[i])) return kNone;
    if (text[i] == 'u' && code_unit(text, i + 1) < 0) return kNone;
  }
  return kNone;
}

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  for (std::size_t i = at; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = skip_string(text, i);
      if (i == kNone || depth == 0) return i;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return i == at ? kNone : i;
      if (--depth == 0) return i + 1;
    }
    if (c == ',' && depth == 0) return i == at ? kNone : i;
    ++i;
  }
  return depth == 0 && at < text.size() ? text.size() : kNone;
}

std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out.push_back(raw[i]);
      continue;
    }
    switch (raw[++i]) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': i = append_escape(out, raw, i + 1) - 1; break;
      default: out.push_back(raw[i]);
    }
  }
  return out;
}

std::optional<Members> Members::of(std::string_view object) {
  if (object.size() < 2 || object.front() != '{' || object.back() != '}') return std::nullopt;
  Members members;
  if (object.size() == 2) return members;
  for (std::size_t at = 1;;) {
    if (at >= object.size() || object[at] != '"') return std::nullopt;
    const std::size_t colon = skip_string(object, at);
    if (colon == kNone || colon >= object.size() || object[colon] != ':') return std::nullopt;
    const std::size_t end = skip_value(object, colon + 1);
    if (end == kNone || end >= object.size()) return std::nullopt;
    members.members_.push_back({object.substr(at + 1, colon - at - 2), object.substr(colon + 1, end - colon - 1)});
    if (object[end] == '}') return end + 1 == object.size() ? std::optional(std::move(members)) : std::nullopt;
    if (object[end] != ',') return std::nullopt;
    at = end + 1;
  }
}

std::string_view Members::raw(std::string_view name) const noexcept {
  for (const Member& member : members_) {
    if (member.name == name) return member.value;
  }
  return {};
}

std::string Members::text(std::string_view name) const {
  const std::string_view value = raw(name);
  if (value.size() < 2 || value.front() != '"') return {};
  return unescape(value.substr(1, value.size() - 2));
}

std::optional<std::uint64_t> Members::number(std::string_view name) const {
  const std::string_view value = raw(name);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::optional<std::vector<std::string_view>> elements(std::string_view array) {
  if (array.size() < 2 || array.front() != '[' || array.back() != ']') return std::nullopt;
  std::vector<std::string_view> list;
  if (array.size() == 2) return list;
  for (std::size_t at = 1;;) {
    const std::size_t end = skip_value(array, at);
    if (end == kNone || end >= array.size()) return std::nullopt;
    list.push_back(array.substr(at, end - at));
    if (array[end] == ']') return end + 1 == array.size() ? std::optional(std::move(list)) : std::nullopt;
    if (array[end] != ',') return std::nullopt;
    at = end + 1;
  }
}

}  // namespace sallyport::audit
