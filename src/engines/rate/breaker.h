// Circuit breaker of one upstream (S2-17): closed until `failures` in a row, then it rests, then one probe decides. One
// 64-bit atomic, exact across workers: any thread. Time is passed in. Every admitted call is reported once; a call that
// was admitted in an earlier state (before the breaker opened) no longer counts. An unreported probe frees its place
// after another rest.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/clock.h"

namespace sallyport::rate {

struct BreakerSettings {
  std::uint32_t failures = 10;    // in a row; 1..1000
  std::chrono::milliseconds rest{60'000};
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };
  struct Admission {
    bool allow = false;
    bool probe = false;                   // the one call that decides in half-open
    std::uint16_t generation = 0;         // hand it back to report()
    std::chrono::seconds retry_after{0};  // where refused, rounded up
  };

  explicit CircuitBreaker(BreakerSettings settings = {});

  Admission admit(SteadyTime now) noexcept;
  void report(const Admission& admission, bool success, SteadyTime now) noexcept;
  // Instead of report(), for a call that ended without saying anything about the server (its caller cancelled it): a probe's
  // place is free for the next call at once. Else whoever cancels in time would keep a server shut for everybody.
  void withdraw(const Admission& admission, SteadyTime now) noexcept;
  [[nodiscard]] State state(SteadyTime now) const noexcept;

 private:
  BreakerSettings settings_;
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace sallyport::rate
