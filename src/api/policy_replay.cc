// The calls of late under a candidate, and the same to be taken away (issue 5).
#include "api/policy_versions.h"
#include "api/standing.h"
#include "engines/decide/replay.h"

namespace sallyport::api {
namespace {

constexpr std::chrono::milliseconds kSlice{2};
constexpr std::chrono::seconds kWhole{10};

// On the control executor, in slices, so that logins and reloads go on.
Task<Result<ReplayReport>> replay(control::PolicyShelf& shelf, const Clock& clock, std::uint64_t version,
                                  control::PolicyModules modules, std::vector<RecordedDecision> decisions) {
  if (version != 0) {
    SP_CO_TRY(modules, shelf.modules(version));
  }
  SP_CO_TRY(Replay work, Replay::of(modules, std::move(decisions)));
  const Executor executor = co_await asio::this_coro::executor;
  const SteadyTime end = clock.steady() + kWhole;
  while (work.step(clock, kSlice) && clock.steady() < end) co_await after_this_turn(executor);
  co_return work.report();
}

}  // namespace

// The rules that are tried read other people's arguments, and what they deny with is shown: so it asks for what the record asks for.
Task<RestAnswer> replay_policies(Call& call) {
  co_await prepare(call, [&] { (void)permit_action(call, Permission::audit_read); });
  if (auto also = permit_action(call, Permission::audit_read); !also) co_return refuse(call, also.error());
  const auto version = number_field(call.root(), "version", 0);
  if (!version) co_return refuse(call, version.error());
  auto modules = read_modules(call.root());
  if ((*version != 0) == !modules.empty())
    co_return refuse(call, {Code::validation, "name either a version or modules"});
  auto& deps = call.api.deps();
  auto decisions = co_await deps.recorded_decisions();
  const auto report = co_await run_for_caller<ReplayReport>(
      call, replay(deps.control.policies(), deps.clock, static_cast<std::uint64_t>(*version), std::move(modules),
                   std::move(decisions)));
  if (!report) co_return refuse(call, report.error());
  RestAnswer answer;
  answer.body = replay_text(*report);
  co_return answer;
}

Task<RestAnswer> list_recorded_decisions(Call& call) {
  co_await prepare(call, [&] { (void)permit_action(call, Permission::audit_read); });
  if (auto also = permit_action(call, Permission::audit_read); !also) co_return refuse(call, also.error());
  const auto decisions = co_await call.api.deps().recorded_decisions();
  json::Writer w;
  w.object().key("decisions").array();
  for (const auto& one : decisions) write_recorded(w, one);
  w.end_array().end_object();
  RestAnswer answer = ok(w);
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.reason = "recorded decisions: " + std::to_string(decisions.size());
  co_return answer;
}

}  // namespace sallyport::api
