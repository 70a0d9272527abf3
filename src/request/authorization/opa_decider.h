// The decisions of one request where an OPA server has the policies. decide() does not wait; so the request first rehearses
// what it will ask: the questions are collected and their decisions thrown away, then put to OPA; when the request really
// asks, every answer is there. A question that nobody rehearsed is denied. No provisional decision ever leaves
// prepare(). That worker's thread; it goes with its request.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/task.h"
#include "engines/decide/decide.h"
#include "engines/decide/policy_source.h"
#include "request/authorization/opa_client.h"

namespace sallyport {

class OpaDecider final : public PolicySource {
 public:
  static constexpr int kRounds =
      4;  // an answer may bring the next question: a registered tool, then what it is bound to
  static constexpr std::size_t kQuestionsMax = 50'000;  // of one round; beyond it they stay unanswered, and denied

  explicit OpaDecider(OpaClient& client) : client_(client), decider_({.memo_entries = 0, .source = this}) {}
  OpaDecider(const OpaDecider&) = delete;
  OpaDecider& operator=(const OpaDecider&) = delete;

  [[nodiscard]] Decider& decider() noexcept { return decider_; }
  // `rehearsal` asks decider() all that will be asked, without any effect; it may be run several times.
  Task<void> prepare(std::function<void()> rehearsal);
  Result<policy::PolicyAnswer> ask(const PolicyQuestion& question) override;

 private:
  OpaClient& client_;
  Decider decider_;
  bool rehearsing_ = false;
  OpaAnswers answers_;
  std::map<std::string, OpaQuestion, std::less<>> wanted_;
};

// What a worker has of an OPA server.
struct OpaBackEnd {
  OpaBackEnd(Executor executor, net::EgressClient& egress, const Clock& clock, OpaSettings settings,
             std::function<void(std::string_view)> failed)
      : client(executor, egress, clock, std::move(settings), std::move(failed)), unprepared(client) {}
  OpaClient client;
  OpaDecider unprepared;  // for who asks outside of any request: denies, since nothing was asked beforehand
};

}  // namespace sallyport
