// The catalogue and the execution of tools over REST and CLI: the same decide(), the same way from authorization on
// (S0-20..S0-22). A tool that the caller may not read is as unknown as one that does not exist.
#include "api/route.h"
#include "engines/schema/schema.h"
#include "json/slice.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kToolIdMin = 3;            // S0-21
constexpr std::int64_t kTimeoutMaxSeconds = 300;  // S0-22

std::string tool_id(const ToolRecord& tool) { return tool.server + "/" + tool.name; }

bool may_read(const Call& call, const ServerRecord& server, const ToolRecord& tool) {
  AccessRequest access{.principal = call.principal()};
  access.channel = call.request.channel;
  access.action = Permission::tool_read;
  access.server = &server;
  access.tool = &tool;
  access.phase = Phase::list;
  access.remote_address = call.request.address;
  access.now = call.request.now;
  return call.request.decider->decide(*call.request.snapshot, access).allow;
}

void write_tool(json::Writer& w, const ToolRecord& tool, bool whole) {
  w.object().member("id", tool_id(tool)).member("server", tool.server).member("name", tool.name);
  w.member("exposed_name", tool.exposed_name).member("title", tool.title).member("description", tool.description);
  w.member("security_level", tool.security_level).member("digest", tool.digest);
  w.member("status", !tool.enabled ? "disabled" : tool.input ? "active" : "schema_unusable");
  if (whole) {
    for (const auto& [key, name] : {std::pair("inputSchema", "input_schema"), std::pair("outputSchema", "output_schema")}) {
      if (const auto schema = json::member(tool.definition, key)) w.member_raw(name, *schema);
    }
    w.key("not_enforced").array();
    if (tool.input) {
      for (const auto& pattern : tool.input->not_enforced()) w.value(pattern);
    }
    w.end_array().key("required").array();
    for (const auto& permission : tool.required) w.value(permission);
    w.end_array();
  }
  w.end_object();
}

// By "server/tool" or by the name that /mcp shows.
ToolPtr find(const Call& call, const std::string& id) {
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  if (const auto slash = id.find('/'); slash != std::string::npos) {
    const auto server = catalogue.tools.find(std::string_view(id).substr(0, slash));
    if (server == catalogue.tools.end()) return nullptr;
    const auto tool = server->second.find(std::string_view(id).substr(slash + 1));
    return tool == server->second.end() ? nullptr : tool->second;
  }
  const auto exposed = catalogue.exposed.find(id);
  return exposed == catalogue.exposed.end() ? nullptr : exposed->second;
}

struct Execution {
  std::string arguments = "{}";
  std::optional<std::chrono::milliseconds> timeout;
};

Result<Execution> read_execution(const Call& call) {
  SP_CHECK(only_fields(call.root(), {"tool_id", "arguments", "timeout"}));
  Execution out;
  if (const auto arguments = call.root().find("arguments"); arguments && !arguments->is_null()) {
    if (!arguments->is_object()) return fail(Code::validation, "arguments must be an object");
    out.arguments = arguments->raw();
  }
  if (call.root().find("timeout")) {
    SP_TRY(const auto seconds, number_field(call.root(), "timeout", 30));
    if (seconds < 1 || seconds > kTimeoutMaxSeconds) return fail(Code::validation, "Timeout must be between 1 and 300 seconds");
    out.timeout = std::chrono::seconds(seconds);
  }
  return out;
}

RestAnswer executed(const Call& call, const std::string& id, ToolOutcome outcome) {
  RestAnswer answer;
  if (outcome.error) {
    answer = refuse(call, *outcome.error, outcome.message, outcome.data);
  } else {
    json::Writer w;
    w.object().member_raw("result", outcome.result.empty() ? "null" : outcome.result);
    w.member("execution_time", static_cast<double>(outcome.took.count()) / 1e6);
    w.member("status", outcome.is_error ? "error" : "success").member("tool_id", id).end_object();
    answer = ok(w);
  }
  answer.headers = std::move(outcome.headers);
  return answer;
}

}  // namespace

Task<RestAnswer> list_tools(Call& call) {
  const auto wanted = query_value(call.request.query, "server");
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  std::vector<std::string> items;
  for (const auto& [server_name, tools] : catalogue.tools) {
    if (wanted && *wanted != server_name) continue;
    const auto server = catalogue.servers.find(server_name);
    if (server == catalogue.servers.end()) continue;
    for (const auto& [name, tool] : tools) {
      if (!may_read(call, *server->second, *tool)) continue;
      json::Writer w;
      write_tool(w, *tool, false);
      items.push_back(w.take());
    }
  }
  co_return list(call, items);
}

Task<RestAnswer> show_tool(Call& call) {
  const ToolPtr tool = find(call, call.parts[0]);
  if (!tool || !may_read(call, *call.request.snapshot->catalogue->servers.find(tool->server)->second, *tool)) {
    co_return refuse(call, {Code::unknown_tool, call.parts[0]});
  }
  json::Writer w;
  write_tool(w, *tool, true);
  co_return ok(w);
}

Task<RestAnswer> execute_tool(Call& call) {
  const std::string id = call.parts[0];
  if (id.size() < kToolIdMin) co_return refuse(call, {Code::validation, "Tool ID must be at least 3 characters"});
  auto execution = read_execution(call);
  if (!execution) co_return refuse(call, execution.error());
  const ToolPtr tool = find(call, id);
  ToolCall todo;
  todo.principal = call.request.principal;
  todo.channel = call.request.channel;
  todo.snapshot = call.request.snapshot;
  todo.tool = tool ? tool->exposed_name : id;  // an unknown name goes the same way, and is refused there
  todo.arguments = std::move(execution->arguments);
  todo.timeout = execution->timeout;
  todo.address = call.request.address;
  todo.request_id = call.request.request_id;
  co_return executed(call, id, co_await call.request.execute(std::move(todo)));
}

}  // namespace sallyport::api
