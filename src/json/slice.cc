#include "json/slice.h"

#include "json/scan.h"
#include "json/unescape.h"

namespace sallyport::json {
namespace detail {

std::size_t closing_quote(std::string_view text, std::size_t at) noexcept {
  const char* const end = text.data() + text.size();
  if (at >= text.size()) return text.size();
  const char* p = text.data() + at + 1;
  for (;;) {
    p = find_special(p, end);
    if (p == end || *p == '"') return static_cast<std::size_t>(p - text.data());
    p += *p == '\\' && end - p > 1 ? 2 : 1;
  }
}

namespace {

std::size_t skip_container(std::string_view text, std::size_t at) noexcept {
  const char* const end = text.data() + text.size();
  const char* p = text.data() + at;
  std::size_t depth = 0;
  for (;;) {
    p = find_structural(p, end);
    if (p == end) return text.size();
    if (*p == '"') {
      const std::size_t quote = closing_quote(text, static_cast<std::size_t>(p - text.data()));
      if (quote >= text.size()) return text.size();
      p = text.data() + quote;
    } else if (*p == '{' || *p == '[') {
      ++depth;
    } else if (depth <= 1) {
      return static_cast<std::size_t>(p - text.data()) + 1;
    } else {
      --depth;
    }
    ++p;
  }
}

}  // namespace

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') {
    const std::size_t quote = closing_quote(text, at);
    return quote < text.size() ? quote + 1 : text.size();
  }
  if (text[at] == '{' || text[at] == '[') return skip_container(text, at);
  const std::size_t end = text.find_first_of(",]}", at);
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace detail

namespace {

bool same_key(std::string_view raw_key, std::string_view key) {
  if (raw_key == key) return raw_key.find('\\') == std::string_view::npos;
  if (raw_key.find('\\') == std::string_view::npos) return false;
  std::string decoded;
  return detail::unescape(raw_key, decoded) && decoded == key;
}

}  // namespace

std::optional<std::string_view> member(std::string_view object, std::string_view key) {
  if (object.size() < 2 || object.front() != '{') return std::nullopt;
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t quote = detail::closing_quote(object, at);
    if (quote + 2 > object.size()) return std::nullopt;
    const std::size_t end = detail::skip_value(object, quote + 2);
    if (same_key(object.substr(at + 1, quote - at - 1), key)) return object.substr(quote + 2, end - quote - 2);
    at = end + 1;
  }
  return std::nullopt;
}

Result<std::string> decode_string(std::string_view raw) {
  std::string out;
  if (!is_string(raw) || raw.back() != '"' || !detail::unescape(raw.substr(1, raw.size() - 2), out)) {
    return fail(Code::parse_error, "JSON: not a string");
  }
  return out;
}

}  // namespace sallyport::json
