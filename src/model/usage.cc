#include "model/usage.h"

#include <chrono>

namespace sallyport {

void Usage::note(WallTime now) noexcept {
  constexpr std::int64_t kStep = 1'000'000;
  count.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  if (micros - last.load(std::memory_order_relaxed) >= kStep) last.store(micros, std::memory_order_relaxed);
}

}  // namespace sallyport
