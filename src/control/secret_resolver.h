// Replaces the ${SCHEME:NAME} references of a text by what their sources hold. What a source lets us keep is given until its
// time is over; when three quarters of that are, it is asked for again beside, and nobody waits. A reference is asked for once
// at a time: who needs it meanwhile waits for that answer, no longer than its own deadline. Owned by app; the control executor
// only; stop() before it goes. Limits: 16 references a text, 1,000 kept values.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/secret_source.h"
#include "core/clock.h"
#include "core/task.h"

namespace sallyport::control {

class SecretResolver {
 public:
  static constexpr std::size_t kReferencesMax = 16;
  static constexpr std::size_t kKeptMax = 1000;

  // Every reference that somebody was given the value of, from memory too, or was refused; for the audit. An error keeps the
  // value back: evidence comes first.
  using Note =
      std::function<Result<void>(const std::string& reference, const SecretUse& use, const Result<void>& outcome)>;

  // What escapes a question gives it no answer, and that is told to whoever waits.
  SecretResolver(Executor executor, const Clock& clock, Note note)
      : clock_(clock), note_(std::move(note)), tasks_(executor, [](const char*) {}) {}
  // Before anything is resolved. `scheme` without the colon.
  void add(std::string scheme, std::unique_ptr<SecretSource> source) {
    sources_[std::move(scheme)] = std::move(source);
  }

  // Code::config, its detail begins with the reference: nobody knows it, or its source gives nothing.
  Task<Result<Secret>> resolve(std::string text, SecretUse use);
  void forget() { kept_.clear(); }
  void start();  // what sources do unasked
  Task<void> stop();  // before it goes

 private:
  struct Kept {
    Secret value;
    SteadyTime at{};
  };
  // Of one reference, while its source is asked.
  struct Question {
    SteadyTime deadline;  // of who began
    bool beside = false;  // nobody waits for it
    bool over = false;
    Result<Secret> outcome = fail(Code::config, "it was not answered");
    std::vector<SteadyTimer*> waiting;
  };
  class Ending;
  class Waiting;
  Result<Secret> given(const std::string& inner, const SecretUse& use, Secret value);
  Result<Secret> refused(const std::string& inner, const SecretUse& use, const Error& error);
  Task<Result<Secret>> value_of(std::string inner, SecretUse use);
  Task<Result<Secret>> answer_of(SecretSource& source, std::string inner, SecretUse use);
  std::shared_ptr<Question> question_of(SecretSource& source, const std::string& inner, SecretUse use, bool beside);
  Task<void> ask(SecretSource& source, std::string inner, SecretUse use, std::shared_ptr<Question> question);

  const Clock& clock_;
  Note note_;
  std::map<std::string, std::unique_ptr<SecretSource>, std::less<>> sources_;
  std::map<std::string, Kept, std::less<>> kept_;  // by what stands between the braces
  std::map<std::string, std::shared_ptr<Question>, std::less<>> asking_;  // the same
  bool stopped_ = false;
  TaskGroup tasks_;
};

// A source that answers at once.
class LocalSource final : public SecretSource {
 public:
  using Read = std::function<Result<Secret>(const std::string& name, const SecretUse& use)>;
  explicit LocalSource(Read read) : read_(std::move(read)) {}
  Task<Result<Secret>> fetch(std::string name, SecretUse use) override { co_return read_(name, use); }

 private:
  Read read_;
};

}  // namespace sallyport::control
