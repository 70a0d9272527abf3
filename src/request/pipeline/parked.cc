#include "request/pipeline/parked.h"

#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/asks.h"

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kCoalesce{30};  // a server that asks several things asks them at once
constexpr std::chrono::minutes kAnswerKept{1};      // for a retry that is on its way

// The round that is due: the answer, or what the server wants to know.
Task<Result<UpstreamAnswer>> next_round(Worker& w, std::uint64_t key, std::shared_ptr<ParkedCall> call, PrincipalPtr principal) {
  co_await call->settle();
  if (call->finished()) co_return call->take_answer();
  const auto mine = [&](const auto& entry) { return entry.second.principal->id == principal->id; };
  if (std::ranges::count_if(w.parked, mine) >= static_cast<std::ptrdiff_t>(kParkedPerPrincipal)) {
    w.cancel(key);
    co_return fail(Code::limit, "calls of this principal that wait for input");
  }
  w.parked[key] = Worker::Parked{call, principal, w.fleet.clock.steady() + kStateLives};
  UpstreamAnswer answer;
  answer.reply.body = R"({"inputRequests":)" + call->input_requests() + "}";
  answer.reply.input_required = true;
  answer.parked_in = w.request_prefix;
  answer.parked = key;
  co_return answer;
}

}  // namespace

Task<upstream::Reply> ParkedCall::put(std::string method, std::string params) {
  const auto ask = std::make_shared<mcp::PendingAsk>(executor_);
  open_.push_back(Open{"input-" + std::to_string(next_key_++), std::move(method), std::move(params), ask});
  changed_.cancel();
  auto answer = co_await ask->wait();
  std::erase_if(open_, [&](const Open& question) { return question.ask == ask; });
  if (!answer) co_return refuse_question(-32603, "The call ended");
  co_return upstream::Reply{answer->is_error, std::move(answer->body)};
}

Task<void> ParkedCall::before_refusal() {
  const auto refusal = std::make_shared<mcp::PendingAsk>(executor_);
  held_.push_back(refusal);
  changed_.cancel();
  (void)co_await refusal->wait();
  held_.remove(refusal);
}

Task<void> ParkedCall::settle() {
  for (;;) {
    while (!finished() && open_.empty() && held_.empty()) co_await changed_.async_wait(use_task_ec);
    if (finished()) co_return;
    SteadyTimer pause(executor_, kCoalesce);
    co_await pause.async_wait(use_task_ec);
    if (!open_.empty()) co_return;
    for (const auto& refusal : std::exchange(held_, {})) mcp::PendingAsk::answer(refusal, {});
  }
}

std::string ParkedCall::input_requests() const {
  json::Writer w;
  w.object();
  for (const Open& question : open_) {
    w.key(question.key).object().member("method", question.method);
    if (!question.params.empty()) w.member_raw("params", question.params);
    w.end_object();
  }
  return w.end_object().take();
}

void ParkedCall::take(std::string_view responses) {
  if (responses.empty()) return;
  std::erase_if(open_, [&](const Open& question) {
    const auto given = json::member(responses, question.key);
    if (!given || !json::is_object(*given)) return false;
    mcp::PendingAsk::answer(question.ask, {false, std::string(*given)});
    return true;
  });
}

void ParkedCall::finish(Result<UpstreamAnswer> answer) {
  answer_ = std::move(answer);
  changed_.cancel();
}

Task<Result<UpstreamAnswer>> start_parked(Worker& w, std::unique_ptr<UpstreamJob> job, std::shared_ptr<ParkedCall> call) {
  const std::uint64_t key = job->key;
  const PrincipalPtr principal = job->principal;
  call->record = std::move(job->record);
  w.tasks.spawn([](Worker& worker, std::unique_ptr<UpstreamJob> running, std::shared_ptr<ParkedCall> parked, std::uint64_t name) -> Task<void> {
    parked->finish(co_await run_job(worker, std::move(running)));
    const auto waits = worker.parked.find(name);
    if (waits == worker.parked.end()) co_return;
    waits->second.until = std::min(waits->second.until, worker.fleet.clock.steady() + kAnswerKept);
  }(w, std::move(job), call, key));
  co_return co_await next_round(w, key, std::move(call), principal);
}

Task<Result<UpstreamAnswer>> resume_parked(Worker& w, std::uint64_t key, PrincipalPtr principal, std::string responses,
                                           std::shared_ptr<mcp::EventStream> events) {
  const auto found = w.parked.find(key);
  const auto mine = [&](const Principal& whose) {  // another login of the same user may end at another time
    return whose.id == principal->id && whose.session_id == principal->session_id;
  };
  if (found == w.parked.end() || !mine(*found->second.principal)) {
    co_return fail(Code::invalid_params, "requestState: the call is over, or another retry has it");
  }
  const auto call = std::static_pointer_cast<ParkedCall>(found->second.call);
  w.parked.erase(found);  // one retry at a time; the next round puts it back
  if (const auto running = w.running.find(key); running != w.running.end() && running->second.events) {
    running->second.events->attach(std::move(events));
  }
  call->take(responses);
  co_return co_await next_round(w, key, call, std::move(principal));
}

Task<void> record_abandoned(Worker& w, std::shared_ptr<Questions> call) {
  audit::AuditRecord& record = std::static_pointer_cast<ParkedCall>(call)->record;
  record.kind = audit::Kind::event;
  record.time = w.fleet.clock.wall();
  record.result = "cancelled";
  record.reason = "no_retry";
  record.evidence = "the call waited for input, and nobody came with it";
  const auto written = co_await w.evidence.write(record);
  if (!written) w.fleet.log.error("audit record not written", {{"why", written.error().detail}});
}

}  // namespace sallyport
