// What a client answers when it was asked: checked before any of it reaches the server.
#include <algorithm>

#include "request/mcp/capabilities.h"
#include "request/mcp/dialect.h"
#include "request/mcp/dialect_edit.h"

namespace sallyport::mcp {
namespace {

using edit::text_of;
using Put = std::optional<std::string_view>;

std::unexpected<Error> malformed(std::string what) { return fail(Code::invalid_params, std::move(what)); }

// Several choices came with 2025-11-25.
bool is_list_of_strings(std::string_view raw) {
  bool good = json::is_array(raw);
  json::for_each_element(raw, [&](std::string_view one) { good = good && json::is_string(one); });
  return good;
}

bool is_flat(Revision server, std::string_view content) {
  bool good = json::is_object(content);
  json::for_each_member(content, [&](std::string_view, std::string_view value) {
    const bool plain = json::is_string(value) || edit::is_number(value) || value == "true" || value == "false";
    good = good && (plain || (server >= Revision::r2025_11_25 && is_list_of_strings(value)));
  });
  return good;
}

Result<std::string> elicited(Bridge bridge, std::string_view result) {
  const auto action = text_of(result, "action");
  if (action != "accept" && action != "decline" && action != "cancel") return malformed("action");
  const auto content = json::member(result, "content");
  const bool accepted = action == "accept";
  if (accepted && content && !is_flat(bridge.server, *content)) return malformed("content is not flat");
  return edit::members(result, [&](std::string_view key, std::string_view value) -> Put {
    return key == "content" && !accepted ? Put() : Put(value);
  });
}

Result<void> check_block(Revision server, std::string_view block) {
  const auto type = text_of(block, "type");
  if (!type) return malformed("a content block without a type");
  const bool tools = type == "tool_use" || type == "tool_result";
  if (tools && server < Revision::r2025_11_25) return malformed("the server did not offer tools");
  return {};
}

Result<std::string> sampled(Bridge bridge, std::string_view result) {
  const auto role = text_of(result, "role");
  const auto content = json::member(result, "content");
  if (role != "user" && role != "assistant") return malformed("role");
  if (!text_of(result, "model")) return malformed("model");
  if (!content || (!json::is_object(*content) && !json::is_array(*content))) return malformed("content");
  Result<void> good;
  std::string_view only = *content;
  std::size_t blocks = 0;
  json::for_each_element(*content, [&](std::string_view block) {
    ++blocks;
    only = block;
    if (good) good = check_block(bridge.server, block);
  });
  SP_CHECK(std::move(good));
  if (json::is_object(*content)) SP_CHECK(check_block(bridge.server, *content));
  const bool one = json::is_array(*content) && bridge.server < Revision::r2025_11_25;
  if (one && blocks != 1) return malformed("this server takes one block");
  return edit::members(result, [&](std::string_view key, std::string_view value) -> Put {
    return key == "content" && one ? Put(only) : Put(value);
  });
}

// MCP, Roots: file:// alone, in each revision.
Result<std::string> rooted(std::string_view result) {
  const auto roots = json::member(result, "roots");
  if (!roots || !json::is_array(*roots)) return malformed("roots is not an array");
  bool good = true;
  json::for_each_element(*roots, [&](std::string_view root) {
    const auto uri = text_of(root, "uri");
    const auto name = json::member(root, "name");
    good = good && uri && uri->starts_with("file://") && (!name || json::is_string(*name));
  });
  if (!good) return malformed("a root that is no file:// URI");
  return std::string(result);
}

}  // namespace

Result<std::string> shape_answer(Bridge bridge, std::string_view method, std::string_view result) {
  if (!json::is_object(result)) return malformed("the answer is not an object");
  const std::string clean = edit::with_cleaned_meta(result);
  const std::string_view capability = capability_of(method);
  if (capability == "elicitation") return elicited(bridge, clean);
  if (capability == "sampling") return sampled(bridge, clean);
  if (capability == "roots") return rooted(clean);
  return malformed("nobody asked for that");
}

}  // namespace sallyport::mcp
