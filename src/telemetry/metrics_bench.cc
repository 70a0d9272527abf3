#include <benchmark/benchmark.h>

#include "telemetry/metrics.h"

namespace sallyport::telemetry {
namespace {

// What one allowed call counts, sampled stage timing included: the budget is 100 ns.
void BM_OneRequest(benchmark::State& state) {
  Metrics metrics(3, "bench");
  Shard& shard = metrics.shard(0);
  UpstreamCounters& upstream = shard.upstream("calculator");
  SystemClock clock;
  for (auto _ : state) {
    StageClock timing(shard, clock);
    for (std::size_t s = 0; s < kCount<Stage>; ++s) timing.lap(static_cast<Stage>(s));
    upstream.calls.add();
    shard.event(Event::audit_record);
    shard.event(Event::audit_record);
    shard.request(Route::mcp_call, Outcome::ok);
  }
}
BENCHMARK(BM_OneRequest);

}  // namespace
}  // namespace sallyport::telemetry
