#include "request/authorization/authorization.h"

#include <algorithm>

#include "model/registration.h"

namespace sallyport {
namespace {

AccessRequest request_of(const Asker& asker) {
  AccessRequest request{.principal = asker.principal};
  request.channel = asker.channel;
  request.remote_address = asker.address;
  request.protocol_version = asker.protocol_version;
  request.now = asker.now;
  request.counts = asker.counts;
  return request;
}

}  // namespace

ToolPtr find_tool(const Catalogue& catalogue, std::string_view scope, std::string_view name) {
  ToolPtr found;
  if (scope.empty()) {
    const auto exposed = catalogue.exposed.find(name);
    if (exposed != catalogue.exposed.end()) found = exposed->second;
  } else if (const ToolsetPtr toolset = toolset_of(catalogue, scope)) {
    const auto entry = toolset->tools.find(name);
    if (entry != toolset->tools.end()) found = tool_of(catalogue, entry->second.server, entry->second.tool);
  } else if (const auto of_server = catalogue.tools.find(scope); of_server != catalogue.tools.end()) {
    const auto tool = of_server->second.find(name);
    if (tool != of_server->second.end()) found = tool->second;
  }
  if (!found || !found->enabled) return nullptr;
  const ServerPtr server = server_of(catalogue, found->server);
  return server && server->enabled ? found : nullptr;
}

bool can_be_called(const Catalogue& catalogue, const ToolRecord& tool) {
  if (!tool.registration || tool.registration->endpoint) return true;
  const Registration& bound = *tool.registration;
  return !bound.bound_server.empty() && bound.bound_server != kRegistry &&
         find_tool(catalogue, bound.bound_server, bound.bound_tool) != nullptr;
}

Decision Authorization::decide(const Asker& asker, const AccessRequest& request) {
  return (asker.decider != nullptr ? *asker.decider : decider_).decide(asker.snapshot, request);
}

ToolAccess Authorization::call(const Asker& asker, std::string_view name, std::string_view arguments) {
  ToolAccess access;
  access.tool = find_tool(*asker.snapshot.catalogue, asker.scope, name);
  if (access.tool) access.server = server_of(*asker.snapshot.catalogue, access.tool->server);
  AccessRequest request = request_of(asker);
  request.server = access.server.get();
  request.tool = access.tool.get();
  request.arguments_json = arguments;
  access.decision = decide(asker, request);
  if (access.decision.allow && !access.tool) {  // an admin asks for a name that is not there
    access.decision = Decision::denied(Stage::authorization, std::string(kRuleUnknown), "unknown_tool");
  }
  return access;
}

bool Authorization::lists(const Asker& asker, const ServerRecord& server, const ToolRecord& tool) {
  if (!tool.enabled || !server.enabled || !can_be_called(*asker.snapshot.catalogue, tool)) return false;
  AccessRequest request = request_of(asker);
  request.server = &server;
  request.tool = &tool;
  request.phase = Phase::list;
  return decide(asker, request).allow;
}

std::string Authorization::list_key(const Asker& asker) {
  AccessRequest request = request_of(asker);
  request.phase = Phase::list;
  Decider& decider = asker.decider != nullptr ? *asker.decider : decider_;
  const std::string key = decider.list_key(asker.snapshot, request);
  return key.empty() ? key : std::string(asker.scope).append("\n").append(key);  // no scope has a line break
}

bool Authorization::enters(const Asker& asker) {
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  if (const ToolsetPtr toolset = toolset_of(catalogue, asker.scope)) {
    return std::ranges::any_of(toolset->tools, [&](const auto& entry) {
      const ToolPtr tool = find_tool(catalogue, asker.scope, entry.first);
      return tool && lists(asker, *server_of(catalogue, tool->server), *tool);
    });
  }
  const ServerPtr scope = server_of(catalogue, asker.scope);
  if (!scope || !scope->enabled) return false;
  if (!is_unknown(server_list(asker, scope.get()))) return true;
  const auto tools = catalogue.tools.find(asker.scope);
  if (tools == catalogue.tools.end()) return false;
  return std::ranges::any_of(tools->second, [&](const auto& tool) { return lists(asker, *scope, *tool.second); });
}

Decision Authorization::server_list(const Asker& asker, const ServerRecord* server) {
  AccessRequest request = request_of(asker);
  request.server = server;
  request.phase = Phase::list;
  return decide_server(asker, request);
}

Decision Authorization::server_call(const Asker& asker, const ServerRecord* server, const ServerCall& call) {
  AccessRequest request = request_of(asker);
  request.server = server;
  request.method = call.method;
  request.arguments_json = call.arguments;
  return decide_server(asker, request);
}

Decision Authorization::decide_server(const Asker& asker, const AccessRequest& request) {
  Decision decision = decide(asker, request);
  if (decision.allow && request.server == nullptr) {
    return Decision::denied(Stage::authorization, std::string(kRuleUnknown), "unknown");
  }
  return decision;
}

}  // namespace sallyport
