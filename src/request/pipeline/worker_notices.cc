// What tool servers say unasked, and who hears it: sessions and subscriptions of those who may use the server.
#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"
#include "model/registration.h"
#include "request/mcp/dialect.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/pipeline/chosen_target.h"
#include "request/pipeline/subscription.h"
#include "request/pipeline/worker.h"

namespace sallyport {
namespace {

constexpr std::size_t kNoticeBytesMax = 64U << 10;
constexpr std::string_view kToolsChanged = "notifications/tools/list_changed";
constexpr std::string_view kPromptsChanged = "notifications/prompts/list_changed";
constexpr std::string_view kResourcesChanged = "notifications/resources/list_changed";
constexpr std::string_view kUpdated = "notifications/resources/updated";
constexpr std::chrono::seconds kAcknowledgeWithin{2};

bool wants(const Subscription& listener, std::string_view method) {
  return (listener.tools && method == kToolsChanged) || (listener.prompts && method == kPromptsChanged) ||
         (listener.resources && method == kResourcesChanged);
}

bool loud_enough(const mcp::ClientSession& session, std::string_view params) {
  const auto level = json::member(params, "level");
  const int rank = level && json::is_string(*level) ? mcp::log_level_index(level->substr(1, level->size() - 2)) : 0;
  return rank >= session.log_level.load();
}

// A policy hides parts of what the server says to this principal.
bool hides(const Worker& w, std::string_view server, std::string_view principal) {
  return w.silenced.contains(std::pair(std::string(server), std::string(principal))) ||
         w.silenced.contains(std::pair(std::string(server), std::string()));
}

// The resource that a notice is about.
std::optional<std::string> uri_of(const upstream::Notice& said) {
  const auto raw = json::member(said.params, "uri");
  auto uri = raw && json::is_string(*raw) ? json::decode_string(*raw) : Result<std::string>(std::unexpected(Error{}));
  return uri ? std::optional(*std::move(uri)) : std::nullopt;
}

// Did who hears it ask for it? approved: for this very resource, by a call, which waited for people where a policy asks for them.
enum class Asked : std::uint8_t { no, yes, approved };

Asked asked(const mcp::ClientSession& session, const upstream::Notice& said, const std::optional<std::string>& uri) {
  if (said.method != kUpdated) return Asked::yes;  // a session hears of every change unasked
  const auto of_server = session.watched.find(said.server);
  if (!uri || of_server == session.watched.end()) return Asked::no;
  if (of_server->second.contains(*uri)) return Asked::approved;
  const bool part =
      std::ranges::any_of(of_server->second, [&](const auto& whole) { return mcp::is_part(*uri, whole); });
  return part ? Asked::yes : Asked::no;
}

Asked asked(const Subscription& listener, const upstream::Notice& said, const std::optional<std::string>& uri) {
  const bool one = uri && listener.uris.contains({std::string(said.server), *uri});
  return (said.method == kUpdated ? one : wants(listener, said.method)) ? Asked::yes : Asked::no;
}

// That a resource changed hears who may subscribe to it now; everything else who may list what the server has. Each time: what was
// granted once may be gone.
bool may_hear(Authorization& authorization, const Asker& asker, const ServerRecord& server,
              const std::optional<std::string>& uri, Asked how) {
  if (!uri) return authorization.server_list(asker, &server).allow;
  json::Writer arguments;
  arguments.object().member("uri", *uri).end_object();
  const Decision decision = authorization.server_call(asker, &server, {kSubscribes, arguments.text()});
  const bool approval = decision.obligations && decision.obligations->require_approval;
  return decision.allow && (!approval || how == Asked::approved);
}

}  // namespace

void Worker::withhold_logs(const ServerRecord& server, const std::string& principal) {
  constexpr std::size_t kSilencedMax = 100'000;
  if (silenced.size() < kSilencedMax) silenced.emplace(server.name, principal);
  else silenced.emplace(server.name, std::string());  // one more would not be known by name: nobody hears that server
}

void Worker::notice(const upstream::Notice& said) {
  if (said.method == kToolsChanged) {
    ++tool_changes;
    std::erase_if(listed, [&](const auto& entry) {
      const auto session = entry.second.session.lock();
      return !session || (session->server().name == said.server && session->principal() == said.principal);
    });
  }
  if (said.principal.empty() && said.method == "notifications/message") return;  // whose call it speaks of is unknown
  if (said.method == "notifications/message" && hides(*this, said.server, said.principal)) return;
  if (said.params.size() > kNoticeBytesMax) {  // one server's flood must not break the stream on which all are heard
    fleet.log.warning("notice dropped: too large", {{"server", said.server}, {"method", said.method}});
    return;
  }
  if (opa) {
    return tasks.spawn(pass_on_prepared(
        {std::string(said.server), std::string(said.principal), std::string(said.method), std::string(said.params)}));
  }
  pass_on(said, decider, false);
}

Task<void> Worker::pass_on_prepared(std::array<std::string, 4> owned) {
  const upstream::Notice said{owned[0], owned[1], owned[2], owned[3]};
  OpaDecider by(opa->client);
  co_await by.prepare([&] { pass_on(said, by.decider(), true); });
  pass_on(said, by.decider(), false);
}

// `rehearsal`: only asks who may hear it.
void Worker::pass_on(const upstream::Notice& said, Decider& by, bool rehearsal) {
  const auto server = snapshot->catalogue->servers.find(said.server);
  if (server == snapshot->catalogue->servers.end()) return;
  const auto uri = said.method == kUpdated ? uri_of(said) : std::nullopt;
  const auto concerns = [&](const auto& hearer) {
    if (!said.principal.empty() && hearer.principal->id != said.principal) return false;
    if (!in_scope(*snapshot->catalogue, hearer.scope, said.server)) return false;
    if (toolset_of(*snapshot->catalogue, hearer.scope) && said.method != kToolsChanged)
      return false;  // it has nothing else
    const Asked for_it = asked(hearer, said, uri);  // first: no policy is asked for those who did not
    const Asker asker{*snapshot, *hearer.principal, Channel::mcp, hearer.scope, {}, {}, fleet.clock.wall(), &by, false};
    return for_it != Asked::no && may_hear(authorization, asker, *server->second, uri, for_it);
  };
  for (const auto& session : sessions.all()) {
    if (session->home == index && concerns(*session) && !rehearsal) tell(*session, *server->second, said);
  }
  for (const auto& listener : listeners) {
    if (concerns(*listener) && !rehearsal) tell(*listener, said);
  }
}

void Worker::tell(mcp::ClientSession& session, const ServerRecord& server, const upstream::Notice& said) {
  if (said.method == "notifications/message" && !loud_enough(session, said.params)) return;
  auto params = mcp::shape_notification({session.revision, session.revision}, said.method, said.params);
  if (!params) return;
  if (said.method == kUpdated && hides(*this, said.server, session.principal->id)) {
    *params = R"({"uri":)" + std::string(json::member(*params, "uri").value_or("null")) + "}";
  }
  if (said.method == kUpdated && session.scope.empty()) *params = mcp::expose_item(server, *params);
  session.deliver(mcp::notification_envelope(said.method, *params));
}

void Worker::tell(const Subscription& listener, const upstream::Notice& said) {
  if (said.method != kUpdated) return listener.tell(said.method, {});
  const auto uri = uri_of(said);
  const auto found = uri ? listener.uris.find({std::string(said.server), *uri}) : listener.uris.end();
  if (found == listener.uris.end()) return;
  json::Writer w;
  listener.tell(kUpdated, w.object().member("uri", found->second).end_object().text());
}

// Of a session that principals share: what all of them want.
upstream::Interest Worker::interest_of(std::string_view principal, const ServerRecord& record) const {
  const std::string_view server = record.name;
  const auto concerns = [&](const PrincipalPtr& whose, std::string_view scope) {
    return (record.shared || whose->id == principal) && in_scope(*snapshot->catalogue, scope, server);
  };
  upstream::Interest interest;
  const auto everyone = record.shared ? sessions.all() : std::vector<mcp::ClientSessionPtr>();
  for (const auto& session : record.shared ? std::span(everyone) : sessions.of(principal)) {
    if (session->home != index || !concerns(session->principal, session->scope)) continue;
    interest.tools = interest.prompts = interest.resources = true;  // a session hears of every change unasked
    const auto uris = session->watched.find(server);
    if (uris != session->watched.end()) interest.uris.insert(uris->second.begin(), uris->second.end());
  }
  for (const auto& listener : listeners) {
    if (!concerns(listener->principal, listener->scope)) continue;
    interest.tools = interest.tools || listener->tools;
    interest.prompts = interest.prompts || listener->prompts;
    interest.resources = interest.resources || listener->resources;
    for (const auto& [where, uri] : listener->uris) {
      if (where.first == server) interest.uris.insert(where.second);
    }
  }
  return interest;
}

// One upstream session serves all sessions of a principal: the least strict of those that asked for a level decides.
void Worker::log_level_changed(const mcp::ClientSession& changed) {
  for (const auto& [name, server] : snapshot->catalogue->servers) {
    const auto open = upstreams.find(name, changed.principal->id);
    if (!open || !in_scope(*snapshot->catalogue, changed.scope, name)) continue;
    int level = changed.log_level.load();
    for (const auto& other : sessions.of(changed.principal->id)) {
      const bool here = in_scope(*snapshot->catalogue, other->scope, name);
      if (const int its = other->log_level.load(); here && its >= 0) level = std::min(level, its);
    }
    open->want_log_level(kLogLevels[static_cast<std::size_t>(level)]);
  }
}

Task<Result<upstream::SessionPtr>> Worker::open_upstream(ServerPtr server, std::string principal, SteadyTime deadline) {
  SP_CO_TRY(upstream::SessionPtr session, co_await upstreams.session(server, principal, deadline));
  if (is_modern(session->info().revision) && fleet.home_of(principal) == index) {
    session->watch(interest_of(principal, *server));
  }
  co_return session;
}

Task<Result<bool>> Worker::may_listen(std::string principal) {
  const auto mine = [&](const auto& other) { return other->principal->id == principal; };
  if (std::ranges::count_if(listeners, mine) >= static_cast<std::ptrdiff_t>(kListenersPerPrincipal)) {
    co_return fail(Code::limit, "subscriptions of one principal");
  }
  co_return true;
}

Task<Result<bool>> Worker::begin_listening(std::shared_ptr<Subscription> listener, std::vector<ServerPtr> servers) {
  if (!still_valid(*listener->principal)) {  // who asked may not have heard of it yet
    co_return fail(Code::cancelled, "the principal was revoked");
  }
  SP_CO_CHECK(co_await may_listen(listener->principal->id));
  listeners.push_back(listener);
  served[listener->principal->id][listener->principal->session_id] = listener->principal;
  listener->stream->push(mcp::notification_envelope(
      "notifications/subscriptions/acknowledged",
      mcp::with_member(listener->honoured(), "_meta", R"({"io.modelcontextprotocol/subscriptionId":)" + listener->raw_id + "}")));
  // The stream begins, with the acknowledgement, when the servers listen: what changes from then on is heard. One that
  // does not answer keeps nobody waiting for long.
  auto begun = std::make_shared<SteadyTimer>(executor, kAcknowledgeWithin);
  std::shared_ptr<void> last(nullptr, [begun](void*) { begun->expires_at(SteadyTimer::time_point::min()); });
  for (const auto& server : servers) tasks.spawn(watch_server(server, listener->principal->id, last));
  last.reset();
  co_await begun->async_wait(use_task_ec);
  co_return true;
}

// Opens the session if need be: a server speaks only to those who are connected.
// `last` goes when the server knows what it is listened to for.
Task<void> Worker::watch_server(ServerPtr server, std::string principal, std::shared_ptr<void> last) {
  const auto session = co_await upstreams.session(server, principal);
  if (!session) {
    fleet.log.warning("server cannot be listened to", {{"server", server->name}, {"why", session.error().detail}});
    co_return;
  }
  (*session)->watch(interest_of(principal, *server));
  co_await (*session)->watched(fleet.clock.steady() + kAcknowledgeWithin);
  last.reset();
}

void Worker::end_listening(const std::shared_ptr<Subscription>& listener) {
  if (std::erase(listeners, listener) > 0) watch_anew(listener->principal->id, listener->scope);
}

void Worker::watch_anew(std::string_view principal, std::string_view scope) {
  for (const auto& [name, server] : snapshot->catalogue->servers) {
    const bool here = server->enabled && in_scope(*snapshot->catalogue, scope, name);
    const auto session = here ? upstreams.find(name, principal) : nullptr;
    if (session && is_modern(session->info().revision)) session->watch(interest_of(principal, *server));
  }
}

}  // namespace sallyport
