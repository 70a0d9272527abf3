// What stands behind ${kv:...} and ${aws:...}, kept for a time: asked anew in the background when two thirds of that time
// are over, never given when it is over, whatever the server then says (fail closed). Who asks for the same at the same
// time waits for one answer. One a process, on the control executor only; stop() before it goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/secrets/remote_reference.h"
#include "core/clock.h"
#include "core/secret.h"
#include "core/task.h"

namespace sallyport::control {

class RemoteSecrets {
 public:
  static constexpr std::size_t kKeptMax = 4096;
  static constexpr std::size_t kValueBytesMax = 64U << 10;

  using Fetch = std::function<Task<Result<Secret>>(RemoteReference)>;
  struct Sources {
    Fetch kv, aws;  // empty: not set up
  };
  // `report` hears, for the log, what could not be asked anew; `kept`: 1 s at least.
  RemoteSecrets(Executor executor, const Clock& clock, Sources sources, std::chrono::seconds kept,
                std::function<void(std::string_view why)> report);

  // `inner`: what stands between "${" and "}". Errors: config (no such form, or its source is not set up), limit (too
  // many, too long), those of the source; the text names the reference, never the value.
  Task<Result<Secret>> get(std::string inner);
  // Forgets what is kept: a source's credentials changed.
  void forget() noexcept { kept_.clear(); }
  Task<void> stop();

 private:
  struct Kept {
    Secret value;
    SteadyTime from{};
    SteadyTime asked{};  // when it was last asked anew
  };
  struct Flight {
    explicit Flight(Executor executor) : landed(executor, SteadyTimer::time_point::max()) {}
    SteadyTimer landed;
    std::optional<Error> error;
  };

  Task<Result<void>> ask(std::string inner);
  Task<Result<void>> ask_source(const std::string& inner);
  Task<void> renew(std::string inner);
  void make_room(SteadyTime now);

  Executor executor_;
  const Clock& clock_;
  Sources sources_;
  std::chrono::seconds ttl_;
  std::function<void(std::string_view)> report_;
  std::map<std::string, Kept, std::less<>> kept_;
  std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights_;
  TaskGroup tasks_;
};

}  // namespace sallyport::control
