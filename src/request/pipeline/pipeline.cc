#include "request/pipeline/pipeline.h"

#include "json/slice.h"
#include "request/pipeline/labels.h"
#include "request/upstream/call.h"

namespace sallyport {

// What every HTTP request meets, on both doors, before anything of it is believed.
Task<Result<void>> Pipeline::stages(Flow& f, net::ServerExchange& exchange) {
  SP_CO_CHECK(pass_edge(f, exchange));      // Host and Origin first: a page that rebinds DNS gets no further
  SP_CO_CHECK(admit_address(f));            // before identity, so that guessing credentials is limited
  if (f.response) co_return Result<void>{};  // a CORS preflight asks nothing of us but the headers (ruling C15)
  SP_CO_CHECK(identify(f, exchange));       // before a byte of the body is parsed
  if (f.principal && f.principal->key) f.principal->key->usage->note(f.now);
  if (f.route != telemetry::Route::mcp_other) co_return co_await serve_rest(f, exchange);
  SP_CO_CHECK(co_await read_message(f, exchange));  // strictly and completely; GET and DELETE have nothing to read
  if (f.door == mcp::Door::sse) co_return co_await open_sse(f, exchange);  // 2024-11-05: the stream is the session
  SP_CO_CHECK(bind_session(f, exchange));   // a session belongs to the principal that opened it
  if (f.batch) co_return co_await serve_batch(f);  // 2025-03-26: each element meets perform() for itself
  if (!f.message) co_return co_await (exchange.head().method == "GET" ? listen(f, exchange) : delete_session(f));
  if (f.door == mcp::Door::messages) co_return co_await take_message(f);  // 202 now, perform() without the connection
  co_return co_await perform(f);
}

// What every call meets, wherever it came from: MCP, REST, CLI.
Task<Result<void>> Pipeline::perform(Flow& f) {
  if (w_.opa) co_await foresee(f, [&] { rehearse(f); });  // so that decide() need not wait for the OPA server
  SP_CO_CHECK(authorize(f));                // the one decide(), before any look-up could tell what exists
  SP_CO_CHECK(admit_principal(f));          // after it: a name that may not be called says nothing by its limit
  SP_CO_CHECK(validate(f));                 // arguments against the schema that was approved
  SP_CO_CHECK(co_await approve(f));  // people, where the policy asks for them: they see arguments that fit
  if (auto labels = labels_due(f, w_); !labels.empty()) {
    SP_CO_CHECK(co_await leave_labels(f, fleet_, std::move(labels)));  // so that no later decision misses them
  }
  SP_CO_CHECK(co_await intent(f));          // evidence before effect
  SP_CO_CHECK(co_await upstream(f));        // the only line that touches a tool server
  co_return guard_response(f);              // before anyone reads what it answered
}

Task<void> Pipeline::serve(net::ServerExchange& exchange) {
  co_await asio::this_coro::throw_if_cancelled(false);  // a drain that ends us must not skip the evidence
  const auto held = std::make_unique<Flow>(w_.snapshot);
  Flow& flow = *held;
  begin(flow, exchange);
  Result<void> done;
  try {
    done = co_await stages(flow, exchange);
  } catch (const std::exception& e) {  // of a library: the request still ends in finish, with its evidence
    done = fail(Code::internal, e.what());
  }
  co_await finish(flow, exchange, std::move(done));
}

// The one end of every request: the outcome stands in the audit before the caller hears it.
Task<void> Pipeline::finish(Flow& flow, net::ServerExchange& exchange, Result<void> done) {
  if (!flow.handed_on) {
    if (auto written = co_await outcome(flow, done); !written) done = fail(std::move(written).error());
  }
  co_await reply(flow, exchange, done);
}

Asker Pipeline::asker(const Flow& flow) const {
  return {*flow.snapshot, *flow.principal,
          flow.channel,   flow.scope,
          flow.address,   flow.session || is_modern(flow.revision) ? revision_name(flow.revision) : std::string_view(),
          flow.now,       flow.opa ? &flow.opa->decider() : nullptr};
}

Task<ToolOutcome> Pipeline::execute(ToolCall call) {
  Flow flow(std::move(call.snapshot));
  flow.started = fleet_.clock.steady();
  flow.now = fleet_.clock.wall();
  flow.channel = call.channel;
  flow.route = telemetry::Route::api;
  flow.principal = std::move(call.principal);
  flow.name_principal();
  flow.address = call.address;
  flow.limit_class = call.limit_class;
  flow.timeout = call.timeout;
  flow.scope = std::move(call.server);
  flow.target = std::move(call.tool);
  flow.record.request_id = call.request_id;
  flow.record.client_ip = call.address;
  flow.record.rpc_method = "tools/call";
  flow.stage = Stage::api;
  Result<void> done;
  if (auto read = json::read(call.arguments, fleet_.settings.json)) {
    flow.arguments = read->text();
    flow.arguments_document = std::move(*read);
    if (flow.arguments.front() == '{') done = co_await perform(flow);
    else done = fail(Code::validation, "arguments is not an object");
  } else {
    done = fail(std::move(read).error());
  }
  if (auto written = co_await outcome(flow, done); !written) done = fail(std::move(written).error());
  ToolOutcome out;
  if (!done) out.error = std::move(done).error();
  out.message = std::move(flow.say);
  out.data = std::move(flow.data);
  out.result = std::move(flow.result);
  out.is_error = flow.result_is_error || json::member(out.result, "isError") == "true";
  out.begun = flow.begun && flow.begun->marked();
  out.took = std::chrono::duration_cast<std::chrono::microseconds>(flow.upstream_took);
  if (flow.verdict) out.headers = rate_headers(*flow.verdict, flow.now);
  co_return out;
}

}  // namespace sallyport
