// What the composition root hands down to this module; all of it outlives the Upstreams that hold it. Plain references.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "core/secret.h"
#include "core/task.h"
#include "request/upstream/call.h"

namespace sallyport::net {
class EgressClient;
}
namespace sallyport::launcher {
class Launcher;
}

namespace sallyport::upstream {

class Breakers;
class EraCache;

struct Deps {
  const Clock& clock;
  Random& random;
  net::EgressClient* egress = nullptr;  // of this worker; null: servers over HTTP are refused
  launcher::Launcher* launcher = nullptr;  // null: stdio servers are refused
  Breakers* breakers = nullptr;  // one for all workers; null: no breaker
  EraCache* eras = nullptr;  // one for all workers; null: every opening finds out anew
  // A text with ${...} references -> the secret, for whose session it is (empty: nobody's alone), by `deadline`. Asked when a
  // session opens, on the worker that opens it; null: as written.
  std::function<Task<Result<Secret>>(std::string text, std::string server, std::string principal, SteadyTime deadline)>
      resolve;
  std::string principal{};  // of a session's own copy of this
  Log log;  // may be null

  [[nodiscard]] Task<Result<Secret>> secret(std::string text, std::string server, SteadyTime deadline) const {
    if (!resolve || text.find("${") == std::string::npos) co_return Secret(std::move(text));
    co_return co_await resolve(std::move(text), std::move(server), principal, deadline);
  }
  void say(std::string_view server, std::string_view event, std::string_view text) const {
    if (log) log(server, event, text);
  }
};

}  // namespace sallyport::upstream
