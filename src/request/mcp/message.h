// One JSON-RPC message of a client, read strictly and completely, in an era-neutral form: what the pipeline decides by.
// Views point into the message's own minified text and live as long as it does. One request owns one Message; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "json/document.h"

namespace sallyport::mcp {

enum class Kind : std::uint8_t { request, notification, response };

enum class Method : std::uint8_t {
  initialize, ping, tools_list, tools_call, resources_list, resource_templates_list, resources_read,
  resources_subscribe, resources_unsubscribe, prompts_list, prompts_get, completion_complete, set_level,
  discover, listen, initialized, cancelled, progress, roots_list_changed, unknown
};

// What a request of 2026-07-28 says of itself in `params._meta` (io.modelcontextprotocol/*): every request stands alone.
struct Envelope {
  std::string version;                   // protocolVersion, decoded; empty: absent
  std::string_view client_capabilities;  // raw object; empty: absent
  std::string_view client_info;          // raw object; empty: absent
  std::string log_level;                 // logLevel, decoded; empty: absent
};

// "tools/call" -> Method::tools_call; a name that no revision served here knows -> Method::unknown.
Method method_from_name(std::string_view name) noexcept;

struct Message {
  json::Document document;
  Kind kind = Kind::request;
  Method method = Method::unknown;
  std::string method_name;
  std::string_view id;      // raw token, `"a"` or 7; empty on a notification
  std::string_view params;  // raw object; empty when absent
  std::string name;         // params.name (tools/call, prompts/get), decoded; else empty
  std::string uri;          // params.uri (resources/*), decoded; else empty
  std::string_view arguments;       // params.arguments, raw object; "{}" when absent (MCP 2025-06-18, tools: optional)
  std::optional<json::Value> arguments_value;  // the same, as a value; absent when absent
  std::string_view progress_token;  // params._meta.progressToken, raw; empty when absent
  Envelope envelope;
  std::string_view input_responses;  // a retry (2026-07-28, multi round-trip requests): raw object; empty when absent
  std::string_view request_state;    // a retry: raw string; empty when absent
  std::string_view answer;           // of a response: its `result` or `error`, raw object
  bool answer_is_error = false;
};

// Takes one message. Errors: parse_error; invalid_request (not an object, a batch array, wrong jsonrpc, an id that is
// neither string nor integer, a response with both result and error); invalid_params (params no object, name no string,
// a missing name where the method needs one). `id_out` is set as soon as it could be read, so that the answer carries it.
Result<Message> read_message(std::string_view body, const json::ReadLimits& limits, std::string& id_out);

// Whether a method exists for clients of the sessions (to 2025-11-25), and for those of 2026-07-28 (MCP, Versioning).
bool is_of_era(Method method, bool modern) noexcept;

// `,"_meta":{...}` as the client sent it, or nothing; hop keys are dropped where the upstream's message is made.
std::string passed_meta(const Message& message);
// The params of a request that names a server by prompt, URI or ref, with `target`, the upstream's own name, in its place.
std::string upstream_params(const Message& message, std::string_view target);
// The same without `_meta`, inputResponses and requestState: what a policy decides by, and people approve.
std::string decided_params(const Message& message, std::string_view target);

// Envelopes of our own (design, principle 4): every part is raw minified JSON that passed a reader.
std::string result_envelope(std::string_view id, std::string_view result);
std::string error_envelope(std::string_view id, int code, std::string_view message, std::string_view data = {});
// The raw result of a tools/call that the model is to read and mend (MCP 2025-11-25, tools, error handling).
std::string tool_error(std::string_view text);
std::string raw_error_envelope(std::string_view id, std::string_view error_object);
std::string request_envelope(std::string_view id, std::string_view method, std::string_view params);
std::string notification_envelope(std::string_view method, std::string_view params);

}  // namespace sallyport::mcp
