#include "model/registration.h"

namespace sallyport {

std::string endpoint_name(std::string_view tool) { return std::string(kRegistry).append("/").append(tool); }

ServerPtr server_of(const Catalogue& catalogue, std::string_view name) {
  if (name == kRegistry) return catalogue.registry;
  const auto found = catalogue.servers.find(name);
  return found == catalogue.servers.end() ? nullptr : found->second;
}

ToolPtr upstream_tool(const Catalogue& catalogue, std::string_view server, std::string_view name) {
  return server == kRegistry ? nullptr : tool_of(catalogue, server, name);
}

ToolPtr tool_of(const Catalogue& catalogue, std::string_view server, std::string_view name) {
  const auto tools = catalogue.tools.find(server);
  if (tools == catalogue.tools.end()) return nullptr;
  const auto found = tools->second.find(name);
  return found == tools->second.end() ? nullptr : found->second;
}

}  // namespace sallyport
