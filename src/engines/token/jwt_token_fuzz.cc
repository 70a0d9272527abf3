// Fuzz: the input once as a whole token (never accepted: the fuzzer has no key), once as a payload under the right key
// (what is accepted must be within the rules). Corpus: tests/fuzz/jwt_token.
#include <cstdlib>
#include <string_view>

#include "crypto/jws.h"
#include "engines/token/token_test_support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  using namespace sallyport::token::testing;
  static const token::TokenCodec codec(key(), rules());
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (codec.verify(input, kNow)) std::abort();
  if (size > 6'000) return 0;
  (void)codec.verify(crypto::jws_sign(key(), input, kPayload), kNow);
  const auto read = codec.verify(crypto::jws_sign(key(), kHeader, input), kNow);
  if (!read) return 0;
  if (read->expires_at <= kNow || read->not_before > kNow + std::chrono::seconds(30)) std::abort();
  const auto again = codec.issue(*read);
  if (!again || !codec.verify(*again, kNow)) std::abort();
  return 0;
}
