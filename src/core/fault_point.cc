#include "core/fault_point.h"

#ifdef SALLYPORT_FAULTS
#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace sallyport {
namespace {

// Of the process, since the points stand wherever something is written. One more: all of them.
std::array<std::atomic<unsigned>, kFaultPoints.size() + 1> hits{};
std::atomic<std::size_t> armed_place{0};
std::atomic<unsigned> armed_hit{0};

void count(std::size_t place) noexcept {
  const unsigned now = hits[place].fetch_add(1) + 1;
  if (place != armed_place || now != armed_hit) return;
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

}  // namespace

void fault_point(FaultPoint point) noexcept {
  count(point.place());
  count(kAnyFaultPoint);
}

void arm_fault(std::size_t place, unsigned hit) noexcept {
  for (auto& one : hits) one = 0;
  armed_place = place;
  armed_hit = hit;
}

std::array<unsigned, kFaultPoints.size()> fault_hits() noexcept {
  std::array<unsigned, kFaultPoints.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = hits[i];
  return all;
}

}  // namespace sallyport
#endif
