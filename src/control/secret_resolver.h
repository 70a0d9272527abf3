// Replaces the ${SCHEME:NAME} references of a text by what their sources hold. What a source lets us keep is asked for again
// when three quarters of its time are over, and while that fails the kept value stands until its time is. Owned by app; the
// control executor only. Limits: 16 references a text, 1,000 kept values.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "control/secret_source.h"
#include "core/clock.h"

namespace sallyport::control {

class SecretResolver {
 public:
  static constexpr std::size_t kReferencesMax = 16;
  static constexpr std::size_t kKeptMax = 1000;

  // Every reference that somebody was given the value of, from memory too, or was refused; for the audit. An error keeps the
  // value back: evidence comes first.
  using Note =
      std::function<Result<void>(const std::string& reference, const SecretUse& use, const Result<void>& outcome)>;

  SecretResolver(const Clock& clock, Note note) : clock_(clock), note_(std::move(note)) {}
  // Before anything is resolved. `scheme` without the colon.
  void add(std::string scheme, std::unique_ptr<SecretSource> source) {
    sources_[std::move(scheme)] = std::move(source);
  }

  // Code::config, its detail begins with the reference: nobody knows it, or its source gives nothing.
  Task<Result<Secret>> resolve(std::string text, SecretUse use);
  void forget() { kept_.clear(); }
  Task<void> stop();  // before it goes

 private:
  struct Kept {
    Secret value;
    SteadyTime at{};
  };
  Result<Secret> given(const std::string& inner, const SecretUse& use, Secret value);
  Task<Result<Secret>> value_of(std::string inner, SecretUse use);
  Task<Result<Secret>> fetch(SecretSource& source, std::string name, std::string inner, SecretUse use);

  const Clock& clock_;
  Note note_;
  std::map<std::string, std::unique_ptr<SecretSource>, std::less<>> sources_;
  std::map<std::string, Kept, std::less<>> kept_;  // by what stands between the braces
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
