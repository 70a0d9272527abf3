// Tools that are registered here (S1-15, S1-19): made, changed, removed.
#include "api/registry.h"
#include "api/standing.h"

#include <algorithm>

#include "model/registration.h"

namespace sallyport::api {
namespace {

// Where the endpoint is: a place that the gateway would talk to, as a server's is, so it asks for the same permission.
Result<control::ToolBinding> read_endpoint(const Call& call, std::string url) {
  const json::Value body = call.root();
  const ServerRecord& defaults = call.api.deps().server_defaults;
  auto endpoint = std::make_shared<ServerRecord>();
  endpoint->transport = Transport::http;
  endpoint->url = std::move(url);
  SP_TRY(endpoint->headers, map_field(body, "endpoint_headers"));
  SP_TRY(endpoint->allow_private, flag_field(body, "allow_private", defaults.allow_private));
  SP_TRY(const auto seconds, number_field(body, "endpoint_timeout", defaults.call_timeout.count() / 1000));
  endpoint->call_timeout = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 100'000));
  return control::ToolBinding{"", "", std::move(endpoint)};
}

Result<control::ToolBinding> read_upstream(const Call& call, const std::string& id) {
  const ToolPtr tool = tool_by_id(call, id);
  if (!tool || tool->registration || !may_read(call, *tool)) {
    return fail(Code::validation, "upstream_tool: there is no tool " + id + " of a server that you may read");
  }
  return control::ToolBinding{tool->server, tool->name, nullptr};
}

Result<std::optional<control::ToolBinding>> read_binding(const Call& call) {
  const json::Value body = call.root();
  if (!body.find("endpoint") && !body.find("upstream_tool")) {
    for (const char* name : {"endpoint_headers", "allow_private", "endpoint_timeout"}) {
      if (body.find(name)) return fail(Code::validation, std::string(name) + " goes with endpoint");
    }
    return std::nullopt;
  }
  SP_TRY(std::string url, text_field(body, "endpoint"));
  SP_TRY(const std::string id, text_field(body, "upstream_tool"));
  if (!url.empty() && !id.empty()) return fail(Code::validation, "give either endpoint or upstream_tool");
  if (!url.empty()) return read_endpoint(call, std::move(url));
  if (!id.empty()) return read_upstream(call, id);
  return control::ToolBinding{};  // null: bound to nothing
}

Result<void> read_texts(json::Value body, control::ToolChange& change) {
  using Texts = std::pair<const char*, std::optional<std::string>*>;
  for (const auto& [name, to] :
       {Texts{"version", &change.version}, Texts{"title", &change.title}, Texts{"description", &change.description}}) {
    if (!body.find(name)) continue;
    SP_TRY(*to, text_field(body, name));
  }
  using Lists = std::pair<const char*, std::optional<std::vector<std::string>>*>;
  for (const auto& [name, to] :
       {Lists{"categories", &change.categories}, Lists{"tags", &change.tags}, Lists{"labels", &change.labels}}) {
    if (!body.find(name)) continue;
    SP_TRY(*to, texts_field(body, name));
  }
  return {};
}

Result<control::ToolChange> read_tool(const Call& call) {
  const json::Value body = call.root();
  control::ToolChange change;
  SP_CHECK(read_texts(body, change));
  if (const auto schema = body.find("schema"); schema && schema->is_object()) change.schema = schema->raw();
  if (const auto level = body.find("security_level"); level && !level->is_null()) {
    SP_TRY(const auto number, number_field(body, "security_level", 1));
    change.security_level = number < 0 || number > 10 ? -1 : static_cast<int>(number);
  }
  if (const auto status = body.string_at("status")) change.enabled = *status == "active";
  SP_TRY(change.binding, read_binding(call));
  return change;
}

// Nothing where this caller may change that through this door. An endpoint's level is kept like the endpoint: else the right
// to change texts would open what is for administrators.
std::optional<RestAnswer> may_change(const Call& call, const control::ToolChange& change, const ToolPtr& before) {
  const bool binds = change.binding && change.binding->endpoint;
  const bool lowers = before && before->registration && before->registration->endpoint &&
                      change.security_level.value_or(before->security_level) < before->security_level;
  if (!binds && !lowers && !change.labels) return std::nullopt;
  if (auto may = permit_action(call, Permission::server_write); !may) {
    return refuse(call, may.error(),
                  binds    ? "Binding a tool to an endpoint needs server:write"
                  : lowers ? "Lowering the security level of a tool with an endpoint needs server:write"
                           : "Labels of a tool need server:write");
  }
  return binds ? may_add(call, *change.binding->endpoint) : std::nullopt;
}

// What a change is decided by, beside its route.
Task<void> prepare_change(Call& call) {
  co_await prepare(call, [&] {
    (void)permit_action(call, Permission::server_write);
    const auto bound = call.root().string_at("upstream_tool");
    const ToolPtr tool = bound ? tool_by_id(call, std::string(*bound)) : nullptr;
    if (tool) (void)may_read(call, *tool);
  });
}

Task<RestAnswer> shown(Call& call, Result<ToolPtr> tool, int status) {
  if (!tool)
    co_return refuse(
        call, tool.error().code == Code::not_found ? Error{Code::unknown_tool, tool.error().detail} : tool.error());
  co_await prepare_shown(call, **tool);
  const bool reads = may_read(call, **tool);  // tool:create and tool:update alone show nothing that was there before
  json::Writer w;
  write_tool(w, call, **tool, {.schemas = reads, .upstream = reads, .endpoint = sees_places(call), .use = reads});
  co_return ok(w, status);
}

// The path names it by "registry/name" or by the name alone.
std::string registered_name(const Call& call) {
  const std::string& id = call.parts[0];
  const std::string prefix = std::string(kRegistry) + "/";
  return id.starts_with(prefix) ? id.substr(prefix.size()) : id;
}

}  // namespace

Task<RestAnswer> register_tool(Call& call) {
  co_await prepare_change(call);
  auto change = read_tool(call);
  if (!change) co_return refuse(call, change.error());
  if (auto refused = may_change(call, *change, nullptr)) co_return std::move(*refused);
  std::string name(call.root().string_at("name").value_or(""));
  auto& control = call.api.deps().control;
  auto made = co_await run_for_caller<ToolPtr>(
      call, control.register_tool(std::move(name), call.principal().id, std::move(*change)));
  co_return co_await shown(call, std::move(made), 201);
}

Task<RestAnswer> update_tool(Call& call) {
  const std::string name = registered_name(call);
  if (call.root().string_at("name").value_or(name) != name) {
    co_return refuse(call, {Code::validation, "a tool keeps its name: register another one"});
  }
  co_await prepare_change(call);
  auto change = read_tool(call);
  if (!change) co_return refuse(call, change.error());
  const ToolPtr before = tool_by_id(call, std::string(kRegistry) + "/" + name);
  if (auto refused = may_change(call, *change, before)) co_return std::move(*refused);
  auto& control = call.api.deps().control;
  auto changed = co_await run_for_caller<ToolPtr>(call, control.update_tool(name, std::move(*change)));
  co_return co_await shown(call, std::move(changed), 200);
}

Task<RestAnswer> remove_tool(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_for_caller<void>(call, control.unregister_tool(registered_name(call)));
  if (!done && done.error().code == Code::not_found) co_return refuse(call, {Code::unknown_tool, done.error().detail});
  if (!done) co_return refuse(call, done.error());
  co_return no_content();
}

}  // namespace sallyport::api
