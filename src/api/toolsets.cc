// Toolsets: what they offer, as far as the caller may read it; made and changed by whoever holds server:write.
#include <algorithm>

#include "api/registry.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

bool shows(const Call& call, const Toolset::Entry& entry) {
  const ToolPtr tool = tool_of(*call.request.snapshot->catalogue, entry.server, entry.tool);
  return tool ? may_read(call, *tool) : sees_places(call);  // one that is gone is for who could take it out
}

// Nothing where the caller may read none of its tools: then it is not there.
std::optional<std::string> toolset_text(const Call& call, const Toolset& set) {
  json::Writer w;
  w.object().member("name", set.name).member("description", set.description).member("enabled", set.enabled);
  w.member("path", "/mcp/p/" + set.name).key("tools").array();
  bool any = sees_places(call);
  for (const auto& [name, entry] : set.tools) {
    if (!shows(call, entry)) continue;
    any = true;
    w.object().member("name", name).member("tool", entry.server + "/" + entry.tool);
    w.member("renamed", name != entry.tool);
    if (!entry.description.empty()) w.member("description", entry.description);
    if (!tool_of(*call.request.snapshot->catalogue, entry.server, entry.tool)) w.member("missing", true);
    w.end_object();
  }
  w.end_array().end_object();
  return any ? std::optional(w.take()) : std::nullopt;
}

RestAnswer shown(const Call& call, const Toolset& set, int status = 200) {
  auto text = toolset_text(call, set);
  if (!text) return refuse(call, {Code::not_found, "no toolset " + set.name});
  RestAnswer answer;
  answer.status = status;
  answer.body = std::move(*text);
  answer.reason = "toolset=" + set.name;
  return answer;
}

// {"tool": "server/tool", "name"?, "description"?}
Result<void> read_entry(json::Value item, Toolset& into) {
  SP_CHECK(only_fields(item, {"tool", "name", "description"}));
  SP_TRY(const std::string id, text_field(item, "tool"));
  const auto slash = id.find('/');
  if (slash == std::string::npos) return fail(Code::validation, "tools: \"" + id + "\" is not server/tool");
  Toolset::Entry entry{id.substr(0, slash), id.substr(slash + 1), {}};
  SP_TRY(const std::string name, text_field(item, "name", entry.tool));
  SP_TRY(entry.description, text_field(item, "description"));
  if (into.tools.emplace(name, std::move(entry)).second) return {};
  return fail(Code::validation, "tools: two are shown as \"" + name + "\": give one of them another \"name\"");
}

// `set`: as it is; what the body does not name stays.
Result<Toolset> read_toolset(const Call& call, Toolset set) {
  const json::Value body = call.root();
  if (body.find("description")) {
    SP_TRY(set.description, text_field(body, "description"));
  }
  SP_TRY(set.enabled, flag_field(body, "enabled", set.enabled));
  const auto tools = body.find("tools");
  if (!tools) return set;
  set.tools.clear();
  for (const json::Value item : tools->elements()) SP_CHECK(read_entry(item, set));
  return set;
}

Task<RestAnswer> put(Call& call, Toolset before, bool fresh) {
  auto set = read_toolset(call, std::move(before));
  if (!set) co_return refuse(call, set.error());
  auto& control = call.api.deps().control;
  const auto stored = co_await run_for_caller<ToolsetPtr>(call, control.put_toolset(std::move(*set), fresh));
  if (!stored) co_return refuse(call, stored.error());
  co_await prepare(call, [&] { (void)toolset_text(call, **stored); });
  co_return shown(call, **stored, fresh ? 201 : 200);
}

}  // namespace

Task<RestAnswer> list_toolsets(Call& call) {
  const auto& all = call.request.snapshot->catalogue->toolsets;
  co_await prepare(call, [&] {
    for (const auto& [name, set] : all) (void)toolset_text(call, *set);
  });
  std::vector<std::string> items;
  for (const auto& [name, set] : all) {
    if (auto text = toolset_text(call, *set)) items.push_back(std::move(*text));
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> show_toolset(Call& call) {
  const auto& all = call.request.snapshot->catalogue->toolsets;
  const auto found = all.find(call.parts[0]);
  if (found == all.end()) co_return refuse(call, {Code::not_found, "no toolset " + call.parts[0]});
  co_await prepare(call, [&] { (void)toolset_text(call, *found->second); });
  co_return shown(call, *found->second);
}

Task<RestAnswer> add_toolset(Call& call) {
  Toolset fresh;
  auto name = text_field(call.root(), "name");
  if (!name) co_return refuse(call, name.error());
  fresh.name = std::move(*name);
  co_return co_await put(call, std::move(fresh), true);
}

Task<RestAnswer> update_toolset(Call& call) {
  const auto& all = call.request.snapshot->catalogue->toolsets;
  const auto found = all.find(call.parts[0]);
  if (found == all.end()) co_return refuse(call, {Code::not_found, "no toolset " + call.parts[0]});
  co_return co_await put(call, *found->second, false);
}

Task<RestAnswer> remove_toolset(Call& call) {
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<void>(call, control.delete_toolset(call.parts[0]));
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = "toolset=" + call.parts[0];
  co_return answer;
}

}  // namespace sallyport::api
