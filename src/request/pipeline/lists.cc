// Lists: what each server of the scope offers this principal, asked for on the worker where the principal's upstream
// sessions live, filtered by the one decide(), mapped, paged. A server that is down is left out, and named.
#include <algorithm>
#include <functional>

#include "core/slices.h"
#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/dialect.h"
#include "request/mcp/names.h"
#include "request/pipeline/asking.h"
#include "request/pipeline/chosen_target.h"
#include "request/pipeline/offers.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

std::string list_result(std::string_view member, const std::vector<std::string>& page,
                        const std::vector<std::string>& missing, const std::string& next) {
  json::Writer w;
  w.object().key(member).array();
  for (const std::string& item : page) w.raw(item);
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

std::vector<ServerPtr> servers_in_scope(const Flow& f) {
  std::vector<ServerPtr> out;
  for (const auto& [name, server] : f.snapshot->catalogue->servers) {
    if (server->enabled && (f.scope.empty() || f.scope == name)) out.push_back(server);
  }
  return out;
}

std::vector<std::string> note_failures(Worker& w, const Parts& parts) {
  std::vector<std::string> missing;
  for (const auto& [name, part] : parts) {
    if (part.failed.empty()) continue;
    missing.push_back(name);
    w.fleet.log.warning("server left out of a list", {{"server", name}, {"why", part.failed}});
  }
  return missing;
}

// What may be listed: `count` items, shaped when their page is asked for; nothing for one that this client cannot use.
struct Listing {
  std::string_view member;
  std::size_t count = 0;
  std::function<std::optional<std::string>(std::size_t)> shape = {};
};

// The page that the cursor of the request asks for, as the result of the request.
Task<Result<void>> answer_page(Worker& w, Flow& f, const Listing& listing, const std::vector<std::string>& missing) {
  const mcp::Cursors cursors(w.fleet.keys.key(crypto::Purpose::cursors));
  const std::string binding = f.principal->id + '\n' + f.scope + '\n' + std::string(listing.member);
  std::size_t at = 0;
  if (const auto raw = json::member(f.message->params, "cursor")) {
    if (!json::is_string(*raw)) co_return fail(Code::invalid_params, "params.cursor is not a string");
    SP_CO_TRY(const std::string cursor, json::decode_string(*raw));
    SP_CO_TRY(at, cursors.open(binding, cursor));
  }
  Slices slices(w.fleet.clock, w.executor);
  std::vector<std::string> page;
  for (; at < listing.count && page.size() < w.fleet.settings.list_page; ++at) {
    if (slices.over()) co_await slices.next();
    if (auto item = listing.shape(at)) page.push_back(std::move(*item));
  }
  const std::string next = at < listing.count ? cursors.make(binding, at) : "";
  f.record.evidence = std::to_string(listing.count) + " items";
  f.result = list_result(listing.member, page, missing, next);
  if (!is_modern(f.revision)) co_return Result<void>{};
  SP_CO_TRY(f.result, mcp::shape_result({f.revision, kLatestLegacy}, f.message->method, f.result));
  co_return Result<void>{};
}

}  // namespace

namespace {

// What a toolset shows otherwise than it was approved, and that it does.
std::string marked(std::string_view shown, std::string_view scope, const Offer::Entry& of_toolset) {
  const auto& [name, entry] = of_toolset;
  json::Writer mark;
  mark.object().member("toolset", scope.substr(kToolsetScope.size()));
  mark.member("tool", entry.server + "/" + entry.tool).member("renamed", name != entry.tool);
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

// The offers of one server, which are the items of the list from `begin` on.
struct Run {
  std::size_t begin = 0;
  const Part* part = nullptr;  // null: nobody was to be asked
  const std::vector<Offer>* offers = nullptr;
};

std::string_view shown_name(std::string_view scope, const Offer& offer) {
  if (offer.of_toolset != nullptr) return offer.of_toolset->first;
  return scope.empty() ? offer.tool->exposed_name : offer.tool->name;
}

// Does its server list the tool as it was approved?
bool is_as_approved(const Part& part, const ToolRecord& called) {
  if (!part.digests) return false;
  const auto listed = part.digests->find(called.name);
  return listed != part.digests->end() && listed->second == called.digest;
}

// As this client sees it; nothing where it is held back, or where the client's revision has no way to call it.
std::optional<std::string> shown_tool(const Flow& f, const Offer& offer, const Part* part) {
  const ToolRecord& tool = *offer.tool;
  const ToolRecord& called = called_by(*f.snapshot->catalogue, tool);
  if (part != nullptr && !is_as_approved(*part, called)) return std::nullopt;
  const mcp::Bridge bridge{f.revision, part != nullptr ? part->revision : kLatestLegacy};
  const bool over_http = part == nullptr || part->server->transport == Transport::http;
  if (mcp::excludes_tool(bridge, called.header_params.get(), over_http)) return std::nullopt;
  if (&tool != &called && mcp::excludes_tool(bridge, tool.header_params.get(), true)) return std::nullopt;
  auto shaped = mcp::shape_tool(bridge, tool.definition);
  if (!shaped) return std::nullopt;
  std::string shown = mcp::with_string_member(*shaped, "name", shown_name(f.scope, offer));
  return offer.of_toolset != nullptr ? marked(shown, f.scope, *offer.of_toolset) : std::move(shown);
}

// `parts`: what the servers of `offered` answered.
std::vector<Run> runs_of(const Offered& offered, const Parts& parts, std::size_t& count) {
  std::vector<Run> runs;
  for (const auto& of_server : offered.servers) {
    const auto asked = of_server.server ? parts.find(of_server.server->name) : parts.end();
    if (of_server.server && (asked == parts.end() || !asked->second.failed.empty())) continue;
    runs.push_back({count, of_server.server ? &asked->second : nullptr, &of_server.tools});
    count += of_server.tools.size();
  }
  return runs;
}

}  // namespace

Task<Result<void>> Pipeline::list_tools(Flow& f) {
  if (w_.opa) co_await foresee(f, [&] { rehearse_list(w_.authorization, asker(f)); });
  const Asker asking = asker(f);
  Asking servers(w_, f.principal, std::nullopt);
  const OfferedPtr offered =
      co_await offers_to(w_, asking, [&servers](const ServerPtr& server) { servers.ask(server); });
  const Parts parts = co_await servers.answers();
  Listing listing{"tools"};
  const std::vector<Run> runs = runs_of(*offered, parts, listing.count);
  listing.shape = [&](std::size_t i) {
    const Run& run = *std::prev(std::ranges::upper_bound(runs, i, {}, &Run::begin));
    return shown_tool(f, (*run.offers)[i - run.begin], run.part);
  };
  co_return co_await answer_page(w_, f, listing, note_failures(w_, parts));
}

Task<Result<void>> Pipeline::list_items(Flow& f, upstream::ListKind kind, std::string_view member) {
  if (w_.opa) {
    co_await foresee(f, [&] {
      for (const auto& server : servers_in_scope(f)) (void)w_.authorization.server_list(asker(f), server.get());
    });
  }
  Asking servers(w_, f.principal, kind);
  for (const auto& server : servers_in_scope(f)) {
    if (w_.authorization.server_list(asker(f), server.get()).allow) servers.ask(server);
  }
  const Parts parts = co_await servers.answers();
  std::vector<std::pair<const Part*, const upstream::Item*>> items;
  for (const auto& [name, part] : parts) {
    for (const auto& item : part.items) items.emplace_back(&part, &item);
  }
  const Listing listing{member, items.size(), [&](std::size_t i) -> std::optional<std::string> {
                          const auto& [part, item] = items[i];
                          std::string shaped = mcp::shape_item({f.revision, part->revision}, item->raw);
                          return f.scope.empty() ? mcp::expose_item(*part->server, shaped) : std::move(shaped);
                        }};
  co_return co_await answer_page(w_, f, listing, note_failures(w_, parts));
}

}  // namespace sallyport
