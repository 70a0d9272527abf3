// Argument validation: what a caller sends must fit the schema that the operator approved. A tool whose schema could not
// be compiled is refused (fail closed). Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "json/value.h"
#include "model/server.h"

namespace sallyport {

struct ArgumentFault {
  std::string path;     // JSON pointer into the arguments
  std::string message;  // for the caller: names the rule, never a long value
};

std::optional<ArgumentFault> validate_arguments(const ToolRecord& tool, json::Value arguments);
// An absent `arguments` member is the empty object.
std::optional<ArgumentFault> validate_no_arguments(const ToolRecord& tool);

}  // namespace sallyport
