// Time is passed in, so that tests own it (style.md, rule 4). Wall time for records and expiry, steady time for limits
// and deadlines. Any thread.
#pragma once

#include <chrono>
#include <string>

namespace sallyport {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// "2027-12-31T23:59:59Z" (ISO 8601, UTC, whole seconds): times in REST answers.
std::string iso_time(WallTime time);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const noexcept = 0;
  virtual SteadyTime steady() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const noexcept override;
  SteadyTime steady() const noexcept override;
};

// Time that moves only when told to; for tests.
class FakeClock final : public Clock {
 public:
  WallTime wall() const noexcept override { return wall_; }
  SteadyTime steady() const noexcept override { return steady_; }
  void advance(std::chrono::microseconds by) {
    wall_ += by;
    steady_ += by;
  }

 private:
  WallTime wall_{std::chrono::seconds{1'790'000'000}};
  SteadyTime steady_{std::chrono::seconds{1'000}};
};

}  // namespace sallyport
