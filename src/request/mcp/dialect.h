// What a peer of one revision of MCP may see of a peer of another (docs/decisions/0007-eras.md). Raw minified JSON that a
// reader has accepted goes in and comes out; what need not change comes out byte for byte, numbers and unknown members
// with it: nothing passes through a typed model. Pure functions; any thread; linear in the bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/protocol.h"
#include "request/mcp/message.h"

namespace sallyport::mcp_header {
struct Params;
}

namespace sallyport::mcp {

struct Bridge {
  Revision client;
  Revision server;
};

// --- Server to client: results ---

// A complete result of `method`. The content blocks of tools/call and prompts/get, structuredContent and `_meta` become
// what the client's revision knows; items of lists were shaped one by one before (below). A modern client gets resultType,
// our serverInfo and, where they belong, ttlMs and cacheScope: "private" always, since each answer was authorized for one
// principal; ttlMs is 0 but for resources/read, which keeps what a modern server said. Errors: upstream_protocol (no
// object; a modern server's resultType other than "complete").
Result<std::string> shape_result(Bridge bridge, Method method, std::string_view result);

// An x-mcp-header that cannot be obeyed excludes its tool, and no other (MCP 2026-07-28, tools): for modern clients always, for
// all where the server is modern and reached over HTTP, since we are its client. `params` may be null: the schema has none.
bool excludes_tool(Bridge bridge, const mcp_header::Params* params, bool over_http);
// One listed tool; nothing where it must not be listed: it can only run as a task.
std::optional<std::string> shape_tool(Bridge bridge, std::string_view definition);
// One listed resource, template or prompt.
std::string shape_item(Bridge bridge, std::string_view item);

// The params ("" where there are none) of a notification; nothing where it must not pass: what one hop says to the other
// (cancelled, subscriptions/acknowledged), tasks, an elicitation's end but between two peers of 2025-11-25, the unknown.
std::optional<std::string> shape_notification(Bridge bridge, std::string_view method, std::string_view params);

// The error object of a server. -32002 and -32602 change places where the eras differ (resources); -32042 is for
// 2025-11-25 alone; other codes in -32020..-32099 speak of a hop and become -32603. `uri`: of the request, as the client
// named it; empty: none.
std::string shape_error(Bridge bridge, Method method, std::string_view error, std::string_view uri);
// -32021 between two modern peers speaks of what this client declared: the raw `data.requiredCapabilities` object, for the
// same error of ours (MCP 2026-07-28, error codes); nothing for any other error, or where no such object is.
std::optional<std::string> lacking_capabilities(Bridge bridge, std::string_view error);
// -32042 of a 2025-11-25 server for a client that is asked instead (E): the params of each url elicitation it names, as
// that server would send them; empty for any other error.
std::vector<std::string> url_elicitations(std::string_view error);

// --- Server to client: what it asks ---

struct Ask {
  std::string_view method;  // elicitation/create, sampling/createMessage, roots/list
  std::string_view params;  // raw object; empty: none
  std::string_view client_capabilities;  // raw object, as declared and after policy (forwarded_capabilities)
  std::string_view elicitation_id;  // for an url elicitation to 2025-11-25 of a server that gave no id
  std::string_view asker;  // shown before an elicitation's message: who asks; empty: not shown
};

// The params for the client (legacy: of a request; modern: of an entry in inputRequests). Errors: method_not_found;
// missing_capability (the client's revision or its declaration lacks what is asked); invalid_params (malformed, a nested
// form, an url that is not http or https).
Result<std::string> shape_request(Bridge bridge, const Ask& ask);

// The client's result for that request, towards the server. Errors: invalid_params: an unknown action, content that is
// not flat, no model, roots that are not file:// URIs. Content beside "decline" or "cancel" is dropped.
Result<std::string> shape_answer(Bridge bridge, std::string_view method, std::string_view result);

// --- Of our own ---

// InitializeResult and DiscoverResult. `capabilities`: raw object of all we offer; each revision sees what it knows, never
// extensions, tasks or experimental. `instructions` may be empty.
std::string initialize_result(Revision client, std::string_view capabilities, std::string_view instructions);
std::string discover_result(std::string_view capabilities, std::string_view instructions);
// InputRequiredResult: raw object of requests by key, raw string of state; one of the two may be empty.
std::string input_required_result(std::string_view input_requests, std::string_view request_state);

}  // namespace sallyport::mcp
