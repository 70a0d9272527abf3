// Metrics for Prometheus: each worker counts in a shard of its own (one writer, relaxed stores: about a nanosecond an
// event), a scrape adds the shards up. Owned by app. A Shard belongs to one thread; `expose` may run on any. At most
// 256 servers have counters of their own, later ones share the label "other".
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/decision.h"
#include "core/error.h"
#include "telemetry/counter.h"

namespace sallyport::telemetry {

enum class Route : std::uint8_t { mcp_call, mcp_list, mcp_other, api, auth, ops, unknown, count_ };
enum class Outcome : std::uint8_t { ok, refused, failed, cancelled, count_ };
enum class Event : std::uint8_t {
  audit_record,
  rate_limit_violation,
  failed_login,
  permission_denial,
  tls_failure,
  log_line_dropped,
  shadow_would_deny,
  shadow_would_allow,
  shadow_error,
  list_kept,
  count_
};
enum class Gauge : std::uint8_t { connections, sessions, streams, upstream_processes, count_ };

template <class E>
inline constexpr std::size_t kCount = static_cast<std::size_t>(E::count_);

struct UpstreamCounters {
  Counter calls, errors, restarts;
};

class Metrics;

class Shard {
 public:
  void request(Route route, Outcome outcome) noexcept { requests_[index(route)][index(outcome)].add(); }
  void refusal(Stage stage, Code code) noexcept { refusals_[index(stage)][index(code)].add(); }
  void event(Event event, std::uint64_t by = 1) noexcept { events_[index(event)].add(by); }
  void stage(Stage stage, std::chrono::nanoseconds took) noexcept { stages_[index(stage)].observe(took); }
  void gauge(Gauge gauge, std::int64_t by) noexcept { gauges_[index(gauge)].add(static_cast<std::uint64_t>(by)); }
  // Counters of one server in this shard; stays valid as long as the Metrics. A map look-up: keep it per server.
  UpstreamCounters& upstream(std::string_view server);

 private:
  friend class Metrics;
  friend class StageClock;
  explicit Shard(Metrics& owner) : owner_(owner) {}
  template <class E>
  static constexpr std::size_t index(E e) {
    return static_cast<std::size_t>(e);
  }
  struct Upstreams;

  Metrics& owner_;
  std::uint32_t tick_ = 0;
  std::array<std::array<Counter, kCount<Outcome>>, kCount<Route>> requests_;
  std::array<std::array<Counter, kCount<Code>>, kCount<Stage>> refusals_;
  std::array<Counter, kCount<Event>> events_;
  std::array<Counter, kCount<Gauge>> gauges_;
  std::array<Histogram, kCount<Stage>> stages_;
  std::vector<std::pair<std::string, std::unique_ptr<UpstreamCounters>>> upstreams_;  // guarded by owner_ when it grows
};

// Times the stages of one request in 16: `StageClock timing(shard, clock);` then `timing.lap(Stage::identity)` after
// each.
class StageClock {
 public:
  StageClock(Shard& shard, const Clock& clock) noexcept;
  void lap(Stage stage) noexcept {
    if (shard_ != nullptr) record(stage);
  }
  // What stood between the last lap and now (a wait on the upstream) counts for no stage.
  void skip() noexcept {
    if (shard_ != nullptr) last_ = clock_->steady();
  }

 private:
  void record(Stage stage) noexcept;
  Shard* shard_ = nullptr;  // null: this request is not sampled
  const Clock* clock_ = nullptr;
  SteadyTime last_{};
};

class Metrics {
 public:
  // `shards`: the workers plus one for the control plane, which is the last.
  Metrics(std::size_t shards, std::string version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  [[nodiscard]] Shard& shard(std::size_t i) { return *shards_.at(i); }
  // The Prometheus text exposition (version 0.0.4); reads /proc/self/statm for the resident memory.
  [[nodiscard]] std::string expose() const;
  [[nodiscard]] std::uint64_t total(Event event) const noexcept;
  [[nodiscard]] std::int64_t total(Gauge gauge) const noexcept;

 private:
  friend class Shard;
  struct Impl;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::telemetry
