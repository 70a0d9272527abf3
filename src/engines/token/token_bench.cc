#include <benchmark/benchmark.h>

#include "engines/token/token_test_support.h"

namespace sallyport::token {
namespace {

void BM_VerifyToken(benchmark::State& state) {
  const TokenCodec codec(testing::key(), testing::rules());
  const std::string token = codec.issue(testing::claims()).value();
  for (auto _ : state) benchmark::DoNotOptimize(codec.verify(token, testing::kNow));
}
BENCHMARK(BM_VerifyToken);

}  // namespace
}  // namespace sallyport::token
