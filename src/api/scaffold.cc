// A policy to begin with (`policy scaffold`).
#include <algorithm>

#include "api/handlers.h"
#include "api/registry.h"
#include "engines/policy/policy.h"
#include "engines/policy/scaffold.h"

namespace sallyport::api {
namespace {

std::vector<policy::ScaffoldTool> readable_tools(const Call& call, const std::optional<std::string>& wanted) {
  std::vector<policy::ScaffoldTool> out;
  for (const auto& [server, tools] : call.request.snapshot->catalogue->tools) {
    if (wanted && *wanted != server) continue;
    for (const auto& [name, tool] : tools) {
      if (!tool->enabled || !may_read(call, *tool)) continue;
      out.push_back({tool->server, tool->name, tool->title, tool->description, tool->security_level, tool->required,
                     tool->definition});
    }
  }
  return out;
}

}  // namespace

Task<RestAnswer> scaffold_policy(Call& call) {
  const auto wanted = query_value(call.request.query, "server");
  co_await prepare(call, [&] { (void)readable_tools(call, wanted); });
  const auto tools = readable_tools(call, wanted);
  if (tools.empty())
    co_return refuse(call, {Code::not_found, "no approved tool" + (wanted ? " of a server " + *wanted : "")});
  const auto made = policy::scaffold(tools);
  if (!made) co_return refuse(call, {Code::validation, made.error().detail});
  json::Writer w;
  const auto file = [&](std::string_view name, std::string_view text) {
    w.object().member("name", name).member("text", text).end_object();
  };
  w.object().member("tools", static_cast<std::uint64_t>(tools.size())).key("files").array();
  file("tool_access.rego", made->policy);
  file("tool_access_test.rego", made->tests);
  const policy::Modules& shipped = policy::shipped_policies();
  const auto admin =
      std::ranges::find(shipped, "admin_access.rego", [](const auto& m) { return std::string_view(m.first); });
  if (admin != shipped.end()) file(admin->first, admin->second);
  w.end_array().end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
