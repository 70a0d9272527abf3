// Internal to schema: the official metaschemas, built in so that a $ref to them needs no network.
#pragma once

#include <optional>
#include <string_view>

namespace sallyport::schema {

// The text of the metaschema `uri` (without fragment).
std::optional<std::string_view> metaschema(std::string_view uri);

}  // namespace sallyport::schema
