#include "request/response_guard/response_guard.h"

#include "engines/schema/schema.h"
#include "json/document.h"
#include "json/slice.h"

namespace sallyport {
namespace {

struct Parts {
  std::optional<std::string_view> content, structured, is_error;
};

// One pass. A key with an escape in it is looked at decoded, so that no spelling hides a member.
Parts parts_of(std::string_view result) {
  Parts parts;
  json::for_each_member(result, [&](std::string_view key, std::string_view value) {
    std::string decoded;
    if (key.find('\\') != std::string_view::npos) {
      decoded = json::decode_string({key.data() - 1, key.size() + 2}).value_or("");
      key = decoded;
    }
    if (key == "content") parts.content = value;
    else if (key == "structuredContent") parts.structured = value;
    else if (key == "isError") parts.is_error = value;
  });
  return parts;
}

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
  const Parts parts = parts_of(result);
  const auto& [content, structured, is_error] = parts;
  if (content) SP_CHECK(guard_content(*content));
  if (!content && !structured) return fail(Code::upstream_protocol, "a tool result without content");
  if (is_error == "true" || !tool.output) return {};
  if (!structured) return fail(Code::output_invalid, "structuredContent is missing, but an outputSchema was declared");
  SP_TRY(const auto document, json::read_upstream_document(*structured, {.bytes_max = structured->size() + 1}));
  if (const auto violation = tool.output->validate(document.root())) {
    return fail(Code::output_invalid, "structuredContent" + violation->path + ": " + violation->message);
  }
  return {};
}

}  // namespace sallyport
