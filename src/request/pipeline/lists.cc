// Lists: what each server of the scope offers this principal, asked for on the worker where the principal's upstream
// sessions live, filtered by the one decide(), mapped, paged. A server that is down is left out, and named.
#include "engines/pin/definition.h"
#include "json/slice.h"
#include "json/writer.h"
#include "model/registration.h"
#include "request/mcp/dialect.h"
#include "request/mcp/names.h"
#include "request/pipeline/pipeline.h"
#include "request/pipeline/upstream_step.h"
#include "request/upstream/listing.h"

namespace sallyport {
namespace {

using Digests = std::map<std::string, std::string, std::less<>>;

struct Part {
  ServerPtr server;
  std::vector<upstream::Item> items;  // resources, prompts
  Digests digests;                    // tools
  Revision revision = kLatestLegacy;  // the server's
  std::string failed;                 // why the server could not be asked
};

struct Question {
  PrincipalPtr principal;
  bool tools = false;
  upstream::ListKind kind = upstream::ListKind::tools;
  SteadyTime deadline;
};

Task<Result<bool>> ask_session(Worker& w, const Question& question, Part& part) {
  SP_CO_TRY(const auto session, co_await w.open_upstream(part.server, question.principal->id));
  part.revision = session->info().revision;
  if (question.tools) {
    SP_CO_TRY(const Digests* digests, co_await listed_by(w, session, question.deadline, false));
    part.digests = *digests;
  } else {
    SP_CO_TRY(part.items, co_await upstream::list_all(*session, question.kind, question.deadline));
  }
  co_return true;
}

Task<void> ask_one(Worker& w, const Question& question, Part& part) {
  if (const auto asked = co_await ask_session(w, question, part); !asked) {
    part.failed = asked.error().detail.empty() ? std::string(info(asked.error().code).name) : asked.error().detail;
  }
}

// All servers at once: one that hangs costs its own time only.
Task<Result<std::vector<Part>>> ask_all(Worker& w, Question question, std::vector<ServerPtr> servers) {
  std::vector<Part> parts(servers.size());
  w.served[question.principal->id][question.principal->session_id] = question.principal;
  TaskGroup asking(w.executor, [&w](const char* what) { w.fleet.log.error("listing failed", {{"what", what}}); });
  for (std::size_t i = 0; i < servers.size(); ++i) {
    parts[i].server = servers[i];
    asking.spawn(ask_one(w, question, parts[i]));
  }
  co_await asking.join();
  co_return parts;
}

std::string list_result(std::string_view member, const std::vector<std::string>& items, std::size_t from, std::size_t page,
                        const std::vector<std::string>& missing, const std::string& next) {
  json::Writer w;
  w.object().key(member).array();
  for (std::size_t i = from; i < std::min(items.size(), from + page); ++i) w.raw(items[i]);
  w.end_array();
  if (!next.empty()) w.member("nextCursor", next);
  if (!missing.empty()) {
    w.key("_meta").object().key("sallyport/unavailable").array();
    for (const auto& server : missing) w.value(server);
    w.end_array().end_object();
  }
  w.end_object();
  return w.take();
}

}  // namespace

namespace {

std::vector<ServerPtr> servers_in_scope(const Flow& f) {
  std::vector<ServerPtr> out;
  for (const auto& [name, server] : f.snapshot->catalogue->servers) {
    if (server->enabled && (f.scope.empty() || f.scope == name)) out.push_back(server);
  }
  return out;
}

Task<Result<std::vector<Part>>> ask_home(Worker& here, const Flow& f, std::vector<ServerPtr> servers,
                                         std::optional<upstream::ListKind> kind) {
  Question question{f.principal, !kind.has_value(), kind.value_or(upstream::ListKind::tools),
                    here.fleet.clock.steady() + here.fleet.settings.list_timeout};
  Worker& home = *here.fleet.workers[here.fleet.home_of(f.principal->id)];
  co_return co_await run_on<std::vector<Part>>(home.executor, ask_all(home, std::move(question), std::move(servers)));
}

std::vector<std::string> note_failures(Worker& w, const std::vector<Part>& parts) {
  std::vector<std::string> missing;
  for (const Part& part : parts) {
    if (part.failed.empty()) continue;
    missing.push_back(part.server->name);
    w.fleet.log.warning("server left out of a list", {{"server", part.server->name}, {"why", part.failed}});
  }
  return missing;
}

// The page that the cursor of the request asks for, as the result of the request.
Result<void> answer_page(Flow& f, const Fleet& fleet, std::string_view member, const std::vector<std::string>& items,
                         const std::vector<std::string>& missing) {
  const mcp::Cursors cursors(fleet.keys.key(crypto::Purpose::cursors));
  const std::string binding = f.principal->id + '\n' + f.scope + '\n' + std::string(member);
  std::size_t from = 0;
  if (const auto raw = json::member(f.message->params, "cursor")) {
    if (!json::is_string(*raw)) return fail(Code::invalid_params, "params.cursor is not a string");
    SP_TRY(const std::string cursor, json::decode_string(*raw));
    SP_TRY(from, cursors.open(binding, cursor));
  }
  const std::size_t page = fleet.settings.list_page;
  const std::string next = from + page < items.size() ? cursors.make(binding, from + page) : "";
  f.record.evidence = std::to_string(items.size()) + " items";
  f.result = list_result(member, items, from, page, missing, next);
  if (!is_modern(f.revision)) return {};
  SP_TRY(f.result, mcp::shape_result({f.revision, kLatestLegacy}, f.message->method, f.result));
  return {};
}

}  // namespace

namespace {

// One tool of a list: a registered one that is bound to an upstream's is shown as itself, while that one is listed.
struct Offer {
  ToolPtr shown;
  ToolPtr called;
  std::string_view name;                    // as the scope shows it
  const Toolset::Entry* of_toolset = nullptr;
};
using Offers = std::map<std::string, std::vector<Offer>, std::less<>>;  // by the server that is asked for what it lists

// The tools of the servers in scope, then the registered ones, as far as the principal may use them.
Offers offers_to(Authorization& authorization, const Asker& asker) {
  Offers out;
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  const auto add = [&](const ToolPtr& tool, std::string_view name, const Toolset::Entry* entry) {
    const bool bound = tool->registration && !tool->registration->bound_server.empty();
    const ToolPtr called =
        bound ? find_tool(catalogue, tool->registration->bound_server, tool->registration->bound_tool) : tool;
    out[called->server].push_back({tool, called, name, entry});
  };
  if (const ToolsetPtr toolset = toolset_of(catalogue, asker.scope)) {
    for (const auto& [name, entry] : toolset->tools) {
      const ToolPtr tool = find_tool(catalogue, asker.scope, name);
      if (tool && authorization.lists(asker, *server_of(catalogue, tool->server), *tool)) add(tool, name, &entry);
    }
    return out;
  }
  for (const auto& [name, tools] : catalogue.tools) {
    const ServerPtr server = server_of(catalogue, name);
    if (!server || !server->enabled || (!asker.scope.empty() && asker.scope != name)) continue;
    for (const auto& [tool_name, tool] : tools) {
      if (!authorization.lists(asker, *server, *tool)) continue;
      if (asker.scope.empty() && find_tool(catalogue, "", tool->exposed_name) != tool) continue;  // a collision
      add(tool, asker.scope.empty() ? tool->exposed_name : tool->name, nullptr);
    }
  }
  return out;
}

// What a toolset shows otherwise than it was approved, and that it does.
std::string marked(std::string_view shown, std::string_view scope, const Offer& offer) {
  const Toolset::Entry& entry = *offer.of_toolset;
  json::Writer mark;
  mark.object().member("toolset", scope.substr(kToolsetScope.size()));
  mark.member("tool", entry.server + "/" + entry.tool).member("renamed", offer.name != entry.tool);
  mark.member("description_replaced", !entry.description.empty()).end_object();
  const auto meta = json::member(shown, "_meta");
  std::string out = mcp::with_member(
      shown, "_meta",
      mcp::with_member(meta && json::is_object(*meta) ? *meta : "{}", "sallyport/toolset", mark.text()));
  if (entry.description.empty()) return out;
  std::string text;
  json::append_string(text, entry.description);
  return mcp::with_member(out, "description", text);
}

// As this client sees it; nothing where its revision has no way to call it.
std::optional<std::string> shown_tool(const Flow& f, const Offer& offer, mcp::Bridge bridge, bool over_http) {
  if (mcp::excludes_tool(bridge, offer.called->header_params.get(), over_http)) return std::nullopt;
  if (offer.shown != offer.called && mcp::excludes_tool(bridge, offer.shown->header_params.get(), true))
    return std::nullopt;
  auto shaped = mcp::shape_tool(bridge, offer.shown->definition);
  if (!shaped) return std::nullopt;
  std::string shown = mcp::with_string_member(*shaped, "name", offer.name);
  return offer.of_toolset ? marked(shown, f.scope, offer) : std::move(shown);
}

}  // namespace

Task<Result<void>> Pipeline::list_tools(Flow& f) {
  const Offers offered = offers_to(w_.authorization, asker(f));
  std::vector<ServerPtr> servers;
  for (const auto& [name, tools] : offered) {
    if (name != kRegistry) servers.push_back(server_of(*f.snapshot->catalogue, name));
  }
  SP_CO_TRY(const auto parts, co_await ask_home(w_, f, std::move(servers), std::nullopt));
  std::vector<std::string> items;
  const auto add = [&](const Offer& offer, mcp::Bridge bridge, bool over_http) {
    if (auto shown = shown_tool(f, offer, bridge, over_http)) items.push_back(std::move(*shown));
  };
  for (const Part& part : parts) {
    for (const Offer& offer : offered.at(part.server->name)) {
      const auto listed = part.digests.find(offer.called->name);
      if (listed == part.digests.end() || listed->second != offer.called->digest)
        continue;  // held back: not what was approved
      add(offer, {f.revision, part.revision}, part.server->transport == Transport::http);
    }
  }
  if (const auto own = offered.find(kRegistry); own != offered.end()) {  // nobody is to be asked
    for (const Offer& offer : own->second) add(offer, {f.revision, kLatestLegacy}, true);
  }
  co_return answer_page(f, fleet_, "tools", items, note_failures(w_, parts));
}

Task<Result<void>> Pipeline::list_items(Flow& f, upstream::ListKind kind, std::string_view member) {
  std::vector<ServerPtr> servers;
  for (const auto& server : servers_in_scope(f)) {
    if (w_.authorization.server(asker(f), server.get()).allow) servers.push_back(server);
  }
  SP_CO_TRY(const auto parts, co_await ask_home(w_, f, std::move(servers), kind));
  std::vector<std::string> items;
  for (const Part& part : parts) {
    for (const auto& item : part.items) {
      const std::string shaped = mcp::shape_item({f.revision, part.revision}, item.raw);
      items.push_back(f.scope.empty() ? mcp::expose_item(*part.server, shaped) : shaped);
    }
  }
  co_return answer_page(f, fleet_, member, items, note_failures(w_, parts));
}

}  // namespace sallyport
