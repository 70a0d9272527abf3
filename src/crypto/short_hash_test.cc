#include "crypto/short_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

ShortHashKey key() {
  ShortHashKey out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i);
  return out;
}

// The first vectors of the reference implementation (vectors_sip128): key 00..0f, input nothing, then 00.
TEST(ShortHash, IsSipHash128) {
  EXPECT_EQ(hex_encode(short_hash(key(), "")), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(hex_encode(short_hash(key(), std::string_view("\0", 1))), "da87c1d86b99af44347659119b22fc45");
}

TEST(ShortHash, GoesByKeyAndByEachByte) {
  const std::string text(1'000, 'x');
  ShortHashKey other = key();
  other[15] ^= std::byte{1};
  EXPECT_NE(short_hash(other, text), short_hash(key(), text));
  for (const std::size_t i : {0U, 7U, 8U, 499U, 999U}) {
    std::string changed = text;
    changed[i] = 'y';
    EXPECT_NE(short_hash(key(), changed), short_hash(key(), text)) << i;
  }
  EXPECT_NE(short_hash(key(), text + std::string(1, '\0')), short_hash(key(), text));
}

}  // namespace
}  // namespace sallyport::crypto
