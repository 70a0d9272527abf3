#include "crypto/scrypt.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sodium.h>

#include <vector>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

struct Vector {
  const char *password, *salt;
  unsigned n, r, p;
  const char* key;
};

// RFC 7914 12. (Sections 8 to 11 print the steps within scrypt, which OpenSSL does not offer one by one.)
constexpr Vector kVectors[] = {
    {"", "", 16, 1, 1,
     "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628"
     "cf35e20c38d18906"},
    {"password", "NaCl", 1024, 8, 16,
     "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d"
     "8360cbdfa2cc0640"},
    {"pleaseletmein", "SodiumChloride", 16384, 8, 1,
     "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40"
     "dfcf017b45575887"},
    {"pleaseletmein", "SodiumChloride", 1'048'576, 8, 1,
     "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa478e56fd8f4ba5d09ffa1c6d927c40f4c337304049e8a952fb"
     "cbf45c6fa77a41a4"}};

std::string derived(const Vector& v) {
  std::vector<std::byte> key(64);
  return scrypt_unbounded(v.password, v.salt, v.n, v.r, v.p, key) ? hex_encode(key) : "refused";
}

TEST(Scrypt, Rfc7914) {
  for (const Vector& v : kVectors) EXPECT_EQ(derived(v), v.key) << v.n;  // the last: 1 GiB and three seconds
}

// libsodium has a scrypt of its own: with our parameters, whose vector the RFC does not print, both must agree.
TEST(Scrypt, DerivesWhatASecondImplementationDerives) {
  SystemRandom random;
  const auto parameters = ScryptParameters::fresh(random).value();
  const std::string text = parameters.text();
  ASSERT_TRUE(text.starts_with("$scrypt$ln=17,r=8,p=1$")) << text;
  const auto salt = base64url_decode(text.substr(text.rfind('$') + 1)).value();
  ASSERT_EQ(salt.size(), 32U);
  const std::string_view password = "correct horse battery staple";
  std::vector<std::byte> other(32);
  ASSERT_EQ(
      crypto_pwhash_scryptsalsa208sha256_ll(reinterpret_cast<const unsigned char*>(password.data()), password.size(),
                                            reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), 1U << 17U,
                                            8, 1, reinterpret_cast<unsigned char*>(other.data()), other.size()),
      0);
  const auto key = ScryptParameters::parse(text).value().derive(password);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(hex_encode(key->bytes()), hex_encode(other));
}

constexpr std::string_view kSalt16 = "AAECAwQFBgcICQoLDA0ODw";

TEST(ScryptParameters, ReadsWhatItWrites) {
  SystemRandom random;
  for (const unsigned log2_n : {17U, 18U, 19U}) {
    const auto parameters = ScryptParameters::fresh(random, log2_n).value();
    EXPECT_EQ(ScryptParameters::parse(parameters.text()).value().text(), parameters.text());
    EXPECT_EQ(parameters.log2_n(), log2_n);
  }
  EXPECT_NE(ScryptParameters::fresh(random)->text(), ScryptParameters::fresh(random)->text()) << "one salt for all";
  EXPECT_TRUE(ScryptParameters::parse("$scrypt$ln=17,r=8,p=1$" + std::string(kSalt16)).has_value());
}

#ifdef SALLYPORT_FAULTS
TEST(ScryptParameters, IsCheapForTheCrashTestAloneAndOnlyWhileItAsks) {
  SystemRandom random;
  std::string line;
  {
    const CheapScrypt cheap;
    line = ScryptParameters::fresh(random).value().text();
    EXPECT_TRUE(ScryptParameters::parse(line).has_value()) << line;
  }
  EXPECT_TRUE(line.starts_with("$scrypt$ln=10,")) << line;
  EXPECT_FALSE(ScryptParameters::parse(line).has_value());
  EXPECT_EQ(ScryptParameters::fresh(random)->log2_n(), kScryptLog2NMin);
}
#endif

// Who can write the stored line may neither make the password cheap to guess nor the start impossible.
TEST(ScryptParametersAbuse, WeakAndAbsurdCosts) {
  SystemRandom random;
  for (const unsigned log2_n : {0U, 1U, 10U, 16U, 20U, 32U, 63U, 64U, 4'294'967'295U}) {
    EXPECT_EQ(ScryptParameters::fresh(random, log2_n).error().code, Code::config) << log2_n;
    const std::string text = "$scrypt$ln=" + std::to_string(log2_n) + ",r=8,p=1$" + std::string(kSalt16);
    EXPECT_EQ(ScryptParameters::parse(text).error().code, Code::config) << text;
  }
  for (const char* cost :
       {"ln=17,r=1,p=1", "ln=17,r=9,p=1", "ln=17,r=8,p=0", "ln=17,r=8,p=2", "ln=17,r=1073741824,p=1"}) {
    EXPECT_FALSE(ScryptParameters::parse("$scrypt$" + std::string(cost) + "$" + std::string(kSalt16)).has_value())
        << cost;
  }
}

TEST(ScryptParametersAbuse, OtherSpellings) {
  const std::string good = "$scrypt$ln=17,r=8,p=1$" + std::string(kSalt16);
  ASSERT_TRUE(ScryptParameters::parse(good).has_value());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ScryptParameters::parse(good.substr(0, size)).has_value()) << size;
  }
  const std::string tail = ",r=8,p=1$" + std::string(kSalt16);
  for (const std::string& bad :
       {"$scrypt$ln=017" + tail, "$scrypt$ln=+17" + tail, "$scrypt$ln=-17" + tail, "$scrypt$ln= 17" + tail,
        "$scrypt$ln=0x11" + tail, "$scrypt$ln=99999999999999999999" + tail, " " + good, good + " ", good + "=",
        good + "$", "$Scrypt$ln=17" + tail, "$argon2id$ln=17" + tail, good.substr(0, good.size() - 1) + "x",
        std::string("$scrypt$ln=17,r=8,p=1$") + std::string(87, 'A'), std::string(100'000, '$')}) {
    EXPECT_FALSE(ScryptParameters::parse(bad).has_value()) << bad.substr(0, 100);
  }
}

TEST(ScryptParameters, WantsAPasswordOf1To1024Bytes) {
  SystemRandom random;
  const auto parameters = ScryptParameters::fresh(random).value();
  EXPECT_EQ(parameters.derive("").error().code, Code::limit);
  EXPECT_EQ(parameters.derive(std::string(1025, 'x')).error().code, Code::limit);
}

TEST(Scrypt, WhatOpenSslRefusesLeavesNoErrorBehind) {
  std::vector<std::byte> key(32);
  ERR_clear_error();
  EXPECT_FALSE(scrypt_unbounded("x", "salt", 1'000, 8, 1, key)) << "N is a power of two (RFC 7914 2)";
  EXPECT_FALSE(scrypt_unbounded("x", "salt", 1'024, 1U << 20U, 1U << 20U, key)) << "r * p < 2^30 (RFC 7914 2)";
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace sallyport::crypto
