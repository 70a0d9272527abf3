// Internal to schema: a regular expression of ECMA-262 (what `pattern` means) in RE2's spelling. Pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::schema {

// Nothing for what RE2 has no like for, or reads differently: lookaround, back references, inline flags, empty classes,
// escapes unknown here.
std::optional<std::string> ecma_to_re2(std::string_view pattern);

}  // namespace sallyport::schema
