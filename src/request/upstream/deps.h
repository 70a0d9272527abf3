// What the composition root hands down to this module; all of it outlives the Upstreams that hold it. Plain references.
#pragma once

#include <functional>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "core/secret.h"
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
  // "${env:NAME}", "${file:path}" or a plain value -> the secret. Called when a session opens; null: as written.
  std::function<Result<Secret>(std::string_view reference)> resolve;
  Log log;  // may be null

  [[nodiscard]] Result<Secret> secret(std::string_view reference) const {
    if (resolve) return resolve(reference);
    return Secret(std::string(reference));
  }
  void say(std::string_view server, std::string_view event, std::string_view text) const {
    if (log) log(server, event, text);
  }
};

}  // namespace sallyport::upstream
