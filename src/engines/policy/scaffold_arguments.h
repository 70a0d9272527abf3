// The part of a tool's section about its arguments. Internal to engines/policy.
#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace sallyport::policy {

// Comments that say what each argument is, then examples in comments: limits of numbers, values of enums, folders of what looks like a
// path. `schema`: inputSchema, from the tool's server; of what is no object nothing is said. At most 40 arguments are shown.
void write_arguments(std::string& out, std::string_view server, std::string_view tool, json::Value schema);

}  // namespace sallyport::policy
