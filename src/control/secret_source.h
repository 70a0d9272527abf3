// Where references of servers lead: ${SCHEME:NAME} stands for what a source holds under NAME. A source answers from memory or
// asks somebody; one that fails gives no value, and what needed it is not started. Errors name the reference, never a value.
// On the control executor.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"
#include "core/task.h"

namespace sallyport::control {

// For whom a secret is fetched.
struct SecretUse {
  std::string server;
  std::string principal;  // whose session it is; empty: a session that all share, a probe, an endpoint
  SteadyTime deadline = SteadyTime::max();  // of the call that waits for it, all of its references together
};

class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // `name`: what stands behind the colon, as it was written. It never holds "}". Ends by `use.deadline` at the latest.
  virtual Task<Result<Secret>> fetch(std::string name, SecretUse use) = 0;
  // So long a fetched value is given again; 0: asked each time. A source with a time holds the same for every use.
  [[nodiscard]] virtual std::chrono::seconds kept_for() const { return std::chrono::seconds(0); }
  // What it does unasked, from now on: a token of its own is kept alive before anything is fetched. Waits for nobody.
  virtual void start() {}
  // Ends what it does unasked; nothing is fetched any more.
  virtual Task<void> stop() { co_return; }
};

}  // namespace sallyport::control
