// What a tool server answers is checked before anyone reads it: a result must be an object of the shape that MCP gives
// the method, and structuredContent must fit the output schema that was approved (MCP 2025-06-18, tools: clients SHOULD
// validate; we do it for them). Size and syntax were checked on arrival. Pure; any thread.
#pragma once

#include <string_view>

#include "core/result.h"
#include "model/server.h"

namespace sallyport {

// `result`: minified raw result of tools/call. Errors: upstream_protocol (no object, content no array of objects),
// output_invalid (detail names the path).
Result<void> guard_tool_result(const ToolRecord& tool, std::string_view result);
// Any other method: the result is an object.
Result<void> guard_result(std::string_view result);

}  // namespace sallyport
