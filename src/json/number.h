// Internal to json (and engines/schema by way of Value): number tokens. Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "json/value.h"

namespace sallyport::json::detail {

// The length of the number token (RFC 8259 6) at the start of `text`; 0 if there is none. `integer` tells whether it
// has neither fraction nor exponent.
std::size_t number_length(std::string_view text, bool& integer) noexcept;

// integer, unsigned_integer, real, or big_number beyond those.
Kind classify_number(std::string_view token, bool integer) noexcept;

// The nearest double; nothing if the token lies beyond the range of double. Underflow is 0.
std::optional<double> to_double(std::string_view token) noexcept;

}  // namespace sallyport::json::detail
