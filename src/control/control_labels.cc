// The control plane's part for labels of servers and tools: what an operator says of them.
#include <algorithm>

#include "control/control_plane.h"
#include "model/label.h"

namespace sallyport::control {

Task<Result<ServerPtr>> ControlPlane::label_server(std::string name, std::vector<std::string> labels) {
  SP_CO_CHECK(check_labels(labels));
  const auto found = servers_.find(name);
  if (found == servers_.end()) co_return fail(Code::not_found, "no server " + name);
  ServerRecord server = *found->second;
  server.labels = std::move(labels);
  SP_CO_CHECK(deps_.repository.put_server(server));
  found->second = std::make_shared<const ServerRecord>(std::move(server));
  const ServerPtr made = found->second;
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return made;
}

Task<Result<ToolPtr>> ControlPlane::label_tool(std::string server, std::string name, std::vector<std::string> labels) {
  SP_CO_CHECK(check_labels(labels));
  const auto all = tools_.find(server);
  if (all == tools_.end()) co_return fail(Code::not_found, "no tool " + server + "/" + name);
  std::vector<ToolRecord> tools = all->second;
  const auto tool = std::ranges::find(tools, name, &ToolRecord::name);
  if (tool == tools.end()) co_return fail(Code::not_found, "no tool " + server + "/" + name);
  tool->labels = std::move(labels);
  SP_CO_CHECK(tool->registration ? deps_.repository.put_registered_tool(*tool)
                                 : deps_.repository.replace_tools(server, tools));
  all->second = std::move(tools);
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  ToolPtr made = next.catalogue->tools.at(server).at(name);
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return made;
}

}  // namespace sallyport::control
