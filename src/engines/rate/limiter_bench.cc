// Budget: 100 ns a decision (threats.md, section 4).
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engines/rate/limiter.h"

namespace {

using sallyport::SteadyTime;

void take_one_key(benchmark::State& state) {
  sallyport::SystemRandom random;
  sallyport::rate::Limiter limiter(random);
  const sallyport::LimitClass limit{600, std::chrono::seconds(60), 10};
  SteadyTime now{std::chrono::seconds(1000)};
  for (auto _ : state) {
    now += std::chrono::microseconds(10);
    benchmark::DoNotOptimize(limiter.take("mcp", limit, "key:AbCdEfGhIjKl", now));
  }
}
BENCHMARK(take_one_key);

void take_many_keys(benchmark::State& state) {
  sallyport::SystemRandom random;
  sallyport::rate::Limiter limiter(random);
  const sallyport::LimitClass limit{600, std::chrono::seconds(60), 10};
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back("key:AbCdEfGh" + std::to_string(i));
  SteadyTime now{std::chrono::seconds(1000)};
  std::size_t i = 0;
  for (auto _ : state) {
    now += std::chrono::microseconds(10);
    benchmark::DoNotOptimize(limiter.take("mcp", limit, keys[i], now));
    i = (i + 7919) % keys.size();
  }
}
BENCHMARK(take_many_keys);

}  // namespace
