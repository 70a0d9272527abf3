// Fuzz: the input once as a whole token (never accepted: the fuzzer has no key), once as a header and once as a payload
// under the right key, for the operator's secret and for a key with an id (what is accepted must be within the rules).
// Corpus: tests/fuzz/jwt_token.
#include <cstdlib>
#include <string_view>

#include "engines/token/token_test_support.h"

namespace {

using namespace sallyport;
using namespace sallyport::token::testing;

void try_under(const token::KeyRing& ring, std::string_view input) {
  static const token::TokenCodec codec(rules());
  const token::RingKey& key = *ring.signer();
  const std::string header = token::KeyRing::header_of(key);
  if (codec.verify(&ring, input, kNow)) std::abort();
  if (input.size() > 5'000) return;
  const auto other = codec.verify(&ring, signed_text(*key.key, input, kPayload), kNow);
  if (other && !key.id.empty() && input != header) std::abort();
  const auto read = codec.verify(&ring, signed_text(*key.key, header, input), kNow);
  if (!read) return;
  if (read->expires_at <= kNow || read->not_before > kNow + std::chrono::seconds(30)) std::abort();
  const auto again = codec.issue(&ring, *read);
  if (!again || !codec.verify(&ring, *again, kNow)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const token::KeyRing with_id({made_key(crypto::JwsAlgorithm::eddsa)});
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_under(*ring(), input);
  try_under(with_id, input);
  return 0;
}
