#include "request/pipeline/offers.h"

#include "core/slices.h"
#include "model/registration.h"

namespace sallyport {
namespace {

using Offers = std::map<std::string, std::vector<Offer>, std::less<>>;  // by the server of the tool that is called
using Begins = std::function<void(const ServerPtr&)>;

class Offering {
 public:
  Offering(const Catalogue& catalogue, const Begins& begins) : catalogue_(catalogue), begins_(begins) {}

  void add(const ToolRecord& tool, const Offer::Entry* of_toolset) {
    const std::string& server = called_by(catalogue_, tool).server;
    const auto [place, first] = offers_.try_emplace(server);
    place->second.push_back({&tool, of_toolset});
    if (first && server != kRegistry) begins_(server_of(catalogue_, server));
  }
  Offers take() { return std::move(offers_); }

 private:
  const Catalogue& catalogue_;
  const Begins& begins_;
  Offers offers_;
};

Task<Offers> decide_toolset(Worker& w, const Asker& asker, const Toolset& toolset, const Begins& begins) {
  Slices slices(w.fleet.clock, w.executor);
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  Offering out(catalogue, begins);
  for (const auto& entry : toolset.tools) {
    if (slices.over()) co_await slices.next();
    const ToolPtr tool = find_tool(catalogue, asker.scope, entry.first);
    if (tool && w.authorization.lists(asker, *server_of(catalogue, tool->server), *tool)) out.add(*tool, &entry);
  }
  co_return out.take();
}

Task<Offers> decide_servers(Worker& w, const Asker& asker, const Begins& begins) {
  Slices slices(w.fleet.clock, w.executor);
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  Offering out(catalogue, begins);
  for (const auto& [name, tools] : catalogue.tools) {
    const ServerPtr server = server_of(catalogue, name);
    if (!server || !server->enabled || (!asker.scope.empty() && asker.scope != name)) continue;
    for (const auto& [tool_name, tool] : tools) {
      if (slices.over()) co_await slices.next();
      if (!w.authorization.lists(asker, *server, *tool)) continue;
      if (asker.scope.empty() && find_tool(catalogue, "", tool->exposed_name) != tool) continue;  // a collision
      out.add(*tool, nullptr);
    }
  }
  co_return out.take();
}

Offered in_order(const Asker& asker, Offers offers) {
  Offered out{asker.snapshot.catalogue, {}};
  const auto move_in = [&](ServerPtr server, std::vector<Offer>& tools) {
    tools.shrink_to_fit();
    out.servers.push_back({std::move(server), std::move(tools)});
  };
  for (auto& [name, tools] : offers) {
    if (name != kRegistry) move_in(server_of(*out.catalogue, name), tools);
  }
  if (const auto own = offers.find(kRegistry); own != offers.end()) move_in(nullptr, own->second);
  return out;
}

}  // namespace

const ToolRecord& called_by(const Catalogue& catalogue, const ToolRecord& tool) {
  if (!tool.registration || tool.registration->bound_server.empty()) return tool;
  const ToolPtr bound = upstream_tool(catalogue, tool.registration->bound_server, tool.registration->bound_tool);
  return bound ? *bound : tool;  // what is bound to nothing is not listed at all
}

Task<OfferedPtr> offers_to(Worker& w, const Asker& asker, const Begins& begins) {
  std::string key = w.authorization.list_key(asker);
  if (OfferedPtr kept = w.kept_lists.find(asker.snapshot, key)) {
    w.metrics.event(telemetry::Event::list_kept);
    for (const auto& of_server : kept->servers) {
      if (of_server.server) begins(of_server.server);
    }
    co_return kept;
  }
  const auto failed = w.decider.counters().failed;
  const ToolsetPtr toolset = toolset_of(*asker.snapshot.catalogue, asker.scope);
  auto offers = co_await (toolset ? decide_toolset(w, asker, *toolset, begins) : decide_servers(w, asker, begins));
  auto offered = std::make_shared<const Offered>(in_order(asker, std::move(offers)));
  if (failed == w.decider.counters().failed) w.kept_lists.keep(asker.snapshot, std::move(key), offered);
  co_return offered;
}

}  // namespace sallyport
