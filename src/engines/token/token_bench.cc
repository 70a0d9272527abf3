#include <benchmark/benchmark.h>

#include "engines/token/token_test_support.h"

namespace sallyport::token {
namespace {

void verify(benchmark::State& state, const RingKey& key) {
  const TokenCodec codec(testing::rules());
  const KeyRing ring({key});
  const std::string token = codec.issue(&ring, testing::claims()).value();
  for (auto _ : state) benchmark::DoNotOptimize(codec.verify(&ring, token, testing::kNow));
}

void BM_VerifyToken(benchmark::State& state) { verify(state, testing::ring()->keys().front()); }
void BM_VerifyTokenEs256(benchmark::State& state) { verify(state, testing::made_key(crypto::JwsAlgorithm::es256)); }
void BM_VerifyTokenEdDsa(benchmark::State& state) { verify(state, testing::made_key(crypto::JwsAlgorithm::eddsa)); }
void BM_VerifyTokenRs256(benchmark::State& state) { verify(state, testing::made_key(crypto::JwsAlgorithm::rs256)); }
BENCHMARK(BM_VerifyToken);
BENCHMARK(BM_VerifyTokenEs256);
BENCHMARK(BM_VerifyTokenEdDsa);
BENCHMARK(BM_VerifyTokenRs256);

}  // namespace
}  // namespace sallyport::token
