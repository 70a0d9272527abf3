#include "control/secret_resolver.h"

#include <algorithm>

namespace sallyport::control {
namespace {

std::string schemes_of(const std::map<std::string, std::unique_ptr<SecretSource>, std::less<>>& sources) {
  std::string out;
  for (const auto& [scheme, source] : sources) out += (out.empty() ? "${" : ", ${") + scheme + ":...}";
  return out;
}

}  // namespace

// However a question ends, nobody waits for it any more.
class SecretResolver::Ending {
 public:
  Ending(SecretResolver& of, const std::string& inner, Question& question)
      : of_(of), inner_(inner), question_(question) {}
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending() {
    question_.over = true;
    of_.asking_.erase(inner_);
    for (SteadyTimer* const timer : question_.waiting) timer->cancel();
  }

 private:
  SecretResolver& of_;
  const std::string& inner_;
  Question& question_;
};

class SecretResolver::Waiting {
 public:
  Waiting(Question& question, SteadyTimer& timer) : question_(question), timer_(&timer) {
    question_.waiting.push_back(timer_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { std::erase(question_.waiting, timer_); }

 private:
  Question& question_;
  SteadyTimer* timer_;
};

Result<Secret> SecretResolver::given(const std::string& inner, const SecretUse& use, Secret value) {
  SP_CHECK(note_("${" + inner + "}", use, Result<void>()));
  return value;
}

Result<Secret> SecretResolver::refused(const std::string& inner, const SecretUse& use, const Error& error) {
  const Error told{Code::config, "${" + inner + "}: " + error.detail};
  (void)note_("${" + inner + "}", use, fail(told));
  return fail(told);
}

// The one under way, or another.
std::shared_ptr<SecretResolver::Question> SecretResolver::question_of(SecretSource& source, const std::string& inner,
                                                                      SecretUse use, bool beside) {
  if (const auto known = asking_.find(inner); known != asking_.end()) return known->second;
  auto question = std::make_shared<Question>();
  question->deadline = use.deadline;
  question->beside = beside;
  asking_[inner] = question;
  tasks_.spawn(ask(source, inner, std::move(use), question));
  return question;
}

Task<void> SecretResolver::ask(SecretSource& source, std::string inner, SecretUse use,
                               std::shared_ptr<Question> question) {
  const Ending ending(*this, inner, *question);
  question->outcome = co_await source.fetch(inner.substr(inner.find(':') + 1), use);
  if (const auto& outcome = question->outcome; outcome) {
    if (kept_.size() >= kKeptMax) kept_.clear();
    kept_[inner] = {outcome->clone(), clock_.steady()};
  } else if (question->beside) {
    (void)refused(inner, use, outcome.error());
  }
}

Task<Result<Secret>> SecretResolver::answer_of(SecretSource& source, std::string inner, SecretUse use) {
  for (;;) {
    const auto question = question_of(source, inner, use, false);
    SteadyTimer timer(tasks_.executor());
    timer.expires_after(use.deadline - clock_.steady());
    if (!question->over) {
      const Waiting waiting(*question, timer);
      co_await timer.async_wait(use_task_ec);
    }
    if (!question->over) co_return refused(inner, use, {Code::config, "no answer in the time of its call"});
    if (question->outcome) co_return given(inner, use, question->outcome->clone());
    // Whoever began it had less time than this call.
    const bool cut = question->deadline < use.deadline && question->deadline <= clock_.steady();
    if (!cut || stopped_) co_return refused(inner, use, question->outcome.error());
  }
}

Task<Result<Secret>> SecretResolver::value_of(std::string inner, SecretUse use) {
  const auto colon = std::min(inner.find(':'), inner.size());
  const auto source = sources_.find(std::string_view(inner).substr(0, colon));
  if (source == sources_.end() || colon == inner.size()) {
    co_return fail(Code::config, "${" + inner + "}: no such source; there are " + schemes_of(sources_));
  }
  const auto lasts = source->second->kept_for();
  if (lasts.count() == 0) {
    auto found = co_await source->second->fetch(inner.substr(colon + 1), use);
    if (!found) co_return refused(inner, use, found.error());
    co_return given(inner, use, std::move(*found));
  }
  const auto kept = kept_.find(inner);
  const SteadyTime now = clock_.steady();
  if (kept == kept_.end() || now >= kept->second.at + lasts) {
    co_return co_await answer_of(*source->second, std::move(inner), std::move(use));
  }
  Secret value = kept->second.value.clone();
  const bool late = now >= kept->second.at + lasts * 3 / 4;
  if (late && !stopped_) question_of(*source->second, inner, {use.server, use.principal}, true);
  co_return given(inner, use, std::move(value));
}

Task<Result<Secret>> SecretResolver::resolve(std::string text, SecretUse use) {
  std::string out;
  std::string_view rest = text;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    const auto at = std::min(rest.find("${"), rest.size());
    out.append(rest.substr(0, at));
    rest.remove_prefix(at);
    if (rest.empty()) break;
    const auto end = rest.find('}');
    if (end == std::string_view::npos || count >= kReferencesMax) {
      wipe(out);
      co_return fail(Code::config, "a malformed reference, or more than 16 of them");
    }
    const auto value = co_await value_of(std::string(rest.substr(2, end - 2)), use);
    if (!value) {
      wipe(out);
      co_return fail(value.error());
    }
    out.append(value->reveal());
    rest.remove_prefix(end + 1);
  }
  co_return Secret(std::move(out));
}

void SecretResolver::start() {
  for (const auto& [scheme, source] : sources_) source->start();
}

Task<void> SecretResolver::stop() {
  stopped_ = true;
  tasks_.cancel();
  co_await tasks_.join();
  for (const auto& [scheme, source] : sources_) co_await source->stop();
}

}  // namespace sallyport::control
