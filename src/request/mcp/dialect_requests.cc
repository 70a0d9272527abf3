// What a server asks of the client behind a call: elicitation, sampling, roots.
#include <algorithm>

#include "request/mcp/capabilities.h"
#include "request/mcp/dialect.h"
#include "request/mcp/dialect_edit.h"

namespace sallyport::mcp {
namespace {

using edit::text_of;
using Put = std::optional<std::string_view>;

std::unexpected<Error> malformed(std::string what) { return fail(Code::invalid_params, std::move(what)); }
std::unexpected<Error> beyond(std::string what) { return fail(Code::missing_capability, std::move(what)); }

// --- elicitation/create ---

// No javascript:, no file:, nothing that a line of a terminal could hide.
bool is_http(std::string_view url) {
  std::string scheme(url.substr(0, url.find("//")));
  std::ranges::transform(scheme, scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool visible =
      std::ranges::all_of(url, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  return visible && (scheme == "https:" || scheme == "http:") && url.size() > scheme.size() + 2;
}

enum class Field : std::uint8_t { plain, later, nested };

// A form is flat (MCP, Elicitation: requested schema). Titled choices and several choices came with 2025-11-25.
Field field_of(std::string_view schema) {
  const auto type = text_of(schema, "type");
  if (type == "array") {
    const auto items = json::member(schema, "items");
    const bool choice = items && (json::member(*items, "enum") || json::member(*items, "anyOf"));
    return choice && !json::member(*items, "properties") ? Field::later : Field::nested;
  }
  if (type != "string" && type != "number" && type != "integer" && type != "boolean") return Field::nested;
  return json::member(schema, "oneOf") || json::member(schema, "anyOf") ? Field::later : Field::plain;
}

Result<void> check_form(Revision client, std::string_view params) {
  const auto schema = json::member(params, "requestedSchema");
  const auto properties = schema ? json::member(*schema, "properties") : std::nullopt;
  if (!properties || !json::is_object(*properties) || text_of(*schema, "type") != "object") {
    return malformed("requestedSchema is not the schema of an object");
  }
  Field worst = Field::plain;
  json::for_each_member(*properties,
                        [&](std::string_view, std::string_view field) { worst = std::max(worst, field_of(field)); });
  if (worst == Field::nested) return malformed("requestedSchema is not flat");
  if (worst == Field::later && client < Revision::r2025_11_25)
    return beyond("titled or several choices came with 2025-11-25");
  return {};
}

Result<void> check_url(Revision client, std::string_view params) {
  if (client < Revision::r2025_11_25) return beyond("url elicitation came with 2025-11-25");
  const auto url = text_of(params, "url");
  if (!url || !is_http(*url)) return malformed("url is neither http nor https");
  return {};
}

// The client opens an url, and the id ties it to the server's later word that it is done: only in 2025-11-25.
bool keeps_id(Bridge bridge) {
  return bridge.client == Revision::r2025_11_25 && bridge.server == Revision::r2025_11_25;
}

Result<std::string> shape_elicitation(Bridge bridge, const Ask& ask, std::string_view params) {
  const auto message = text_of(params, "message");
  const auto raw_mode = json::member(params, "mode");
  if (!message) return malformed("message is not a string");
  const bool url = raw_mode == R"("url")";
  if (raw_mode && !url && raw_mode != R"("form")") return malformed("an unknown mode");
  SP_CHECK(url ? check_url(bridge.client, params) : check_form(bridge.client, params));
  const std::string said = edit::quoted(ask.asker.empty() ? *message : "[" + std::string(ask.asker) + "] " + *message);
  bool has_id = false;
  std::string out = edit::members(params, [&](std::string_view key, std::string_view value) -> Put {
    if (key == "task" || (key == "mode" && bridge.client < Revision::r2025_11_25)) return std::nullopt;
    if (key == "message" && !ask.asker.empty()) return said;
    if (key != "elicitationId") return value;
    has_id = keeps_id(bridge) && url;
    return has_id ? Put(value) : Put();
  });
  if (url && !has_id && bridge.client == Revision::r2025_11_25) {
    edit::append_member(out, "elicitationId", edit::quoted(ask.elicitation_id));
  }
  return out;
}

// --- sampling/createMessage ---

bool is_of_tools(std::string_view block) {
  const auto type = text_of(block, "type");
  return type == "tool_use" || type == "tool_result";
}

bool any_of_tools(std::string_view content) {
  bool found = json::is_object(content) && is_of_tools(content);
  json::for_each_element(content, [&](std::string_view block) { found = found || is_of_tools(block); });
  return found;
}

std::size_t count(std::string_view array) {
  std::size_t n = 0;
  json::for_each_element(array, [&](std::string_view) { ++n; });
  return n;
}

// Before 2025-11-25 a message has one block.
Result<void> check_message(const Ask& ask, Revision client, std::string_view message) {
  const auto content = json::member(message, "content");
  if (!text_of(message, "role") || !content) return malformed("a message without role or content");
  if (!json::is_object(*content) && !json::is_array(*content)) return malformed("a message's content is no block");
  const bool early = client < Revision::r2025_11_25;
  if (early && json::is_array(*content) && count(*content) != 1)
    return beyond("several blocks in a message came with 2025-11-25");
  if (!any_of_tools(*content)) return {};
  const auto sampling = json::member(ask.client_capabilities, "sampling");
  if (early || !sampling || !json::member(*sampling, "tools")) return beyond("sampling.tools");
  return {};
}

std::string shape_message(Revision client, std::string_view message) {
  std::string block;
  return edit::members(message, [&](std::string_view key, std::string_view value) -> Put {
    if (key != "content" || client >= Revision::r2025_11_25) return value;
    if (json::is_array(value)) json::for_each_element(value, [&](std::string_view only) { value = only; });
    block = edit::shaped_block(client, value).value_or(std::string(value));
    return block;
  });
}

bool wants_context(const Ask& ask, Revision client, std::string_view value) {
  if (client < Revision::r2025_11_25 || value == R"("none")") return true;  // as it came
  const auto sampling = json::member(ask.client_capabilities, "sampling");
  return sampling && json::member(*sampling, "context");
}

Result<std::string> shape_sampling(Bridge bridge, const Ask& ask, std::string_view params) {
  const auto messages = json::member(params, "messages");
  const auto tokens = json::member(params, "maxTokens");
  if (!messages || !json::is_array(*messages)) return malformed("messages is not an array");
  if (!tokens || !edit::is_number(*tokens)) return malformed("maxTokens is not a number");
  const bool tools = json::member(params, "tools") || json::member(params, "toolChoice");
  if (tools && bridge.client < Revision::r2025_11_25) return beyond("tools in sampling came with 2025-11-25");
  Result<void> good;
  json::for_each_element(*messages, [&](std::string_view message) {
    if (good) good = check_message(ask, bridge.client, message);
  });
  SP_CHECK(std::move(good));
  std::string shaped;
  std::string shaped_tools;
  return edit::members(params, [&](std::string_view key, std::string_view value) -> Put {
    if (key == "task" || (key == "includeContext" && !wants_context(ask, bridge.client, value))) return std::nullopt;
    if (key == "tools" && json::is_array(value)) {
      shaped_tools = edit::elements(
          value, [&](std::string_view tool) { return shape_tool(bridge, tool).value_or(std::string(tool)); });
      return shaped_tools;
    }
    if (key != "messages") return value;
    shaped = edit::elements(value, [&](std::string_view message) { return shape_message(bridge.client, message); });
    return shaped;
  });
}

}  // namespace

Result<std::string> shape_request(Bridge bridge, const Ask& ask) {
  const std::string_view capability = capability_of(ask.method);
  if (capability.empty()) return fail(Code::method_not_found, std::string(ask.method));
  if (!ask.params.empty() && !json::is_object(ask.params)) return malformed("params is not an object");
  if (capability == "elicitation" && bridge.client < Revision::r2025_06_18)
    return beyond("elicitation came with 2025-06-18");
  if (!can_answer(ask.client_capabilities, ask.method, ask.params)) return beyond(std::string(capability));
  std::string params = edit::with_cleaned_meta(ask.params);
  if (capability == "elicitation") return shape_elicitation(bridge, ask, params);
  if (capability == "sampling") return shape_sampling(bridge, ask, params);
  return params;
}

}  // namespace sallyport::mcp
