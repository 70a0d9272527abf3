#include "request/authorization/authorization.h"

#include <algorithm>

namespace sallyport {
namespace {

AccessRequest request_of(const Asker& asker) {
  AccessRequest request{.principal = asker.principal};
  request.channel = asker.channel;
  request.remote_address = asker.address;
  request.protocol_version = asker.protocol_version;
  request.now = asker.now;
  return request;
}

}  // namespace

ToolPtr find_tool(const Catalogue& catalogue, std::string_view scope, std::string_view name) {
  ToolPtr found;
  if (scope.empty()) {
    const auto exposed = catalogue.exposed.find(name);
    if (exposed != catalogue.exposed.end()) found = exposed->second;
  } else if (const auto of_server = catalogue.tools.find(scope); of_server != catalogue.tools.end()) {
    const auto tool = of_server->second.find(name);
    if (tool != of_server->second.end()) found = tool->second;
  }
  if (!found || !found->enabled) return nullptr;
  const auto server = catalogue.servers.find(found->server);
  return server != catalogue.servers.end() && server->second->enabled ? found : nullptr;
}

ToolAccess Authorization::call(const Asker& asker, std::string_view name, std::string_view arguments) {
  ToolAccess access;
  access.tool = find_tool(*asker.snapshot.catalogue, asker.scope, name);
  if (access.tool) access.server = asker.snapshot.catalogue->servers.find(access.tool->server)->second;
  AccessRequest request = request_of(asker);
  request.server = access.server.get();
  request.tool = access.tool.get();
  request.arguments_json = arguments;
  access.decision = decider_.decide(asker.snapshot, request);
  if (access.decision.allow && !access.tool) {  // an admin asks for a name that is not there
    access.decision = Decision::denied(Stage::authorization, std::string(kRuleUnknown), "unknown_tool");
  }
  return access;
}

bool Authorization::lists(const Asker& asker, const ServerRecord& server, const ToolRecord& tool) {
  if (!tool.enabled || !server.enabled) return false;
  AccessRequest request = request_of(asker);
  request.server = &server;
  request.tool = &tool;
  request.phase = Phase::list;
  return decider_.decide(asker.snapshot, request).allow;
}

bool Authorization::enters(const Asker& asker) {
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  const auto scope = catalogue.servers.find(asker.scope);
  if (scope == catalogue.servers.end() || !scope->second->enabled) return false;
  if (!is_unknown(server(asker, scope->second.get()))) return true;
  const auto tools = catalogue.tools.find(asker.scope);
  if (tools == catalogue.tools.end()) return false;
  return std::ranges::any_of(tools->second, [&](const auto& tool) { return lists(asker, *scope->second, *tool.second); });
}

Decision Authorization::server(const Asker& asker, const ServerRecord* server) {
  AccessRequest request = request_of(asker);
  request.server = server;
  request.phase = Phase::list;
  Decision decision = decider_.decide(asker.snapshot, request);
  if (decision.allow && server == nullptr) {
    return Decision::denied(Stage::authorization, std::string(kRuleUnknown), "unknown");
  }
  return decision;
}

}  // namespace sallyport
