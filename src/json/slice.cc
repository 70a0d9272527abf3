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

// Finds the end of a container, 64 bytes at a time.
class ContainerEnd {
 public:
  // The place of the closing bracket within the 64 bytes at `p`, or 64.
  unsigned in_block(const char* p) noexcept {
    Masks m = masks(p);
    m.quote &= ~escaped(m.backslash);
    const std::uint64_t in_string = prefix_xor(m.quote) ^ in_string_;
    in_string_ = (in_string >> 63U) != 0 ? ~std::uint64_t{0} : 0;
    m.open &= ~in_string;
    m.close &= ~in_string;
    const auto closing = static_cast<std::size_t>(std::popcount(m.close));
    if (closing < depth_ || closing == 0) {  // cannot come down to the end here
      depth_ += static_cast<std::size_t>(std::popcount(m.open)) - closing;
      return 64;
    }
    return find(m);
  }

 private:
  unsigned find(const Masks& m) noexcept {
    for (std::uint64_t both = m.open | m.close; both != 0; both &= both - 1) {
      const std::uint64_t lowest = both & (~both + 1);
      if ((m.open & lowest) != 0)
        ++depth_;
      else if (depth_ <= 1)
        return static_cast<unsigned>(std::countr_zero(lowest));
      else
        --depth_;
    }
    return 64;
  }

  // The bytes that a backslash takes the meaning from; a run may go on into the next block.
  std::uint64_t escaped(std::uint64_t backslash) noexcept {
    std::uint64_t out = after_backslash_ ? 1 : 0;
    after_backslash_ = false;
    for (backslash &= ~out; backslash != 0;) {
      const std::uint64_t lowest = backslash & (~backslash + 1);
      after_backslash_ = lowest == std::uint64_t{1} << 63U;
      out |= lowest << 1U;
      backslash &= ~(lowest | (lowest << 1U));
    }
    return out;
  }

  std::size_t depth_ = 0;
  std::uint64_t in_string_ = 0;  // all ones while inside
  bool after_backslash_ = false;
};

std::size_t skip_container(std::string_view text, std::size_t at) noexcept {
  ContainerEnd end;
  for (; text.size() - at >= 64; at += 64) {
    if (const unsigned place = end.in_block(text.data() + at); place < 64) return at + place + 1;
  }
  char last[64] = {};
  std::memcpy(last, text.data() + at, text.size() - at);
  const unsigned place = end.in_block(last);
  return place < 64 ? at + place + 1 : text.size();
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
