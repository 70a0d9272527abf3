// One text for one meaning, for digests and for equality; and a readable form for people. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace sallyport::json {

// RFC 8785 (JCS): members sorted by the UTF-16 code units of their decoded keys, numbers as ECMAScript prints them,
// strings with the fewest escapes. One departure: an integer beyond 2^53, and a number beyond the range of double, keep
// their token, so that different integers never share a digest.
[[nodiscard]] std::string canonical(Value value);
void append_canonical(std::string& out, Value value);

// Indents minified text by two spaces a level. Empty containers stay on one line. What a terminal would act on, or show as
// something else (C1, bidi, zero width), stands as \u escapes.
[[nodiscard]] std::string pretty(std::string_view minified);

}  // namespace sallyport::json
