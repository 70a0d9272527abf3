// One circuit breaker a server, shared by the sessions of every worker. A session takes its server's breaker once, when
// it opens, so the lock is not on the way of a call. Owned by the composition root; any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engines/rate/breaker.h"

namespace sallyport::upstream {

// One event counts once: when a server dies with a hundred calls in flight, only the first of them is a failure for the
// breaker; a failure counts where its call began after the last one that counted. Else one crash would close the door
// on every caller for the rest time.
class Breaker {
 public:
  using Admission = rate::CircuitBreaker::Admission;

  explicit Breaker(rate::BreakerSettings settings) : circuit_(settings) {}

  Admission admit(SteadyTime now) noexcept { return circuit_.admit(now); }
  void report(const Admission& admission, bool success, SteadyTime began, SteadyTime now) noexcept {
    if (!success && !admission.probe) {
      if (began.time_since_epoch().count() <= last_failure_.load(std::memory_order_relaxed)) return;
      last_failure_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    circuit_.report(admission, success, now);
  }
  void withdraw(const Admission& admission, SteadyTime now) noexcept { circuit_.withdraw(admission, now); }
  [[nodiscard]] bool open(SteadyTime now) const noexcept {
    return circuit_.state(now) == rate::CircuitBreaker::State::open;
  }

 private:
  rate::CircuitBreaker circuit_;
  std::atomic<std::int64_t> last_failure_{0};
};

class Breakers {
 public:
  explicit Breakers(rate::BreakerSettings settings = {}) : settings_(settings) {}

  std::shared_ptr<Breaker> of(std::string_view server) {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(server);
    if (found != all_.end()) return found->second;
    return all_.emplace(server, std::make_shared<Breaker>(settings_)).first->second;
  }
  // `server restart` and a changed record start anew; sessions that still hold the old one are ended with it.
  void forget(std::string_view server) {
    const std::lock_guard lock(mutex_);
    if (const auto found = all_.find(server); found != all_.end()) all_.erase(found);
  }

 private:
  rate::BreakerSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Breaker>, std::less<>> all_;
};

}  // namespace sallyport::upstream
