// Cutting raw pieces out of minified text that `json::read` or `read_upstream` has already accepted, without building a
// tape: for the hot path, which splices params and results as they are. Pure functions over the caller's bytes, any
// thread. On text that was never validated the answers mean nothing, but no byte outside `text` is ever read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::json {

namespace detail {
// The position after the value that starts at `at`; text.size() at most.
std::size_t skip_value(std::string_view text, std::size_t at) noexcept;
// The position of the closing quote of the string that starts (with its quote) at `at`; text.size() if there is none.
std::size_t closing_quote(std::string_view text, std::size_t at) noexcept;
}  // namespace detail

// The raw value of the member `key` (compared decoded) of the object `object`; nothing if it has none or is no object.
[[nodiscard]] std::optional<std::string_view> member(std::string_view object, std::string_view key);

// Calls fn(raw_key_without_quotes, raw_value) for each member. The key is not decoded (see decode_string).
template <class Fn>
void for_each_member(std::string_view object, Fn&& fn) {
  if (object.size() < 2 || object.front() != '{') return;
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t quote = detail::closing_quote(object, at);
    if (quote + 2 > object.size()) return;
    const std::size_t end = detail::skip_value(object, quote + 2);
    fn(object.substr(at + 1, quote - at - 1), object.substr(quote + 2, end - quote - 2));
    at = end + 1;
  }
}

// Calls fn(raw_value) for each element.
template <class Fn>
void for_each_element(std::string_view array, Fn&& fn) {
  if (array.size() < 2 || array.front() != '[' || array[1] == ']') return;
  for (std::size_t at = 1; at < array.size();) {
    const std::size_t end = detail::skip_value(array, at);
    if (end <= at) return;
    fn(array.substr(at, end - at));
    at = end + 1;
  }
}

[[nodiscard]] inline bool is_string(std::string_view raw) noexcept { return raw.size() >= 2 && raw.front() == '"'; }
[[nodiscard]] inline bool is_object(std::string_view raw) noexcept { return raw.size() >= 2 && raw.front() == '{'; }
[[nodiscard]] inline bool is_array(std::string_view raw) noexcept { return raw.size() >= 2 && raw.front() == '['; }

// The text of the raw string `raw` (with its quotes). parse_error if it is no string or has a bad escape.
[[nodiscard]] Result<std::string> decode_string(std::string_view raw);

}  // namespace sallyport::json
