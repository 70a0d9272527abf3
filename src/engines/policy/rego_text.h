// Foreign text in Rego source. Names and descriptions come from tool servers, which may be hostile: nothing that stands in them may
// become code, end a comment, or begin an annotation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::policy {

inline constexpr std::size_t kRegoLineMax = 1000;  // regorus refuses lines of more than 1,024 characters

// A string of Rego, quotes included, in ASCII: everything else as \uXXXX. Bytes that are no UTF-8 become U+FFFD.
std::string rego_string(std::string_view text);

// One line for a comment, at most `width` code points: control and format characters, line and paragraph separators and what is no
// UTF-8 become blanks; what is longer ends in "...". Put words of our own before it.
std::string comment_text(std::string_view text, std::size_t width);

}  // namespace sallyport::policy
