// Fuzz: "<Authorization>\n<X-API-Key>\n<query>" against a world with one user and one key; nothing is ever accepted,
// since the fuzzer has neither. Corpus: tests/fuzz/apikey_credential.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "request/identity/identity_test_support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  static testing::World world;
  static const Snapshot snapshot = world.snapshot();
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto next = [&input] {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    return line;
  };
  CredentialView seen;
  if (const auto field = next(); !field.empty()) seen.see("authorization", field);
  if (const auto field = next(); !field.empty()) seen.see("X-Api-Key", field);
  seen.query = input;
  if (world.identity_.verify(snapshot, seen, testing::kNow)) std::abort();
  return 0;
}
