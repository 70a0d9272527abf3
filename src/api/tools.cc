// The catalogue and the execution of tools over REST and CLI: the same decide(), the same way from authorization on
// (S0-20..S0-22). A tool that the caller may not read is as unknown as one that does not exist.
#include <algorithm>

#include "api/people.h"
#include "api/registry.h"
#include "core/slices.h"
#include "engines/schema/schema.h"
#include "json/slice.h"
#include "model/registration.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kToolIdMin = 3;            // S0-21
constexpr std::int64_t kTimeoutMaxSeconds = 300;  // S0-22

void write_registration(json::Writer& w, const Registration& what, ToolView view) {
  w.member("owner", what.owner);
  w.member("binding", what.endpoint ? "endpoint" : what.bound() ? "upstream_tool" : "none");
  if (view.upstream && !what.bound_server.empty()) w.member("upstream_tool", what.bound_server + "/" + what.bound_tool);
  if (!view.endpoint || !what.endpoint) return;
  w.member("allow_private", what.endpoint->allow_private);
  w.member("endpoint_timeout", what.endpoint->call_timeout.count() / 1000);
  w.key("endpoint_headers").array();  // names only: values may be references to secrets
  for (const auto& [name, value] : what.endpoint->headers) w.value(name);
  w.end_array();
}

// Of every tool, whoever's it is: what S0 and S1 show of one (requirements, sections 7 and 8).
void write_common(json::Writer& w, const ToolRecord& tool, ToolView view) {
  static const Registration kNone{};
  const Registration& what = tool.registration ? *tool.registration : kNone;
  w.member("version", what.version);
  w.key("endpoint");
  if (what.endpoint && view.endpoint) w.value(what.endpoint->url);
  else w.null();
  write_texts(w, "categories", what.categories);
  write_texts(w, "tags", what.tags);
  write_texts(w, "labels", tool.labels);
  w.member("registered_at", iso_time(tool.created_at)).member("created_at", iso_time(tool.created_at));
  w.member("updated_at", iso_time(tool.updated_at));
}

// The one that GET /tools/{name} takes, and that no other tool has.
std::string name_of_s1(const Call& call, const ToolRecord& tool) {
  const auto& exposed = call.request.snapshot->catalogue->exposed;
  const auto found = exposed.find(tool.exposed_name);
  const bool own = found != exposed.end() && found->second->server == tool.server && found->second->name == tool.name;
  return own ? tool.exposed_name : tool.server + "/" + tool.name;
}

void write_schemas(json::Writer& w, const ToolRecord& tool) {
  using Names = std::pair<std::string_view, std::string_view>;
  for (const auto& [key, name] :
       {Names{"inputSchema", "input_schema"}, Names{"inputSchema", "schema"},  // schema: S1's name
        Names{"outputSchema", "output_schema"}}) {
    if (const auto schema = json::member(tool.definition, key)) w.member_raw(name, *schema);
  }
  w.key("not_enforced").array();
  if (tool.input) {
    for (const auto& pattern : tool.input->not_enforced()) w.value(pattern);
  }
  w.end_array();
  write_texts(w, "required", tool.required);
}

}  // namespace

bool by_s1(const Call& call) { return call.request.path.starts_with("/tools"); }

ToolPtr tool_by_id(const Call& call, const std::string& id) {
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  if (const auto slash = id.find('/'); slash != std::string::npos) {
    const auto server = catalogue.tools.find(std::string_view(id).substr(0, slash));
    if (server == catalogue.tools.end()) return nullptr;
    const auto tool = server->second.find(std::string_view(id).substr(slash + 1));
    return tool == server->second.end() ? nullptr : tool->second;
  }
  if (const auto exposed = catalogue.exposed.find(id); exposed != catalogue.exposed.end()) return exposed->second;
  return tool_by_id(call, std::string(kRegistry) + "/" + id);  // one whose name an upstream's tool took later
}

bool may_read(const Call& call, const ToolRecord& tool) {
  const ServerPtr server = server_of(*call.request.snapshot->catalogue, tool.server);
  if (!server && !tool.registration) return false;  // the first registered one is newer than this request's catalogue
  AccessRequest access{.principal = call.principal()};
  access.channel = call.request.channel;
  access.action = Permission::tool_read;
  access.server = server.get();
  access.tool = &tool;
  access.phase = Phase::list;
  access.remote_address = call.request.address;
  access.now = call.request.now;
  return call.request.decider->decide(*call.request.snapshot, access).allow;
}

Task<void> prepare_shown(Call& call, const ToolRecord& tool) {
  co_await prepare(call, [&] {
    (void)may_read(call, tool);
    (void)sees_places(call);
  });
}

bool sees_places(const Call& call) { return permit_action(call, Permission::server_read).has_value(); }

void write_tool(json::Writer& w, const Call& call, const ToolRecord& tool, ToolView view) {
  w.object().member("id", tool.server + "/" + tool.name).member("server", tool.server);
  w.member("name", view.s1 ? name_of_s1(call, tool) : tool.name);
  w.member("exposed_name", tool.exposed_name).member("title", tool.title).member("description", tool.description);
  w.member("security_level", tool.security_level).member("digest", tool.digest);
  w.member("status", !tool.enabled ? "disabled" : tool.input ? "active" : "schema_unusable");
  write_common(w, tool, view);
  if (tool.registration) write_registration(w, *tool.registration, view);
  if (view.schemas) write_schemas(w, tool);
  if (view.similarity) w.member("similarity_score", *view.similarity);
  if (view.use) write_use(w, *tool.usage, "execution_count", "last_executed");  // nobody's change of the tool
  w.end_object();
}

bool is_in(const ToolRecord& tool, std::string_view category) {
  return tool.registration &&
         std::ranges::find(tool.registration->categories, category) != tool.registration->categories.end();
}

Task<std::vector<ToolPtr>> readable_of(const Call& call, std::vector<ToolPtr> tools) {
  std::vector<ToolPtr> out;
  Slices slices(call.api.deps().clock, co_await asio::this_coro::executor);
  for (ToolPtr& tool : tools) {
    if (slices.over()) co_await slices.next();
    if (may_read(call, *tool)) out.push_back(std::move(tool));
  }
  co_return out;
}

Task<RestAnswer> list_of_tools(const Call& call, std::vector<ToolPtr> tools) {
  const bool s1 = by_s1(call);
  if (const auto category = query_value(call.request.query, "category")) {
    std::erase_if(tools, [&](const ToolPtr& tool) { return !is_in(*tool, *category); });
  }
  const ToolView view{.endpoint = sees_places(call), .s1 = s1};
  const ListOf items{tools.size(),
                     [&](json::Writer& w, std::size_t index) { write_tool(w, call, *tools[index], view); }};
  co_return co_await (s1 ? list_as_s1(call, items, "tools") : list(call, items));
}

namespace {

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

// Requirements, section 8: arguments that do not fit are a validation_error, a tool's own error is tool_execution_failed.
RestAnswer executed(const Call& call, const std::string& id, ToolOutcome outcome) {
  RestAnswer answer;
  if (outcome.error) {
    if (outcome.error->code == Code::invalid_arguments) outcome.error->code = Code::validation;
    // In the caller's words: the tool's own name would tell that it is there.
    if (outcome.error->code == Code::unknown_tool) outcome.message = "Unknown tool: " + id;
    answer = refuse(call, *outcome.error, outcome.message, outcome.data);
  } else {
    json::Writer w;
    w.object().member_raw("result", outcome.result.empty() ? "null" : outcome.result);
    w.member("execution_time", static_cast<double>(outcome.took.count()) / 1e6);
    w.member("status", outcome.is_error ? "error" : "success").member("tool_id", id).end_object();
    answer = outcome.is_error ? refuse(call, {Code::tool_execution_failed, id}, {}, w.text()) : ok(w);
  }
  answer.carried_out = outcome.begun;
  answer.headers = std::move(outcome.headers);
  return answer;
}

}  // namespace

Task<RestAnswer> list_tools(Call& call) {
  const auto wanted = query_value(call.request.query, "server");
  std::vector<ToolPtr> tools;
  for (const auto& [server, of_server] : call.request.snapshot->catalogue->tools) {
    if (wanted && *wanted != server) continue;
    for (const auto& [name, tool] : of_server) tools.push_back(tool);
  }
  co_await prepare(call, [&] {
    (void)sees_places(call);
    for (const ToolPtr& tool : tools) (void)may_read(call, *tool);
  });
  co_return co_await list_of_tools(call, co_await readable_of(call, std::move(tools)));
}

Task<RestAnswer> show_tool(Call& call) {
  const ToolPtr tool = tool_by_id(call, call.parts[0]);
  if (tool) co_await prepare_shown(call, *tool);
  if (!tool || !may_read(call, *tool)) co_return refuse(call, {Code::unknown_tool, call.parts[0]});
  json::Writer w;
  const ToolView view{.endpoint = sees_places(call), .s1 = by_s1(call)};
  write_tool(w, call, *tool, view);
  RestAnswer answer = ok(w);
  json::Writer lasting;
  ToolView without_use = view;
  without_use.use = false;
  write_tool(lasting, call, *tool, without_use);
  answer.version = lasting.take();
  co_return answer;
}

Task<RestAnswer> execute_tool(Call& call) {
  const std::string id = call.parts[0];
  if (id.size() < kToolIdMin) co_return refuse(call, {Code::validation, "Tool ID must be at least 3 characters"});
  auto execution = read_execution(call);
  if (!execution) co_return refuse(call, execution.error());
  const ToolPtr tool = tool_by_id(call, id);
  ToolCall todo;
  todo.principal = call.request.principal;
  todo.channel = call.request.channel;
  todo.snapshot = call.request.snapshot;
  if (tool) todo.server = tool->server;
  todo.tool = tool ? tool->name : id;  // an unknown name goes the same way, and is refused there
  todo.arguments = std::move(execution->arguments);
  todo.timeout = execution->timeout;
  todo.address = call.request.address;
  todo.request_id = call.request.request_id;
  co_return executed(call, id, co_await call.request.execute(std::move(todo)));
}

}  // namespace sallyport::api
