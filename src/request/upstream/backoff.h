// How long a server rests after failures in a row: nothing after the first (one crash loses the calls in flight and no
// other), then doubling from backoff_min to backoff_max, with jitter so that sessions do not start in step. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/random.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

inline std::chrono::milliseconds backoff(const Settings& settings, unsigned failures, Random& random) {
  if (failures <= 1) return std::chrono::milliseconds{0};
  const unsigned doublings = std::min(failures - 2, 20U);
  const auto full =
      std::min<std::chrono::milliseconds>(settings.backoff_max, settings.backoff_min * (1LL << doublings));
  std::uint16_t noise = 0;
  random.fill(std::as_writable_bytes(std::span(&noise, 1)));
  return full / 2 + full / 2 * noise / 65'535;  // between half of it and all of it
}

}  // namespace sallyport::upstream
