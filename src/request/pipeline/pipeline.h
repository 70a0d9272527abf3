// The way of one request (docs/life-of-a-request.md), for both doors. One a worker, that worker's thread only. It knows
// the order of the stages and nothing else does. Owned by app.
#pragma once

#include "request/pipeline/flow.h"
#include "request/pipeline/subscription.h"
#include "request/pipeline/worker.h"
#include "request/upstream/listing.h"

namespace sallyport {

struct UpstreamAnswer;
struct UpstreamJob;

class Pipeline {
 public:
  explicit Pipeline(Worker& worker) : w_(worker), fleet_(worker.fleet) {}

  // The handler of every HTTP request, on TCP and on the admin socket.
  Task<void> serve(net::ServerExchange& exchange);
  // A REST request that came by no socket: the CLI with no server running. Audited like any other.
  Task<RestAnswer> local(RestRequest request);
  // The answer to a request that never became one (framing, time-out), or whose handler failed. Audited.
  net::Response refuse_broken(net::ServerExchange& exchange, const Error& error);
  // The HTTP status of a JSON-RPC error to a client of 2026-07-28.
  static int modern_status(const Flow& flow, const Error& error);
  // A tool call of REST or CLI: the same way from authorization on. Never throws; the outcome says everything.
  Task<ToolOutcome> execute(ToolCall call);

 private:
  // The stages, in order (pipeline.cc). An error ends the request at the stage that flow.stage names.
  Task<Result<void>> stages(Flow& flow, net::ServerExchange& exchange);
  Task<Result<void>> perform(Flow& flow);
  Task<void> finish(Flow& flow, net::ServerExchange& exchange, Result<void> done);

  // front.cc: what both doors share, before anything is parsed.
  void begin(Flow& flow, net::ServerExchange& exchange);
  Result<void> pass_edge(Flow& flow, net::ServerExchange& exchange);
  Result<void> admit_address(Flow& flow);
  Result<void> identify(Flow& flow, const net::ServerExchange& exchange);
  Result<void> identify_again(Flow& flow, const net::ServerExchange& exchange);
  Task<Result<void>> serve_rest(Flow& flow, net::ServerExchange& exchange);
  Task<Result<void>> ask_rest(Flow& flow, RestRequest request);
  RestRequest rest_request(Flow& flow, const net::ServerExchange& exchange);

  // sessions.cc: the legacy session around a message.
  Task<Result<void>> read_message(Flow& flow, net::ServerExchange& exchange);
  Result<void> bind_session(Flow& flow, const net::ServerExchange& exchange);
  Result<mcp::ClientSessionPtr> new_session(const Flow& flow, std::string_view wanted);
  Task<Result<void>> publish(mcp::ClientSessionPtr session);
  Task<Result<void>> open_session(Flow& flow);
  Task<Result<void>> delete_session(Flow& flow);
  Result<void> set_log_level(Flow& flow);
  void take_notification(Flow& flow);
  void take_response(const Flow& flow);

  // modern.cc: the revision without sessions.
  Result<void> choose_era(Flow& flow, const net::RequestHead& head);
  Result<void> check_param_headers(Flow& flow);
  Task<Result<void>> subscribe(Flow& flow);
  Task<Result<void>> subscribe_to(Flow& flow, Subscription& listener, const std::vector<std::string>& uris);
  UsableUri usable_uri(const Flow& flow, const std::string& uri);

  // streams.cc: the SSE streams of legacy sessions.
  void open_events(Flow& flow);
  Task<void> carry(std::shared_ptr<mcp::EventStream> stream);
  Task<Result<void>> listen(Flow& flow, net::ServerExchange& exchange);

  // sse_door.cc, batch.cc: HTTP+SSE of 2024-11-05, batches of 2025-03-26.
  Task<Result<void>> open_sse(Flow& flow, net::ServerExchange& exchange);
  Task<Result<void>> take_message(Flow& flow);
  Task<void> go_on(std::unique_ptr<Flow> call);
  Task<Result<void>> serve_batch(Flow& flow);
  Task<Result<void>> conclude(Flow& flow);

  // decide.cc, opa.cc (policies on an OPA server): authorization to validation.
  Result<void> authorize(Flow& flow);
  Result<void> authorize_call(Flow& flow);
  Result<void> authorize_server(Flow& flow);
  Result<void> admit_principal(Flow& flow);
  Result<void> validate(Flow& flow);
  Decider& decider_of(Flow& flow);
  Task<void> foresee(Flow& flow, std::function<void()> rehearsal);
  void rehearse(Flow& flow);
  void give_decider(Flow& flow, RestRequest& request);

  // approval.cc: what people must approve first.
  Task<Result<void>> approve(Flow& flow);
  Result<void> withhold(Flow& flow, const Approval& call, bool retried);

  // evidence.cc: audit.
  Task<Result<void>> intent(Flow& flow);
  Task<Result<void>> outcome(Flow& flow, const Result<void>& done);
  Task<Result<void>> keep(Flow& flow);
  void kept(const Flow& flow, const Result<void>& written);
  bool describe_outcome(Flow& flow, const Result<void>& done);

  // upstream_step.cc, lists.cc: the tool server, or ourselves.
  Task<Result<void>> upstream(Flow& flow);
  Task<Result<void>> call_upstream(Flow& flow, std::string params);
  std::shared_ptr<Questions> questions_of(const Flow& flow, Worker& there);
  std::unique_ptr<UpstreamJob> job_of(Flow& flow, Worker& there, std::string params, SteadyTime begun);
  Task<Result<UpstreamAnswer>> call_without_session(Flow& flow, Worker& there, std::unique_ptr<UpstreamJob> job);
  Result<std::string> sealed_round(const Flow& flow, const UpstreamAnswer& answer);
  Result<void> take_answer(Flow& flow, Result<UpstreamAnswer> answer);
  Task<Result<void>> list_tools(Flow& flow);
  Task<Result<void>> list_items(Flow& flow, upstream::ListKind kind, std::string_view member);
  Result<void> guard_response(Flow& flow);

  // reply.cc: what the caller hears.
  Task<void> reply(Flow& flow, net::ServerExchange& exchange, const Result<void>& done);
  std::string rpc_answer(const Flow& flow, const Result<void>& done) const;
  net::Response refusal(const Flow& flow, const Error& error) const;

  [[nodiscard]] Asker asker(const Flow& flow) const;
  Worker& w_;
  Fleet& fleet_;
};

}  // namespace sallyport
