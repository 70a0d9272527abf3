// How often a thing was used, and when last: an API key (with tokens that it bought), a tool. Every version of its record
// shares it; any thread. The control plane writes it behind, every five seconds.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/clock.h"

namespace sallyport {

struct Usage {
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::int64_t> last{0};  // microseconds since 1970, by steps of a second; 0: never
  std::uint64_t written = 0;  // of `count`, in the store: the control plane's alone
  void note(WallTime now) noexcept;
};

}  // namespace sallyport
