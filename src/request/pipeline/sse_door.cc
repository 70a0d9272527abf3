// The transport of MCP 2024-11-05, HTTP with SSE: GET /sse is the session, its first event says where to POST, each POST
// is accepted by 202, and its answer is an event of that stream. The address of the POST is a secret of the principal that
// opened the stream: with any other credential it does not exist. When the stream ends, the session does.
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

constexpr unsigned kCallsMax =
    64;  // of one session at a time: no connection waits for them, so that nothing else counts

std::string endpoint_event(const mcp::ClientSession& session) {
  std::string out = "event: endpoint\ndata: /messages";
  if (!session.scope.empty()) out.append("/").append(session.scope);
  return out + "?sessionId=" + session.id + "\n\n";
}

}  // namespace

Task<Result<void>> Pipeline::open_sse(Flow& f, net::ServerExchange& exchange) {
  if (!accepts(exchange.head(), "text/event-stream"))
    co_return fail(Code::not_acceptable, "Accept lacks text/event-stream");
  f.record.action = "listen";
  if (w_.opa && !f.scope.empty()) co_await foresee(f, [&] { (void)w_.authorization.enters(asker(f)); });
  if (!f.scope.empty() && !w_.authorization.enters(asker(f))) {
    co_return fail(Code::not_found, "no such server, or none for this caller");
  }
  SP_CO_CHECK(admit_principal(f));
  SP_CO_TRY(const auto session, new_session(f, revision_name(Revision::r2024_11_05)));
  session->door = mcp::Door::messages;
  session->initialized = false;
  session->log->configure(false, false);
  auto stream = std::make_shared<mcp::EventStream>(w_.executor, exchange);
  stream->keep_in(session->log);
  stream->begin_with(endpoint_event(*session));
  exchange.watch_gone([stream] { stream->close(); });
  (void)session->log->listen(stream, f.principal->expires_at);
  SP_CO_CHECK(co_await publish(session));
  f.record.session = session->evidence_name;
  co_await carry(stream);
  co_await fleet_.on_every_worker([session](Worker& worker) {
    if (auto now = worker.sessions.find(session->id, session->principal->id, session->scope)) worker.end_session(now);
  });
  if (!stream->broken()) (void)co_await exchange.end_stream();
  co_return Result<void>{};
}

// What needs no answer is done before the 202; a request goes on without its connection, which is free for the next.
Task<Result<void>> Pipeline::take_message(Flow& f) {
  f.exchange = nullptr;
  if (f.message->kind != mcp::Kind::request) co_return co_await perform(f);
  if (!f.session->initialized && f.message->method != mcp::Method::initialize &&
      f.message->method != mcp::Method::ping) {
    co_return fail(Code::session_missing, "initialize first");
  }
  if (f.session->initialized && f.message->method == mcp::Method::initialize) {
    co_return fail(Code::invalid_request, "initialized already");
  }
  if (f.session->calls->fetch_add(1) >= kCallsMax) {
    f.session->calls->fetch_sub(1);
    f.say = "Too many requests of this session are still running";
    co_return fail(Code::rate_limited, "calls of an SSE session");
  }
  f.events = std::make_shared<mcp::EventStream>(w_.executor, f.session->log);
  w_.tasks.spawn(go_on(std::make_unique<Flow>(std::move(f))));
  f.handed_on = true;
  f.response = net::Response{.status = 202};
  co_return Result<void>{};
}

Task<void> Pipeline::go_on(std::unique_ptr<Flow> call) {
  co_await asio::this_coro::throw_if_cancelled(false);  // a drain that ends us must not skip the evidence
  Flow& f = *call;
  const auto counted = f.session->calls;
  const Result<void> done = co_await conclude(f);
  co_await f.events->finish(rpc_answer(f, done));
  counted->fetch_sub(1);  // a drain waits for it
}

}  // namespace sallyport
