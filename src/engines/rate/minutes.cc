#include "engines/rate/minutes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <numeric>
#include <span>

#include "engines/rate/limiter.h"
#include "engines/rate/siphash.h"

namespace sallyport::rate {
namespace {

constexpr std::size_t kWays = 8;
constexpr std::uint64_t kSeconds = 61;  // a minute that begins within a second reaches into so many

class Unlock {
 public:
  explicit Unlock(std::atomic_flag& flag) noexcept : flag_(flag) {}
  Unlock(const Unlock&) = delete;
  Unlock& operator=(const Unlock&) = delete;
  ~Unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& flag_;
};

}  // namespace

struct Minutes::Entry {
  std::uint64_t tag = 0;  // 0: nobody's
  std::uint64_t newest = 0;  // the second that was counted last
  std::array<std::uint16_t, kSeconds> counts{};  // of the second s at s % 61: those of newest - 60 to newest

  std::uint16_t& at(std::uint64_t second) noexcept { return counts[second % kSeconds]; }
  void move_to(std::uint64_t second) noexcept {
    if (second <= newest) return;  // a worker's clock was read a little earlier
    if (second - newest >= kSeconds) counts.fill(0);
    else
      while (newest < second) at(++newest) = 0;
    newest = second;
  }
  // Where two may be the same one: no fewer than either. Both are then of the same second.
  void unite(Entry other) noexcept {
    move_to(other.newest);
    other.move_to(newest);
    for (std::size_t i = 0; i < kSeconds; ++i) counts[i] = std::max(counts[i], other.counts[i]);
  }
  [[nodiscard]] std::uint32_t sum() const noexcept { return std::accumulate(counts.begin(), counts.end(), 0U); }
  // Seconds until `places` of the calls that count have left.
  [[nodiscard]] std::chrono::seconds until_gone(std::uint64_t places) noexcept {
    std::uint64_t gone = 0, wait = 0;
    while (gone < places && wait < kSeconds) gone += at(newest + ++wait);  // the oldest is where the next one will be
    return std::chrono::seconds(wait);
  }
};

struct alignas(64) Minutes::Set {
  std::atomic_flag busy;
  std::array<Entry, kWays> entries;
  Entry lost;  // no fewer than any pair whose entry was taken had, in each second: what a newcomer begins with

  Entry* find(std::uint64_t tag) noexcept {
    const auto found = std::ranges::find(entries, tag, &Entry::tag);
    return found == entries.end() ? nullptr : &*found;
  }
  // In place of who called least; whoever that is begins with `lost` when it comes back.
  void put(const Entry& newcomer) noexcept {
    for (Entry& entry : entries) entry.move_to(newcomer.newest);
    Entry& least = *std::ranges::min_element(entries, {}, &Entry::sum);
    lost.unite(least);
    least = newcomer;
  }
};

Minutes::Minutes(Random& random, std::size_t entries) {
  random.fill(std::as_writable_bytes(std::span(key_)));
  const std::size_t sets = std::bit_ceil(std::clamp<std::size_t>(entries, kWays, std::size_t{1} << 20U)) / kWays;
  mask_ = sets - 1;
  sets_ = std::make_unique<Set[]>(sets);
}

Minutes::~Minutes() = default;

Verdict Minutes::take(std::uint32_t most, std::string_view key, SteadyTime now) noexcept {
  SipHash13 hash(key_[0], key_[1]);
  hash.add(key);
  const std::uint64_t tag = hash.finish() | 1U;
  const auto since = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  Set& set = sets_[(tag >> 1U) & mask_];
  while (set.busy.test_and_set(std::memory_order_acquire)) {
  }
  const Unlock unlock(set.busy);
  Entry* const known = set.find(tag);
  Entry newcomer;
  if (known == nullptr) {
    newcomer = set.lost;
    newcomer.tag = tag;
  }
  Entry& entry = known != nullptr ? *known : newcomer;
  entry.move_to(static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0)));
  const std::uint32_t calls = entry.sum();
  std::uint16_t& this_second = entry.at(entry.newest);
  Verdict verdict{false, most, 0, {}, {}};
  if (calls >= most || this_second == std::numeric_limits<std::uint16_t>::max()) {
    verdict.reset_after = entry.until_gone(calls);
    verdict.retry_after = calls < most ? std::chrono::seconds(1) : entry.until_gone(std::uint64_t{calls} - most + 1);
    verdict.retry_after = std::max(verdict.retry_after, std::chrono::seconds(1));  // a limit of 0 admits nothing
    return verdict;  // who is refused takes nobody's entry
  }
  ++this_second;
  if (known == nullptr) set.put(newcomer);
  verdict.allow = true;
  verdict.remaining = most - calls - 1;
  verdict.reset_after = std::chrono::seconds(kSeconds);
  return verdict;
}

}  // namespace sallyport::rate
