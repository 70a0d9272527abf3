#include "request/authorization/opa_client.h"

#include <algorithm>
#include <utility>

#include "engines/policy/answer.h"

namespace sallyport {
namespace {

// Of the server or the way to it, not of this one question.
bool is_down(Code code) {
  return code == Code::upstream_unavailable || code == Code::upstream_timeout || code == Code::egress_refused ||
         code == Code::limit;
}

// "tool_access", "lib.times": it becomes a part of the path.
bool is_package(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 200 && name.front() != '.' && name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, fits);
}

std::string describe(const Error& error) {
  return std::string(info(error.code).name) + (error.detail.empty() ? "" : ": " + error.detail);
}

}  // namespace

struct OpaClient::Round {
  std::vector<OpaQuestion> questions;
  std::size_t next = 0;
  std::optional<Error> down;
  std::optional<Error> first;  // that went wrong
  OpaAnswers answers;
};

OpaClient::OpaClient(Executor executor, net::EgressClient& egress, const Clock& clock, OpaSettings settings,
                     std::function<void(std::string_view)> failed)
    : executor_(executor), egress_(egress), clock_(clock), settings_(std::move(settings)), failed_(std::move(failed)) {
  std::string_view path = settings_.target->url().target;
  path = path.substr(0, path.find('?'));
  while (path.ends_with('/')) path.remove_suffix(1);
  base_ = std::string(path) + "/v1/data/";
}

const policy::PolicyAnswer* OpaClient::remembered(std::string_view key) {
  const auto found = remembered_.find(key);
  return found != remembered_.end() && clock_.steady() < found->second.until ? &found->second.answer : nullptr;
}

void OpaClient::remember(const std::string& key, const policy::PolicyAnswer& answer) {
  if (settings_.cache.count() == 0) return;
  const SteadyTime now = clock_.steady();
  if (remembered_.size() >= kRememberedMax) {
    std::erase_if(remembered_, [&](const auto& entry) { return entry.second.until <= now; });
    if (remembered_.size() >= kRememberedMax) remembered_.clear();
  }
  remembered_.insert_or_assign(key, Remembered{now + settings_.cache, answer});
}

// A pooled connection may be one that OPA has closed since: the question changes nothing there, so it is put once more.
Task<Result<net::EgressResponse>> OpaClient::post(std::string path, std::string body, SteadyTime deadline) {
  for (bool again = false;; again = true) {
    net::EgressRequest request;
    request.target = settings_.target;
    request.path = path;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    request.body = body;
    request.deadline = deadline;
    request.limits.body_bytes = kAnswerBytesMax;
    auto response = co_await egress_.fetch(std::move(request));
    if (response || again || response.error().code != Code::upstream_unavailable) co_return response;
    egress_.drop_idle(*settings_.target);
  }
}

Task<Result<policy::PolicyAnswer>> OpaClient::ask(std::string package, std::string input) {
  if (!is_package(package)) co_return fail(Code::validation, "not the name of a package");
  std::ranges::replace(package, '.', '/');
  const SteadyTime deadline = clock_.steady() + settings_.timeout;
  // Without it an error of a builtin inside `deny` would be no denial.
  SP_CO_TRY(const auto response,
            co_await post(base_ + package + "?strict-builtin-errors=true", "{\"input\":" + input + "}", deadline));
  if (response.head.status != 200) {
    constexpr std::size_t kShown = 300;
    co_return fail(Code::upstream_refused,
                   "OPA answers " + std::to_string(response.head.status) + ": " + response.body.substr(0, kShown));
  }
  co_return policy::read_answer(response.body);
}

Task<void> OpaClient::work(std::shared_ptr<Round> round) {
  while (round->next < round->questions.size()) {
    const OpaQuestion& question = round->questions[round->next++];
    Result<policy::PolicyAnswer> answer = fail(Code::internal, "not asked");
    if (round->down) answer = fail(*round->down);
    else answer = co_await ask(question.package, question.input);
    if (answer) {
      remember(question.key, *answer);
    } else {
      if (!round->first) round->first = answer.error();
      if (is_down(answer.error().code)) round->down = answer.error();
    }
    round->answers.insert_or_assign(question.key, std::move(answer));
  }
}

Task<Result<bool>> OpaClient::run(std::shared_ptr<Round> round) {
  TaskGroup asking(executor_, [this](const char* what) { failed_(what); });
  for (std::size_t i = 0; i < std::min(kAtOnce, round->questions.size()); ++i) asking.spawn(work(round));
  co_await asking.join();
  co_return true;
}

Task<OpaAnswers> OpaClient::fetch(std::vector<OpaQuestion> questions) {
  auto round = std::make_shared<Round>();
  round->questions = std::move(questions);
  (void)co_await run_on<bool>(executor_, run(round));  // what no task came to has no answer, which denies
  if (round->first) failed_(describe(*round->first));
  co_return std::move(round->answers);
}

}  // namespace sallyport
