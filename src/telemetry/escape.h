// Makes any bytes safe to stand in one line of the log: control characters (C1 too), line and paragraph separators,
// bidi overrides and bytes that are no UTF-8 are escaped; the result has no quote or backslash of the caller's
// unescaped.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::telemetry {

enum class EscapeStyle : bool { text, json };

// Appends at most `limit` bytes of `value` (cut at a character), then "..." where it was longer.
void append_escaped(std::string& out, std::string_view value, EscapeStyle style, std::size_t limit = 4096);

}  // namespace sallyport::telemetry
