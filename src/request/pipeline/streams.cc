// SSE streams of the legacy era (MCP 2025-03-26 to 2025-11-25, Streamable HTTP): of a POST whose call has something to
// say before its answer, and of a GET, which listens or resumes. What they carry is kept in the session's log; a client
// that goes away cancels nothing.
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {

Task<void> Pipeline::carry(std::shared_ptr<mcp::EventStream> stream) {
  w_.metrics.gauge(telemetry::Gauge::streams, 1);
  co_await stream->pump(mcp::sse_headers(), true, fleet_.settings.keep_alive);
  w_.metrics.gauge(telemetry::Gauge::streams, -1);
}

void Pipeline::open_events(Flow& f) {
  if (f.exchange == nullptr || f.events) return;
  f.events = std::make_shared<mcp::EventStream>(w_.executor, *f.exchange);
  if (f.session) f.events->keep_in(f.session->log);
  f.events->on_first([this, stream = f.events.get()] {  // small enough to need no memory of its own
    w_.tasks.spawn(carry(stream->shared_from_this()));
  });
}

Task<Result<void>> Pipeline::listen(Flow& f, net::ServerExchange& exchange) {
  if (!accepts(exchange.head(), "text/event-stream"))
    co_return fail(Code::not_acceptable, "Accept lacks text/event-stream");
  f.record.action = "listen";
  if (!w_.still_valid(*f.principal)) co_return fail(Code::unauthenticated, "revoked meanwhile");
  auto stream = std::make_shared<mcp::EventStream>(w_.executor, exchange);
  stream->keep_in(f.session->log);
  exchange.watch_gone([stream] { stream->close(); });
  if (const auto last_id = exchange.head().find("Last-Event-ID")) {
    f.record.action = "resume";
    SP_CO_CHECK(admit_principal(f));  // what is kept may be much: asking for it again costs as a call does
    if (!f.session->log->resume(*last_id, stream, f.principal->expires_at)) {
      f.say = "No stream of this session has this event id, or what came after it is no longer kept";
      co_return fail(Code::not_found, "Last-Event-ID");
    }
  } else if (!f.session->log->listen(stream, f.principal->expires_at)) {
    co_return fail(Code::session_unknown, "the session ended while its stream was opened");
  }
  const Worker::Hearing hearing(w_, stream.get(), f.principal);
  co_await carry(stream);
  if (!stream->broken()) (void)co_await exchange.end_stream();
  co_return Result<void>{};
}

}  // namespace sallyport
