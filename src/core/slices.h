// Long work on a worker in slices: whoever else waits on it is served in between. A request makes five to ten turns of the event
// loop on its way, so a slice for each turn would be felt as that many: the others go on until none has anything to do, or have had
// four times as long as the slice. One for each piece of work, on its executor's thread: `if (slices.over()) co_await slices.next();`.
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
    const SteadyTime ended = clock_.steady();
    for (SteadyTime turn = ended; turn - ended < kOthers;) {
      co_await after_this_turn(executor_);
      began_ = clock_.steady();
      if (began_ - turn < kIdle) co_return;
      turn = began_;
    }
  }

 private:
  static constexpr std::chrono::microseconds kSlice{250};
  static constexpr std::chrono::microseconds kOthers{1000};
  static constexpr std::chrono::microseconds kIdle{15};  // a turn in which nobody did anything
  const Clock& clock_;
  Executor executor_;
  SteadyTime began_;
};

}  // namespace sallyport
