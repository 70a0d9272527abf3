// A REST request after the front half of the pipeline has read and identified it, and its answer: what passes between the
// HTTP door, the admin socket or the CLI on one side and the route table of api/ on the other. Plain values.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "core/task.h"
#include "model/principal.h"
#include "model/server.h"
#include "model/snapshot.h"

namespace sallyport {

class Decider;  // engines/decide
namespace policy {
struct PolicyAnswer;  // engines/policy
}
struct ToolCall;
struct ToolOutcome;

struct RestRequest {
  std::string method;
  std::string path;   // as routed: no query
  std::string query;  // raw
  std::string body;
  std::string content_type;
  std::string if_none_match, if_match;  // RFC 9110 13.1; empty: absent
  std::optional<std::string> idempotency_key;  // of a POST (draft-ietf-httpapi-idempotency-key-header)
  PrincipalPtr principal;  // null on a public route
  Channel channel = Channel::rest;
  SnapshotPtr snapshot;
  std::string address;
  std::string user_agent;
  std::string request_id;
  WallTime now{};
  // Of the worker that handles it.
  Decider* decider = nullptr;
  // Where an OPA server has the policies, null else. `prepare` asks it beforehand what the rehearsal decides (by `decider`,
  // its answers counting for nothing); what was not prepared is denied. `ask_policy` puts one input to a package.
  std::function<Task<void>(std::function<void()> rehearsal)> prepare;
  std::function<Task<Result<policy::PolicyAnswer>>(std::string package, std::string input)> ask_policy;
  std::function<Task<ToolOutcome>(ToolCall)> execute;
};

struct RestAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string version;  // what the ETag is made of, where not the whole body: parts change that nobody writes
  bool carried_out =
      false;  // of a refusal: something was done all the same, so a repeated request must not do it again
  // For the audit of the request.
  std::string event_type;
  std::string action;
  std::string reason;
};

// What the door must know of a route before it reads the body.
struct RestRoute {
  bool known = false;
  bool is_public = false;           // no identity asked (health, login, documentation)
  std::string_view limit_class = "read";
  bool is_list = false;  // made of all there is, page by page
};

// One tool call that did not come over MCP: REST execute, CLI. It takes the same way from authorization on.
struct ToolCall {
  PrincipalPtr principal;
  Channel channel = Channel::rest;
  SnapshotPtr snapshot;
  std::string server;  // empty: `tool` is a name as /mcp shows it
  std::string tool;  // as the server calls it, or as /mcp shows it
  std::string arguments;  // JSON object text, unread yet
  std::optional<std::chrono::milliseconds> timeout;
  std::string address;
  std::string request_id;
  std::string limit_class = "execute";
};

struct ToolOutcome {
  std::optional<Error> error;
  bool begun = false;  // the tool was asked, so it may have done its work, whatever came of it
  std::string message;  // public sentence beside the error's own text; may be empty
  std::string data;     // raw JSON: path of a fault, seconds to wait
  std::string result;   // raw result object of tools/call
  bool is_error = false;  // the tool says so (isError), or the server answered a JSON-RPC error
  std::chrono::microseconds took{0};
  std::vector<std::pair<std::string, std::string>> headers;  // X-RateLimit-*
};

}  // namespace sallyport
