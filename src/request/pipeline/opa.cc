// Where an OPA server has the policies (docs/decisions/0011-opa-server.md): it is asked beforehand what the next stage will
// decide by. With embedded policies none of this runs.
#include "model/registration.h"
#include "request/pipeline/chosen_target.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {

void Worker::ask_opa(net::EgressClient& egress, OpaSettings settings) {
  const auto gate = std::make_shared<telemetry::FloodGate>();
  const auto failed = [this, gate](std::string_view why) {
    if (const auto held_back = gate->admit(fleet.clock.steady())) {
      fleet.log.warning("the OPA server gave no decision, so it is no", {{"why", why}, {"held_back", *held_back}});
    }
  };
  opa = std::make_unique<OpaBackEnd>(executor, egress, fleet.clock, std::move(settings), failed);
  DeciderSettings asking = decider_settings();
  asking.memo_entries = 0;
  asking.source = &opa->unprepared;
  decider = Decider(std::move(asking));
}

Decider& Pipeline::decider_of(Flow& f) {
  if (!w_.opa) return w_.decider;
  if (!f.opa) f.opa = std::make_unique<OpaDecider>(w_.opa->client);
  return f.opa->decider();
}

Task<void> Pipeline::foresee(Flow& f, std::function<void()> rehearsal) {
  (void)decider_of(f);
  co_await f.opa->prepare(std::move(rehearsal));
}

// What a list of tools will ask.
void rehearse_list(Authorization& authorization, const Asker& asker) {
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  const ToolsetPtr toolset = toolset_of(catalogue, asker.scope);
  for (const auto& [name, entry] : toolset ? toolset->tools : decltype(toolset->tools){}) {
    const ToolPtr tool = find_tool(catalogue, asker.scope, name);
    if (tool) (void)authorization.lists(asker, *server_of(catalogue, tool->server), *tool);
  }
  for (const auto& [name, tools] : catalogue.tools) {
    const ServerPtr server = server_of(catalogue, name);
    if (toolset || !server || (!asker.scope.empty() && asker.scope != name)) continue;
    for (const auto& [tool_name, tool] : tools) (void)authorization.lists(asker, *server, *tool);
  }
}

// What authorize() will ask.
void Pipeline::rehearse(Flow& f) {
  using mcp::Method;
  if (!f.message) {  // REST, CLI: always a tool call
    (void)w_.authorization.call(asker(f), f.target, f.arguments);
    return;
  }
  if (f.message->kind != mcp::Kind::request) return;
  if (f.message->method == Method::tools_call) {
    (void)w_.authorization.call(asker(f), f.message->name, f.message->arguments);
  } else if (is_of_server(f.message->method)) {
    if (const auto target = chosen_target(f)) {
      (void)w_.authorization.server_call(asker(f), target->server.get(), target->call(f));
    }
  } else if (opens(f.message->method) && !f.scope.empty()) {
    (void)w_.authorization.enters(asker(f));
  }
}

void Pipeline::give_decider(Flow& f, RestRequest& request) {
  request.decider = &decider_of(f);
  if (!w_.opa) return;
  request.prepare = [&f](std::function<void()> rehearsal) { return f.opa->prepare(std::move(rehearsal)); };
  request.ask_policy = [this](std::string package, std::string input) {
    return w_.opa->client.ask(std::move(package), std::move(input));
  };
}

}  // namespace sallyport
