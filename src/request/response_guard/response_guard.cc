#include "request/response_guard/response_guard.h"

#include "engines/schema/schema.h"
#include "json/document.h"
#include "json/slice.h"

namespace sallyport {
namespace {

Result<void> guard_content(std::string_view content) {
  if (!json::is_array(content)) return fail(Code::upstream_protocol, "content is not an array");
  bool objects = true;
  json::for_each_element(content, [&](std::string_view block) {
    objects = objects && json::is_object(block) && json::member(block, "type").has_value();
  });
  if (!objects) return fail(Code::upstream_protocol, "a content block is not an object with a type");
  return {};
}

}  // namespace

Result<void> guard_result(std::string_view result) {
  if (!json::is_object(result)) return fail(Code::upstream_protocol, "the result is not an object");
  return {};
}

Result<void> guard_tool_result(const ToolRecord& tool, std::string_view result) {
  SP_CHECK(guard_result(result));
  const auto content = json::member(result, "content");
  const auto structured = json::member(result, "structuredContent");
  if (content) SP_CHECK(guard_content(*content));
  if (!content && !structured) return fail(Code::upstream_protocol, "a tool result without content");
  if (json::member(result, "isError") == "true" || !tool.output) return {};
  if (!structured) return fail(Code::output_invalid, "structuredContent is missing, but an outputSchema was declared");
  SP_TRY(const auto document, json::read_upstream_document(*structured, {.bytes_max = structured->size() + 1}));
  if (const auto violation = tool.output->validate(document.root())) {
    return fail(Code::output_invalid, "structuredContent" + violation->path + ": " + violation->message);
  }
  return {};
}

}  // namespace sallyport
