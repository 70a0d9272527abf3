// The legacy session around a message (MCP 2025-06-18 and 2025-11-25, Streamable HTTP): reading it, opening, finding and
// ending sessions, the GET stream.
#include <algorithm>

#include "core/random.h"
#include "json/slice.h"
#include "request/mcp/dialect.h"
#include "json/writer.h"
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

constexpr std::array<std::string_view, 3> kVersions{"2025-11-25", "2025-06-18", "2025-03-26"};  // newest first

bool is_served(std::string_view version) { return std::ranges::find(kVersions, version) != kVersions.end(); }

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
  if (head.method == "GET" || head.method == "DELETE") co_return check_bodiless(head);
  if (head.method != "POST") co_return fail(Code::method_not_allowed, std::string(head.method));
  SP_CO_CHECK(check_post(head));
  auto body = co_await exchange.read_body();
  if (!body) co_return fail(std::move(body).error());
  SP_CO_CHECK(identify_again(f, exchange));
  SP_CO_TRY(f.message, mcp::read_message(*body, fleet_.settings.json, f.rpc_id));
  f.record.rpc_method = f.message->method_name;
  f.record.content_length = body->size();
  f.exchange = &exchange;
  co_return choose_era(f, head);
}

Result<void> Pipeline::bind_session(Flow& f, const net::ServerExchange& exchange) {
  if (is_modern(f.revision)) return {};  // every request stands alone; a session id is not looked at
  if (f.message && f.message->method == mcp::Method::initialize) return {};
  const auto id = exchange.head().find("Mcp-Session-Id");
  if (!id) return fail(Code::session_missing, "initialize first, then send Mcp-Session-Id");
  f.session = w_.sessions.find(*id, f.principal->id, f.scope);
  if (!f.session) return fail(Code::session_unknown, "unknown, ended, or another principal's");  // 404 for all three
  f.session->last_used_ns = f.started.time_since_epoch().count();
  f.record.session = f.session->evidence_name;
  f.revision = f.session->revision;
  f.record.protocol_version = f.session->protocol_version;
  return {};
}

Task<Result<void>> Pipeline::open_session(Flow& f) {
  if (w_.sessions.count_of(f.principal->id) >= fleet_.settings.sessions_per_principal) {
    f.say = "This principal has too many open sessions; end one with DELETE";
    co_return fail(Code::limit, "sessions_per_principal");
  }
  const auto asked = json::member(f.message->params, "protocolVersion");
  if (!asked || !json::is_string(*asked)) co_return fail(Code::invalid_params, "params.protocolVersion is missing");
  const std::string_view wanted = asked->substr(1, asked->size() - 2);
  auto session = std::make_shared<mcp::ClientSession>();
  session->id = random_id(fleet_.random, 16);
  session->scope = f.scope;
  session->protocol_version = is_served(wanted) ? wanted : kVersions.front();
  session->revision = revision_from(session->protocol_version).value_or(kLatestLegacy);
  session->log->configure(true, session->revision >= Revision::r2025_11_25);
  SP_CO_CHECK(keep_client(*session, f.message->params));
  session->principal = f.principal;
  session->home = fleet_.home_of(f.principal->id);
  session->last_used_ns = f.started.time_since_epoch().count();
  session->evidence_name = fleet_.redactor.short_digest(session->id);
  co_await fleet_.on_every_worker([session](Worker& worker) { worker.sessions.put(session); });
  f.headers.emplace_back("Mcp-Session-Id", session->id);
  f.record.session = session->evidence_name;
  f.record.protocol_version = session->protocol_version;
  f.result = mcp::initialize_result(session->revision, kOffered, {});
  f.session = std::move(session);
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
