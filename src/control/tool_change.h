// What a request says of a registered tool; what is absent stays as it is. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "model/registration.h"

namespace sallyport::control {

// What a call of it shall be: an upstream's tool, an HTTP endpoint, or (both empty) nothing.
struct ToolBinding {
  std::string server;
  std::string tool;
  ServerPtr endpoint;
};

struct ToolChange {
  std::optional<std::string> version, title, description;
  std::optional<std::string> schema;  // raw JSON object
  std::optional<int> security_level;
  std::optional<std::vector<std::string>> categories, tags, labels;
  std::optional<bool> enabled;
  std::optional<ToolBinding> binding;
};

// `tool` as the change leaves it: its definition, digest and registration made anew. Code::validation naming what is wrong:
// name, version, labels, level, a schema that cannot be compiled, an endpoint that may not be asked.
Result<ToolRecord> changed_tool(ToolRecord tool, const ToolChange& what, WallTime now);

}  // namespace sallyport::control
