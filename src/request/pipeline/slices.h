// Long work on a worker, a millisecond at a time: whoever else waits on it is served in between. One for each piece of
// work, on its worker's thread: `if (slices.over()) co_await slices.next();`.
#pragma once

#include <chrono>

#include "core/clock.h"
#include "core/task.h"

namespace sallyport {

class Slices {
 public:
  Slices(const Clock& clock, Executor executor)
      : clock_(clock), executor_(std::move(executor)), began_(clock.steady()) {}

  [[nodiscard]] bool over() const { return clock_.steady() - began_ >= kSlice; }
  Task<void> next() {
    co_await after_this_turn(executor_);
    began_ = clock_.steady();
  }

 private:
  static constexpr std::chrono::milliseconds kSlice{1};
  const Clock& clock_;
  Executor executor_;
  SteadyTime began_;
};

}  // namespace sallyport
