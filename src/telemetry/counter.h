// Counters that cost a nanosecond: one thread writes (a plain load and store, no locked instruction), any thread reads.
// Owned by a Shard (telemetry/metrics.h), which belongs to one worker.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sallyport::telemetry {

// One writer, many readers.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const noexcept { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> v_{0};
};

// Buckets 1.024 us * 2^k up to 34 s.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 27;  // the last one: beyond
  void observe(std::chrono::nanoseconds took) noexcept;
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].get(); }
  [[nodiscard]] std::uint64_t sum_ns() const noexcept { return sum_ns_.get(); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

}  // namespace sallyport::telemetry
