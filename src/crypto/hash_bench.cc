#include <benchmark/benchmark.h>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

const std::string kToken(53, 'k');
const std::string kKey(32, 'K');

void BM_Sha256OfAToken(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(sha256(kToken));
}
void BM_HmacOfAToken(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256(as_bytes(kKey), kToken));
}
BENCHMARK(BM_Sha256OfAToken);
BENCHMARK(BM_HmacOfAToken);

}  // namespace
}  // namespace sallyport::crypto
