// The legacy session around a message (MCP 2025-03-26 to 2025-11-25, Streamable HTTP): reading it, opening, finding and
// ending sessions.
#include <algorithm>
#include <atomic>

#include "core/random.h"
#include "json/slice.h"
#include "request/mcp/dialect.h"
#include "json/writer.h"
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

// Every revision that has sessions, by whatever door.
bool is_served(std::string_view version) {
  const auto revision = revision_from(version);
  return revision && !is_modern(*revision);
}

// What the method must be, and which forms the client takes.
Result<void> check_method(mcp::Door door, const net::RequestHead& head) {
  const bool post = head.method == "POST";
  const bool known = door == mcp::Door::sse        ? head.method == "GET"
                     : door == mcp::Door::messages ? post
                                                   : post || head.method == "GET" || head.method == "DELETE";
  if (!known) return fail(Code::method_not_allowed, std::string(head.method));
  if (!post) return {};
  if (door == mcp::Door::streamable) return check_post(head);
  return is_json(head) ? Result<void>() : fail(Code::unsupported_media, "Content-Type is not application/json");
}

// What the client says of itself at initialize, kept as it came: members that nobody knows yet stay.
Result<void> keep_client(mcp::ClientSession& session, std::string_view params) {
  for (const auto& [name, into] : {std::pair("capabilities", &session.client_capabilities),
                                   std::pair("clientInfo", &session.client_info)}) {
    const auto raw = json::member(params, name);
    if (!raw) continue;
    if (!json::is_object(*raw)) return fail(Code::invalid_params, "params." + std::string(name) + " is not an object");
    if (raw->size() > mcp::kClientTextMax) return fail(Code::invalid_params, "params." + std::string(name) + " is too long");
    *into = *raw;
  }
  return {};
}

// A GET or DELETE: there is no body that could say which era it is of. 2026-07-28 has neither (405).
Result<void> check_bodiless(const net::RequestHead& head) {
  const auto version = head.find("MCP-Protocol-Version");
  if (!version || is_served(*version)) return {};
  if (*version == revision_name(kModern)) return fail(Code::method_not_allowed, "2026-07-28 has POST alone");
  return fail(Code::unsupported_version, "MCP-Protocol-Version");
}

}  // namespace

Task<Result<void>> Pipeline::read_message(Flow& f, net::ServerExchange& exchange) {
  f.enter(Stage::mcp);
  const net::RequestHead& head = exchange.head();
  SP_CO_CHECK(check_method(f.door, head));
  if (head.method != "POST") co_return check_bodiless(head);
  auto body = co_await exchange.read_body();
  if (!body) co_return fail(std::move(body).error());
  SP_CO_CHECK(identify_again(f, exchange));
  f.exchange = &exchange;
  f.record.content_length = body->size();
  if (starts_array(*body)) {
    SP_CO_TRY(f.batch, json::read(*body, fleet_.settings.json));
    const auto version = head.find("MCP-Protocol-Version");
    co_return version && *version != revision_name(Revision::r2025_03_26) ? no_batches() : Result<void>{};
  }
  SP_CO_TRY(f.message, mcp::read_message(*body, fleet_.settings.json, f.rpc_id));
  f.record.rpc_method = f.message->method_name;
  SP_CO_CHECK(choose_era(f, head));
  const bool both = is_modern(f.revision) && f.door != mcp::Door::streamable;
  co_return both ? fail(Code::invalid_request, "HTTP+SSE has no 2026-07-28") : Result<void>{};
}

Result<void> Pipeline::bind_session(Flow& f, const net::ServerExchange& exchange) {
  if (is_modern(f.revision)) return {};  // every request stands alone; a session id is not looked at
  const bool old = f.door == mcp::Door::messages;
  if (!old && f.message && f.message->method == mcp::Method::initialize) return {};
  const net::RequestHead& head = exchange.head();
  const auto id = old ? session_of_query(head.query) : head.find("Mcp-Session-Id");
  if (!id) return fail(Code::session_missing, "initialize first, then send Mcp-Session-Id");
  f.session = w_.sessions.find(*id, f.principal->id, f.scope);
  if (f.session && f.session->door != f.door) f.session.reset();
  // Of another login of the same user: what one login began ends with it, and another must not hold it open.
  if (f.session && f.session->principal->session_id != f.principal->session_id) f.session.reset();
  if (!f.session) return fail(Code::session_unknown, "unknown, ended, or another login's");  // 404 for all three
  f.session->last_used_ns = f.started.time_since_epoch().count();
  f.record.session = f.session->evidence_name;
  f.revision = f.session->revision;
  f.record.protocol_version = f.session->protocol_version;
  const auto version = head.find("MCP-Protocol-Version");
  if (version && f.session->initialized && *version != f.session->protocol_version) {
    return fail(Code::unsupported_version, "MCP-Protocol-Version is not what this session speaks");
  }
  return {};
}

// One that no worker knows yet. What is asked for and known is spoken, else our newest (MCP, Version Negotiation).
Result<mcp::ClientSessionPtr> Pipeline::new_session(const Flow& f, std::string_view wanted) {
  if (!f.session && w_.sessions.count_of(f.principal->id) >= fleet_.settings.sessions_per_principal) {
    return fail(Code::limit, "sessions_per_principal");
  }
  auto session = std::make_shared<mcp::ClientSession>();
  session->revision = is_served(wanted) ? *revision_from(wanted) : kLatestLegacy;
  session->protocol_version = revision_name(session->revision);
  session->scope = f.scope;
  session->principal = f.principal;
  session->home = fleet_.home_of(f.principal->id);
  session->last_used_ns = f.started.time_since_epoch().count();
  session->id = f.session ? f.session->id : random_id(fleet_.random, 16);
  session->evidence_name = fleet_.redactor.short_digest(session->id);
  session->log->configure(true, session->revision >= Revision::r2025_11_25);
  return session;
}

// Known to every worker, or to none: one of them may have heard already that the principal was revoked.
Task<Result<void>> Pipeline::publish(mcp::ClientSessionPtr session) {
  const auto refused = std::make_shared<std::atomic<bool>>(false);
  co_await fleet_.on_every_worker([session, refused](Worker& worker) {
    if (worker.still_valid(*session->principal)) worker.sessions.put(session);
    else *refused = true;
  });
  if (!*refused) co_return Result<void>{};
  co_await fleet_.on_every_worker([session](Worker& worker) { worker.end_session(session); });
  co_return fail(Code::cancelled, "the principal was revoked");
}

Task<Result<void>> Pipeline::open_session(Flow& f) {
  const auto asked = json::member(f.message->params, "protocolVersion");
  if (!asked || !json::is_string(*asked)) co_return fail(Code::invalid_params, "params.protocolVersion is missing");
  auto made = new_session(f, asked->substr(1, asked->size() - 2));
  if (!made) {
    f.say = "This principal has too many open sessions; end one with DELETE";
    co_return fail(std::move(made).error());
  }
  const auto session = std::move(*made);
  SP_CO_CHECK(keep_client(*session, f.message->params));
  if (f.session) {  // HTTP+SSE: it began with its stream, as an object that others read: a new one takes its place
    session->door = f.session->door;
    session->log = f.session->log;
    session->calls = f.session->calls;
  } else {
    f.headers.emplace_back("Mcp-Session-Id", session->id);
  }
  SP_CO_CHECK(co_await publish(session));
  if (session->door == mcp::Door::messages && !session->log->listening()) {  // it ended meanwhile, with its stream
    co_await fleet_.on_every_worker([session](Worker& worker) { worker.end_session(session); });
    co_return fail(Code::session_unknown, "its stream has ended");
  }
  f.record.session = session->evidence_name;
  f.record.protocol_version = session->protocol_version;
  f.result = mcp::initialize_result(session->revision, kOffered, {});
  f.session = session;
  co_return Result<void>{};
}

Task<Result<void>> Pipeline::delete_session(Flow& f) {
  f.record.action = "end_session";
  co_await fleet_.on_every_worker([session = f.session](Worker& worker) { worker.end_session(session); });
  f.response = net::Response{.status = 204};
  co_return Result<void>{};
}

Result<void> Pipeline::set_log_level(Flow& f) {
  const auto raw = json::member(f.message->params, "level");
  const int level = raw && json::is_string(*raw) ? mcp::log_level_index(raw->substr(1, raw->size() - 2)) : -1;
  if (level < 0) return fail(Code::invalid_params, "params.level is not a severity of RFC 5424");
  f.session->log_level = level;
  Worker& home = *fleet_.workers[f.session->home];
  asio::post(home.executor, [&home, session = f.session] { home.log_level_changed(*session); });
  f.result = "{}";
  return {};
}

// The client answers a question of a tool server: it goes to who asked, by way of the session's home.
void Pipeline::take_response(const Flow& f) {
  asio::post(fleet_.workers[f.session->home]->executor,
             [session = f.session, id = std::string(f.message->id),
              answer = mcp::Answer{f.message->answer_is_error, std::string(f.message->answer)}]() mutable {
               session->asks.answer(id, std::move(answer));
             });
}

void Pipeline::take_notification(Flow& f) {
  if (f.message->kind == mcp::Kind::response) return take_response(f);
  // A client of 2026-07-28 cancels by closing the stream: there is no session in which an id would name a call.
  if (f.message->method != mcp::Method::cancelled || !f.session) return;
  const auto id = json::member(f.message->params, "requestId");
  if (!id) return;
  // The call may run on any worker's connection: ask each (cancelling is rare).
  const Worker::CallName name{f.session->id, std::string(*id)};
  for (Worker* worker : fleet_.workers) {
    asio::post(worker->executor, [worker, name] {
      const auto call = worker->in_flight.find(name);
      if (call == worker->in_flight.end()) return;
      Worker& there = *worker->fleet.workers[call->second.worker];
      asio::post(there.executor, [&there, key = call->second.key] { there.cancel(key); });
    });
  }
}

}  // namespace sallyport
