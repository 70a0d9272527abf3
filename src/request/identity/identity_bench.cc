#include <benchmark/benchmark.h>

#include "request/identity/identity_test_support.h"

namespace sallyport {
namespace {

void verify(benchmark::State& state, testing::World& world, const std::string& credential, bool cached) {
  const std::string field = "Bearer " + credential;
  const CredentialView seen{.authorization = field};
  Snapshot snapshots[2] = {world.snapshot(), world.snapshot()};  // changing parts empty the cache
  unsigned turn = 0;
  for (auto _ : state) {
    turn += cached ? 0 : 1;
    auto principal = world.identity_.verify(snapshots[turn % 2], seen, testing::kNow);
    if (!principal) state.SkipWithError("refused");
    benchmark::DoNotOptimize(principal);
  }
}

void BM_CachedKey(benchmark::State& state) {
  testing::World world;
  verify(state, world, world.key(), true);
}
void BM_CachedToken(benchmark::State& state) {
  testing::World world;
  verify(state, world, world.token(), true);
}
void BM_UncachedKey(benchmark::State& state) {
  testing::World world;
  verify(state, world, world.key(), false);
}
void BM_UncachedToken(benchmark::State& state) {
  testing::World world;
  verify(state, world, world.token(), false);
}
BENCHMARK(BM_CachedKey);
BENCHMARK(BM_CachedToken);
BENCHMARK(BM_UncachedKey);
BENCHMARK(BM_UncachedToken);

}  // namespace
}  // namespace sallyport
