// Walks the one-line JSON objects that this module writes itself: flat members by name, raw values. Internal to the audit
// stage; JSON from outside goes through the json module first. Linear, any bytes, no allocation but for the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::audit {

bool valid_utf8(std::string_view text) noexcept;

// Position behind the string that starts with the quote at `at`; npos where it does not end or holds a control character.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept;
// Position behind any value that starts at `at`; npos where it does not end. Brackets are counted, not matched by kind.
std::size_t skip_value(std::string_view text, std::size_t at) noexcept;
// The text of a JSON string without its quotes; an unpaired surrogate becomes U+FFFD.
std::string unescape(std::string_view raw);

struct Member {
  std::string_view name;  // raw
  std::string_view value;  // raw
};

class Members {
 public:
  // The members of one object that is the whole of `object`.
  static std::optional<Members> of(std::string_view object);
  [[nodiscard]] std::string_view raw(std::string_view name) const noexcept;   // empty: absent
  [[nodiscard]] std::string text(std::string_view name) const;                // of a string member
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;
  [[nodiscard]] const std::vector<Member>& all() const noexcept { return members_; }

 private:
  std::vector<Member> members_;
};

// The raw elements of an array without whitespace.
std::optional<std::vector<std::string_view>> elements(std::string_view array);

}  // namespace sallyport::audit
