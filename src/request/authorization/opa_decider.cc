#include "request/authorization/opa_decider.h"

#include <utility>
#include <vector>

namespace sallyport {

Result<policy::PolicyAnswer> OpaDecider::ask(const PolicyQuestion& question) {
  std::string key = std::string(question.package) + '\n' + std::string(question.timeless);
  if (const auto known = answers_.find(key); known != answers_.end()) return known->second;
  if (const auto* remembered = client_.remembered(key))
    return answers_.emplace(std::move(key), *remembered).first->second;
  if (!rehearsing_) {
    client_.unasked(question.package);
    return fail(Code::internal, "the OPA server was not asked beforehand");
  }
  if (wanted_.size() < kQuestionsMax) {
    OpaQuestion wanted{key, std::string(question.package), std::string(question.input)};
    wanted_.try_emplace(std::move(key), std::move(wanted));
  }
  return fail(Code::internal, "the OPA server is still to be asked");
}

Task<void> OpaDecider::prepare(std::function<void()> rehearsal) {
  struct Rehearsing {
    explicit Rehearsing(bool& on) : flag(on) { flag = true; }
    ~Rehearsing() { flag = false; }
    bool& flag;
  };
  for (int round = 0; round < kRounds; ++round) {
    {
      const Rehearsing now(rehearsing_);
      rehearsal();
    }
    if (wanted_.empty()) co_return;
    std::vector<OpaQuestion> questions;
    questions.reserve(wanted_.size());
    for (auto& [key, question] : std::exchange(wanted_, {})) questions.push_back(std::move(question));
    answers_.merge(co_await client_.fetch(std::move(questions)));
  }
}

}  // namespace sallyport
