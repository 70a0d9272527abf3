// Inside telemetry only: the sums of all shards at one scrape, and their serialisation by prometheus-cpp.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "telemetry/metrics.h"

namespace sallyport::telemetry {

struct Metrics::Impl {
  std::string version;
  mutable std::mutex servers_mutex;  // while a shard's list of servers grows, and while a scrape reads the lists
};

template <std::size_t Rows, std::size_t Columns>
using Table = std::array<std::array<std::uint64_t, Columns>, Rows>;

struct Totals {
  Table<kCount<Route>, kCount<Outcome>> requests{};
  Table<kCount<Stage>, kCount<Code>> refusals{};
  Table<kCount<Stage>, Histogram::kBuckets> stage_buckets{};
  std::array<std::uint64_t, kCount<Stage>> stage_sum_ns{};
  std::array<std::uint64_t, kCount<Event>> events{};
  std::array<std::int64_t, kCount<Gauge>> gauges{};
  std::map<std::string, std::array<std::uint64_t, 3>> upstreams;  // calls, errors, restarts
};

template <class Sums, class Counters>
void add_each(Sums& sums, const Counters& counters) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    for (std::size_t j = 0; j < sums[i].size(); ++j) sums[i][j] += counters[i][j].get();
  }
}

std::string serialise(const Totals& totals, const std::string& version);

}  // namespace sallyport::telemetry
