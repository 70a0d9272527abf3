#include "engines/rate/limiter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <span>

#include "engines/rate/siphash.h"

namespace sallyport::rate {
namespace {

constexpr std::size_t kWays = 8;
// Tags of no key: an empty slot, and one that is being handed over.
constexpr std::uint64_t kEmpty = 0;
constexpr std::uint64_t kBusy = 1;

std::uint64_t ns_of(SteadyTime now) noexcept {
  const auto count = now.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

std::chrono::seconds seconds_up(std::uint64_t ns) noexcept {
  return std::chrono::seconds((ns + 999'999'999U) / 1'000'000'000U);
}

// GCRA in nanoseconds. The interval is rounded up, so the rate is never exceeded.
struct Rule {
  std::uint64_t interval = 0;   // between two requests at the steady rate
  std::uint64_t tolerance = 0;  // how far the arrival time may run ahead: capacity * interval
  explicit Rule(const LimitClass& limit) noexcept {
    const auto window = static_cast<std::uint64_t>(std::clamp<std::int64_t>(limit.window.count(), 0, 366LL * 86'400)) *
                        1'000'000'000U;
    if (limit.requests == 0 || window == 0) return;
    interval = (window + limit.requests - 1) / limit.requests;
    const std::uint64_t capacity = std::uint64_t{limit.requests} + limit.burst;
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max() / 4;
    tolerance = capacity > kMax / interval ? kMax : capacity * interval;
  }
};

}  // namespace

struct Limiter::Slot {
  std::atomic<std::uint64_t> tag{kEmpty};
  std::atomic<std::uint64_t> arrival{0};  // theoretical arrival time; at or before now: the bucket is full
};

// Eight slots. `adding` is held for the few instructions that give a slot to a new key, never while one is charged.
struct alignas(64) Limiter::Set {
  std::array<Slot, kWays> slots;
  std::atomic_flag adding;
};

Limiter::Limiter(Random& random, std::size_t entries) : minutes_(random) {
  random.fill(std::as_writable_bytes(std::span(key_)));
  const std::size_t sets = std::bit_ceil(std::clamp<std::size_t>(entries, 64, std::size_t{1} << 26U)) / kWays;
  mask_ = sets - 1;
  sets_ = std::make_unique<Set[]>(sets);
}

Limiter::~Limiter() = default;

std::size_t Limiter::capacity() const noexcept { return (mask_ + 1) * kWays; }

std::uint64_t Limiter::tag_of(std::string_view name, std::string_view key) const noexcept {
  SipHash13 hash(key_[0], key_[1]);
  hash.add(name);
  hash.add(key);
  return hash.finish() | 2U;  // neither kEmpty nor kBusy
}

// The slot of `tag`, given to it if it has none: an idle one, else the one with the smallest debt, whose debt the
// newcomer takes over. A key that was put out finds at least its old debt when it comes back, so nobody gains by it.
Limiter::Slot& Limiter::claim(Set& set, std::uint64_t tag, std::uint64_t now) noexcept {
  while (set.adding.test_and_set(std::memory_order_acquire)) {
  }
  for (;;) {
    Slot* best = nullptr;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (Slot& slot : set.slots) {
      const std::uint64_t have = slot.tag.load();
      if (have == tag) {
        set.adding.clear(std::memory_order_release);
        return slot;
      }
      const std::uint64_t debt = have == kEmpty ? 0 : std::max(slot.arrival.load(), now);
      if (debt < least) {
        least = debt;
        best = &slot;
      }
    }
    // Hand-over: nobody finds the slot while it is busy; a charge that slipped in before shows in `arrival` and undoes it.
    const std::uint64_t former = best->tag.exchange(kBusy);
    std::uint64_t arrival = best->arrival.load();
    const bool quiet = former == kEmpty || std::max(arrival, now) == least;
    if (!quiet || !best->arrival.compare_exchange_strong(arrival, std::max(arrival, now))) {
      best->tag.store(former);
      continue;
    }
    best->tag.store(tag);
    set.adding.clear(std::memory_order_release);
    return *best;
  }
}

Verdict Limiter::take(std::string_view name, const LimitClass& limit, std::string_view key, SteadyTime now) noexcept {
  const Rule rule(limit);
  Verdict verdict{false, limit.requests, 0, {}, {}};
  if (rule.interval == 0) {
    verdict.retry_after = std::max(limit.window, std::chrono::seconds(1));
    return verdict;
  }
  const std::uint64_t tag = tag_of(name, key);
  const std::uint64_t at = ns_of(now);
  Set& set = sets_[(tag >> 2U) & mask_];
  for (;;) {
    const auto found = std::ranges::find_if(set.slots, [&](const Slot& slot) { return slot.tag.load() == tag; });
    Slot& slot = found != set.slots.end() ? *found : claim(set, tag, at);
    std::uint64_t arrival = slot.arrival.load();
    if (slot.tag.load() != tag) continue;
    const std::uint64_t next = std::max(arrival, at) + rule.interval;
    const std::uint64_t ahead = next - at;
    if (ahead > rule.tolerance) {
      verdict.reset_after = seconds_up(ahead - rule.interval);
      verdict.retry_after = std::max(seconds_up(ahead - rule.tolerance), std::chrono::seconds(1));
      return verdict;
    }
    if (!slot.arrival.compare_exchange_strong(arrival, next)) continue;
    // The slot may have gone to another key in between: that key was charged, conservatively; this one is charged again.
    if (slot.tag.load() != tag) continue;
    verdict.allow = true;
    verdict.remaining =
        static_cast<std::uint32_t>(std::min<std::uint64_t>((rule.tolerance - ahead) / rule.interval, limit.requests));
    verdict.reset_after = seconds_up(ahead);
    return verdict;
  }
}

}  // namespace sallyport::rate
