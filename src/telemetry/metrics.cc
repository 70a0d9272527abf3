#include "telemetry/metrics.h"

#include <bit>
#include <mutex>
#include <utility>

#include "telemetry/metrics_impl.h"

namespace sallyport::telemetry {

namespace {
constexpr std::size_t kServersMax = 256;
constexpr std::uint32_t kSampleEvery = 16;
}  // namespace

void Histogram::observe(std::chrono::nanoseconds took) noexcept {
  const std::uint64_t ns = took.count() > 0 ? static_cast<std::uint64_t>(took.count()) : 0;
  // ns <= 1024 * 2^k falls into bucket k.
  const std::uint64_t above = ns > 0 ? (ns - 1) >> 10 : 0;
  const auto k = static_cast<std::size_t>(std::bit_width(above));
  buckets_[k < kBuckets ? k : kBuckets - 1].add();
  sum_ns_.add(ns);
}

UpstreamCounters& Shard::upstream(std::string_view server) {
  for (const auto& [name, counters] : upstreams_) {
    if (name == server) return *counters;
  }
  if (upstreams_.size() >= kServersMax && server != "other") return upstream("other");
  const std::lock_guard lock(owner_.impl_->servers_mutex);  // only growing takes the lock: a scrape may be reading
  return *upstreams_.emplace_back(std::string(server), std::make_unique<UpstreamCounters>()).second;
}

StageClock::StageClock(Shard& shard, const Clock& clock) noexcept {
  if (++shard.tick_ % kSampleEvery != 0) return;
  shard_ = &shard;
  clock_ = &clock;
  last_ = clock.steady();
}

void StageClock::record(Stage stage) noexcept {
  const SteadyTime now = clock_->steady();
  shard_->stage(stage, now - last_);
  last_ = now;
}

Metrics::Metrics(std::size_t shards, std::string version) : impl_(std::make_unique<Impl>()) {
  impl_->version = std::move(version);
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::unique_ptr<Shard>(new Shard(*this)));
}

Metrics::~Metrics() = default;

std::uint64_t Metrics::total(Event event) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->events_[static_cast<std::size_t>(event)].get();
  return sum;
}

std::int64_t Metrics::total(Gauge gauge) const noexcept {
  std::uint64_t sum = 0;  // two's complement: shards may go below zero, the sum does not
  for (const auto& shard : shards_) sum += shard->gauges_[static_cast<std::size_t>(gauge)].get();
  return static_cast<std::int64_t>(sum);
}

std::string Metrics::expose() const {
  Totals totals;
  for (const auto& shard : shards_) {
    add_each(totals.requests, shard->requests_);
    add_each(totals.refusals, shard->refusals_);
    for (std::size_t s = 0; s < kCount<Stage>; ++s) {
      for (std::size_t k = 0; k < Histogram::kBuckets; ++k) totals.stage_buckets[s][k] += shard->stages_[s].bucket(k);
      totals.stage_sum_ns[s] += shard->stages_[s].sum_ns();
    }
  }
  for (std::size_t e = 0; e < kCount<Event>; ++e) totals.events[e] = total(static_cast<Event>(e));
  for (std::size_t g = 0; g < kCount<Gauge>; ++g) totals.gauges[g] = total(static_cast<Gauge>(g));
  {
    const std::lock_guard lock(impl_->servers_mutex);
    for (const auto& shard : shards_) {
      for (const auto& [name, c] : shard->upstreams_) {
        auto& sum = totals.upstreams[name];
        sum[0] += c->calls.get();
        sum[1] += c->errors.get();
        sum[2] += c->restarts.get();
      }
    }
  }
  return serialise(totals, impl_->version);
}

}  // namespace sallyport::telemetry
