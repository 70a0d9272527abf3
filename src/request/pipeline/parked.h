// A call for a client of 2026-07-28 to a tool server of an earlier revision: the server asks in the middle of the call, the
// client hears `input_required`, and the call waits here for the retry (mcp-spec.md section 9, E). It lives on the worker that
// runs it, under the call's key; the sealed requestState leads back to it. Bounded in time by the call's own limit and in
// number a principal; a retry finds it once. Internal to the pipeline.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "request/pipeline/questions.h"
#include "request/pipeline/upstream_step.h"

namespace sallyport {

inline constexpr std::size_t kParkedPerPrincipal = 16;
inline constexpr std::chrono::minutes kStateLives{10};  // of a requestState, and of the call that waits for it

class ParkedCall final : public Questions {
 public:
  ParkedCall(Executor executor, std::string capabilities, ServerPtr server, std::string call)
      : Questions(kModern, std::move(capabilities), std::move(server), std::move(call)),
        executor_(executor),
        changed_(executor, SteadyTimer::time_point::max()) {}

  // Until the call has ended, or the server waits for answers that the client can give; questions that come close together are one round.
  Task<void> settle();
  // Raw object: key -> request, of all that wait.
  [[nodiscard]] std::string input_requests() const;
  // Hands `responses` (raw object by key) to those who asked; unknown keys are passed over.
  void take(std::string_view responses);
  void finish(Result<UpstreamAnswer> answer);
  audit::AuditRecord record;  // of the request that began it
  [[nodiscard]] bool finished() const noexcept { return answer_.has_value(); }
  Result<UpstreamAnswer> take_answer() { return std::move(*answer_); }

 private:
  struct Open {
    std::string key, method, params;
    mcp::PendingAskPtr ask;
  };
  Task<upstream::Reply> put(std::string method, std::string params) override;
  // A server that asks several things at once gives up at the first refusal: it waits until the others are answered.
  Task<void> before_refusal() override;

  Executor executor_;
  SteadyTimer changed_;
  std::list<Open> open_;
  std::list<mcp::PendingAskPtr> held_;  // refusals
  std::uint64_t next_key_ = 1;
  std::optional<Result<UpstreamAnswer>> answer_;
};

// On `w`'s thread: runs the job beside the request, and returns its answer or the first round of questions (input_required
// with `parked` set). Errors: those of run_job; limit.
Task<Result<UpstreamAnswer>> start_parked(Worker& w, std::unique_ptr<UpstreamJob> job, std::shared_ptr<ParkedCall> call);

// On `w`'s thread: goes on with a parked call. Errors: those of run_job; invalid_params where there is none.
Task<Result<UpstreamAnswer>> resume_parked(Worker& w, std::uint64_t key, PrincipalPtr principal, std::string responses,
                                           std::shared_ptr<mcp::EventStream> events);

// The evidence of a call for which no retry came in its time.
Task<void> record_abandoned(Worker& w, std::shared_ptr<Questions> call);

}  // namespace sallyport
