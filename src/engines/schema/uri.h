// Internal to schema: as much of RFC 3986 as references between schemas need. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sallyport::schema {

// `reference` seen from `base` (RFC 3986 5.2), fragment kept.
std::string resolve_uri(std::string_view base, std::string_view reference);
// The part before '#', and the part after it (empty if there is none).
std::pair<std::string_view, std::string_view> split_fragment(std::string_view uri);
// %41 becomes A; a broken escape stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace sallyport::schema
