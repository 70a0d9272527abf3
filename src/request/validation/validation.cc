#include "request/validation/validation.h"

#include "engines/schema/schema.h"
#include "json/document.h"

namespace sallyport {

std::optional<ArgumentFault> validate_arguments(const ToolRecord& tool, json::Value arguments) {
  if (!tool.input) return ArgumentFault{"", "the tool's input schema cannot be used, so no call is let through"};
  auto violation = tool.input->validate(arguments);
  if (!violation) return std::nullopt;
  return ArgumentFault{std::move(violation->path), std::move(violation->message)};
}

std::optional<ArgumentFault> validate_no_arguments(const ToolRecord& tool) {
  const auto empty = json::read("{}");
  if (!empty) return ArgumentFault{"", "internal error"};
  return validate_arguments(tool, empty->root());
}

}  // namespace sallyport
