// Internal to json: the inside of a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::json::detail {

// Appends the decoded `inner` (without quotes) to `out`. False on an unknown escape, a lone surrogate, a quote or a
// control character; `out` then has a part of it. UTF-8 is taken as already checked.
bool unescape(std::string_view inner, std::string& out);

void append_utf8(std::string& out, char32_t code_point);

}  // namespace sallyport::json::detail
