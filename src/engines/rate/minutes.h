// At most so many calls in any minute, exact across workers, whatever the burst (the obligation `calls_per_minute`): calls are
// counted by the second, and the last 61 seconds together are at most the limit. A place comes back 60 to 61 seconds after the
// call that took it. Kept in a table of fixed size; where a set of eight is full, a newcomer that is admitted takes the entry
// of the pair that called least, and whoever is not there begins with the most that any pair had whose entry was taken. So
// nobody gets more, whoever sprays keys; newcomers, and who comes back, may be refused earlier. Built by the Limiter; any
// thread: a spin bit of the set is held for the some hundred additions of a call. Over 65,535 calls in one second are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"

namespace sallyport::rate {

struct Verdict;

class Minutes {
 public:
  // `entries`: keys remembered at once, rounded up to a power of two, at least 8; 168 bytes each.
  explicit Minutes(Random& random, std::size_t entries = 4096);
  Minutes(const Minutes&) = delete;
  Minutes& operator=(const Minutes&) = delete;
  ~Minutes();

  // Takes one call of `key`, of `most` a minute; the same key may come with different ones, and its calls count for each.
  Verdict take(std::uint32_t most, std::string_view key, SteadyTime now) noexcept;

 private:
  struct Entry;
  struct Set;

  std::uint64_t key_[2];
  std::size_t mask_;
  std::unique_ptr<Set[]> sets_;
};

}  // namespace sallyport::rate
