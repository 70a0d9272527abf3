// How far apart the times of two requests may lie while the clock is right. Header only; any thread.
#pragma once

#include <chrono>

namespace sallyport::control {

// Requests bring the time at which they came, so with a clock that is right, too, one may be this much older than the one
// before it. More than that, and the clock was set back.
inline constexpr std::chrono::seconds kRequestAge{2};

}  // namespace sallyport::control
