#include "core/clock.h"

namespace sallyport {

WallTime SystemClock::wall() const noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const noexcept { return std::chrono::steady_clock::now(); }

}  // namespace sallyport
