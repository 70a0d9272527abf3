#include "crypto/signature.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

struct Vector {
  const char *seed, *public_key, *message, *signature;
};

// RFC 8032 7.1, tests 1 to 3.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a"}};

TEST(Signature, Rfc8032) {
  for (const Vector& v : kVectors) {
    const auto key = SigningKey::from_seed(*hex_decode(v.seed));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(hex_encode(key->public_key()), v.public_key);
    const auto message = *hex_decode(v.message);
    EXPECT_EQ(hex_encode(key->sign(message).value()), v.signature);
    EXPECT_TRUE(verify(key->public_key(), message, *hex_decode(v.signature)));
  }
}

TEST(Signature, RefusesAnotherMessageKeyOrSignature) {
  SystemRandom random;
  const auto key = SigningKey::generate(random).value();
  const auto other = SigningKey::generate(random).value();
  const Signature good = key.sign("checkpoint 7").value();
  EXPECT_TRUE(verify(key.public_key(), "checkpoint 7", good));
  EXPECT_FALSE(verify(key.public_key(), "checkpoint 8", good));
  EXPECT_FALSE(verify(other.public_key(), "checkpoint 7", good));
  EXPECT_FALSE(verify(PublicKey{}, "checkpoint 7", good));
  EXPECT_FALSE(verify(key.public_key(), "checkpoint 7", std::span(good).first(63)));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Signature changed = good;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(verify(key.public_key(), "checkpoint 7", changed)) << bit;
  }
}

TEST(Signature, WantsASeedOf32Bytes) { EXPECT_EQ(SigningKey::from_seed(as_bytes("short")).error().code, Code::crypto); }

}  // namespace
}  // namespace sallyport::crypto
