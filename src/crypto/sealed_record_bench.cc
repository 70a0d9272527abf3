// Seals and opens a second of stored values (issue 6, done when 7): 64 bytes, a token; 4 KiB, a certificate's key.
#include <benchmark/benchmark.h>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/sealed_record.h"

namespace sallyport::crypto {
namespace {

constexpr Binding kPlace{"vault_versions", "0123456789abcdef01234567", "ciphertext", 3};

KeyStore keys_with_one() {
  SystemRandom random;
  KeyStore keys = KeyStore::from_master(Secret(std::string(as_text(sha256("bench"))))).value();
  WrappingKeySet set;
  set.push_back({1, WallTime{}, std::nullopt, std::make_shared<const LockedKey>(LockedKey::random(random))});
  keys.wrapping().replace(std::move(set));
  return keys;
}

void BM_Seal(benchmark::State& state) {
  SystemRandom random;
  const KeyStore keys = keys_with_one();
  const std::string plain(static_cast<std::size_t>(state.range(0)), 's');
  for (auto _ : state) benchmark::DoNotOptimize(seal_record(keys, plain, kPlace, random));
  state.SetItemsProcessed(state.iterations());
}
void BM_Open(benchmark::State& state) {
  SystemRandom random;
  const KeyStore keys = keys_with_one();
  const auto record = seal_record(keys, std::string(static_cast<std::size_t>(state.range(0)), 's'), kPlace, random);
  for (auto _ : state) benchmark::DoNotOptimize(open_record(keys, *record, kPlace));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Seal)->Arg(64)->Arg(4096);
BENCHMARK(BM_Open)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace sallyport::crypto
