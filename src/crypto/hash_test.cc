#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

std::string run(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i) out += static_cast<char>(i);
  return out;
}
std::string hmac(const std::string& key, std::string_view data) { return hex_encode(hmac_sha256(as_bytes(key), data)); }
std::string hkdf(const std::string& key, const std::string& salt, const std::string& info, std::size_t length) {
  return hex_encode(as_bytes(hkdf_sha256(as_bytes(key), as_bytes(salt), info, length).reveal()));
}

TEST(Hash, Sha256OfFips180) {
  EXPECT_EQ(hex_encode(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Hash, PiecesGiveTheDigestOfTheWhole) {
  Sha256 hash;
  for (int round = 0; round < 2; ++round) {  // finish() starts anew
    hash.update("a");
    hash.update("");
    hash.update("bc");
    EXPECT_EQ(hash.finish(), sha256("abc"));
  }
}

TEST(Hash, HmacOfRfc4231) {
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hmac(run(1, 25), std::string(50, '\xcd')),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hmac(std::string(131, '\xaa'),
                 "This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                 "to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(Hash, AnEmptyHmacKeyIsNotTheKeyOfTheCallBefore) {
  (void)hmac("some other key", "data");
  EXPECT_EQ(hmac("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hash, HkdfOfRfc5869) {
  EXPECT_EQ(hkdf(std::string(22, '\x0b'), run(0, 12), run(0xf0, 0xf9), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf(run(0, 0x4f), run(0x60, 0xaf), run(0xb0, 0xff), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600"
            "c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hkdf(std::string(22, '\x0b'), "", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hash, ThreadsDoNotDisturbEachOther) {
  const auto work = [](const std::string& text) {
    const Digest first = sha256(text);
    for (int i = 0; i < 2'000; ++i) {
      EXPECT_EQ(sha256(text), first);
      EXPECT_EQ(hmac_sha256(first, text), hmac_sha256(first, text));
    }
  };
  std::thread a(work, "one");
  std::thread b(work, "another");
  a.join();
  b.join();
}

TEST(HashDeathTest, AnImpossibleHkdfLengthEndsTheProcess) {
  EXPECT_DEATH((void)hkdf_sha256(as_bytes("key"), {}, "", 8161), "HKDF");
  EXPECT_DEATH((void)hkdf_sha256(as_bytes("key"), {}, "", 0), "HKDF");
  EXPECT_DEATH((void)hkdf_sha512(as_bytes("key"), {}, "", 16'321), "HKDF");
  EXPECT_DEATH((void)hkdf_sha512(as_bytes("key"), {}, "", 0), "HKDF");
}

}  // namespace
}  // namespace sallyport::crypto
