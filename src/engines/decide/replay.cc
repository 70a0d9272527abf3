#include "engines/decide/replay.h"

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kBudget{5};
constexpr std::size_t kShownMax = 1000;

// The same question as a list would ask it. In JSON text only a member's own name can look like this: a quote inside of a
// string is escaped.
std::string listed(const std::string& input) {
  constexpr std::string_view kCall = "\"phase\":\"call\"";
  std::string out = input;
  if (const auto at = out.find(kCall); at != std::string::npos) out.replace(at, kCall.size(), "\"phase\":\"list\"");
  return out;
}

std::string reasons_of(const policy::PolicyAnswer& answer) {
  std::string out;
  for (const std::string& reason : answer.deny_reasons) out += (out.empty() ? ": " : "; ") + reason;
  return out;
}

}  // namespace

std::string replay_text(const ReplayReport& report) {
  json::Writer w;
  w.object().member("compared", report.compared).member("would_deny", report.would_deny);
  w.member("would_allow", report.would_allow).member("errors", report.errors).member("left", report.left);
  w.key("differences").array();
  for (const ReplayDifference& one : report.differences) {
    w.object().member("kind", one.kind).member("principal", one.principal).member("permission", one.permission);
    w.member("server", one.server).member("tool", one.tool).member("recorded", one.recorded);
    w.member("candidate", one.candidate).end_object();
  }
  return w.end_array().end_object().take();
}

Result<Replay> Replay::of(const policy::Modules& modules, std::vector<RecordedDecision> decisions) {
  auto compiled = policy::Compiled::of(modules);
  if (!compiled) return fail(Code::validation, compiled.error().detail);
  Replay replay;
  PolicySet set;
  set.epoch = 1;
  set.compiled = std::move(*compiled);
  SP_CHECK(replay.engine_.use(set));
  replay.decisions_ = std::move(decisions);
  return replay;
}

Replay::Answer Replay::ask(const RecordedDecision& one) {
  const std::string rule = "policy." + one.package;
  for (const bool list : {true, false}) {
    const auto arguments = list || !one.arguments ? std::nullopt : std::optional<std::string_view>(*one.arguments);
    const auto answer = engine_.evaluate(one.package, list ? listed(one.input) : one.input, arguments, kBudget);
    if (!answer) return {false, true, "policy.error: " + answer.error().detail};
    if (answer->deny) return {false, false, rule + ".deny" + reasons_of(*answer)};
    if (!answer->allow) return {false, false, rule + ".default"};
  }
  return {true, false, rule + ".allow"};
}

void Replay::compare(const RecordedDecision& one) {
  ++report_.compared;
  const Answer answer = ask(one);
  if (!answer.failed && answer.allow == one.allow) return;
  std::uint64_t& count = answer.failed ? report_.errors : answer.allow ? report_.would_allow : report_.would_deny;
  ++count;
  if (report_.differences.size() >= kShownMax) return;
  report_.differences.push_back({answer.failed  ? "error"
                                 : answer.allow ? "would_allow"
                                                : "would_deny",
                                 one.principal, one.permission, one.server, one.tool, one.why, answer.why});
}

bool Replay::step(const Clock& clock, std::chrono::nanoseconds slice) {
  const SteadyTime end = clock.steady() + slice;
  while (next_ < decisions_.size()) {
    compare(decisions_[next_++]);
    if (clock.steady() >= end) break;
  }
  return next_ < decisions_.size();
}

ReplayReport Replay::report() const {
  ReplayReport out = report_;
  out.left = decisions_.size() - next_;
  return out;
}

}  // namespace sallyport
