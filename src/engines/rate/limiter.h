// Token buckets (ruling C4), exact across workers: refill `requests` a `window`, capacity `requests + burst`. Kept as GCRA,
// one 64-bit arrival time a key, in a table of fixed size. Built once by `app`; any thread calls take() without a lock
// (the first sight of a key takes a spin bit of its set of eight). When a set is full, a newcomer inherits the smallest
// debt in it, so spraying keys admits nobody more than the rate; keys are found by SipHash under a key of this process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "engines/rate/minutes.h"
#include "model/snapshot.h"

namespace sallyport::rate {

// What the headers of S1 and C5 need. `limit` is `requests` of the class, without the burst (C4).
struct Verdict {
  bool allow = false;
  std::uint32_t limit = 0;
  std::uint32_t remaining = 0;           // whole requests that would still be admitted now; at most `limit`
  std::chrono::seconds reset_after{0};   // until the bucket is full again, rounded up
  std::chrono::seconds retry_after{0};   // 0 when admitted; else whole seconds, at least 1
};

class Limiter {
 public:
  // `entries`: keys remembered at once, rounded up to a power of two, at least 64; 24 bytes each.
  explicit Limiter(Random& random, std::size_t entries = 1U << 16U);
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;
  ~Limiter();

  // Takes one request of `key` (address, principal, "principal/tool") from its bucket in the class `name`. A class of
  // no requests or no window admits nothing.
  Verdict take(std::string_view name, const LimitClass& limit, std::string_view key, SteadyTime now) noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept;
  [[nodiscard]] Minutes& minutes() noexcept { return minutes_; }  // for limits of any minute

 private:
  struct Slot;
  struct Set;
  [[nodiscard]] std::uint64_t tag_of(std::string_view name, std::string_view key) const noexcept;
  Slot& claim(Set& set, std::uint64_t tag, std::uint64_t now) noexcept;

  std::uint64_t key_[2];
  std::size_t mask_;
  std::unique_ptr<Set[]> sets_;
  Minutes minutes_;
};

}  // namespace sallyport::rate
