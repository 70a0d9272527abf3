// One circuit breaker a server, shared by the sessions of every worker. A session takes its server's breaker once, when
// it opens, so the lock is not on the way of a call. Owned by the composition root; any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engines/rate/breaker.h"

namespace sallyport::upstream {

class Breakers {
 public:
  explicit Breakers(rate::BreakerSettings settings = {}) : settings_(settings) {}

  std::shared_ptr<rate::CircuitBreaker> of(std::string_view server) {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(server);
    if (found != all_.end()) return found->second;
    return all_.emplace(server, std::make_shared<rate::CircuitBreaker>(settings_)).first->second;
  }
  // `server restart` and a changed record start anew; sessions that still hold the old one are ended with it.
  void forget(std::string_view server) {
    const std::lock_guard lock(mutex_);
    if (const auto found = all_.find(server); found != all_.end()) all_.erase(found);
  }

 private:
  rate::BreakerSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<rate::CircuitBreaker>, std::less<>> all_;
};

}  // namespace sallyport::upstream
