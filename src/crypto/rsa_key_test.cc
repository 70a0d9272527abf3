#include "crypto/rsa_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "core/encoding.h"
#include "crypto/jws_key_test_support.h"
#include "crypto/rsa_key_test_support.h"

namespace sallyport::crypto {
namespace {

using testing::EvpKey;
using testing::kRsaPrivatePem;
using testing::kRsaPublicPem;

std::string pem_of(const EvpKey& key, bool is_private) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  char* text = nullptr;
  const int done = is_private
                       ? PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)
                       : PEM_write_bio_PUBKEY(bio.get(), key.get());
  const long size = BIO_get_mem_data(bio.get(), &text);
  EXPECT_EQ(done, 1);
  return {text, static_cast<std::size_t>(size)};
}

EvpKey rsa(unsigned bits, unsigned exponent = 65'537, const char* kind = "RSA") {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), &EVP_PKEY_CTX_free);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                         OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_params(context.get(), params);
  EVP_PKEY_generate(context.get(), &key);
  return {key, &EVP_PKEY_free};
}

class RsaKeyOf2048 : public ::testing::Test {
 protected:
  RsaKey key_ = RsaKey::from_private_pem(kRsaPrivatePem).value();
  RsaKey public_ = RsaKey::from_public_pem(kRsaPublicPem).value();
};

TEST(RsaKeyMade, Has3072BitsAndReturnsFromItsPem) {
  const RsaKey key = RsaKey::generate().value();
  EXPECT_EQ(key.bits(), 3072U);
  const RsaKey again = RsaKey::from_private_pem(key.private_pem()->reveal()).value();
  const RsaKey open = RsaKey::from_public_pem(key.public_pem().value()).value();
  EXPECT_EQ(again.key_id(), key.key_id());
  EXPECT_EQ(open.key_id(), key.key_id());
  EXPECT_EQ(again.private_pem()->reveal(), key.private_pem()->reveal());
  const std::string wrapped = open.wrap(as_bytes("data key")).value();
  EXPECT_EQ(wrapped.size(), 384U);
  EXPECT_EQ(key.unwrap(wrapped)->reveal(), "data key");
  EXPECT_EQ(again.unwrap(wrapped)->reveal(), "data key");
}

TEST(RsaKeyMade, NeverHasAnotherSize) {
  for (const unsigned bits : {0U, 512U, 1024U, 2047U, 2049U, 2056U, 3071U, 8192U, 65'536U}) {
    EXPECT_EQ(RsaKey::generate(bits).error().code, Code::crypto) << bits;
  }
}

TEST_F(RsaKeyOf2048, ReadsAndWritesTheSamePemAsWebCrypto) {
  EXPECT_EQ(key_.bits(), 2048U);
  EXPECT_TRUE(key_.can_unwrap());
  EXPECT_FALSE(public_.can_unwrap());
  EXPECT_EQ(key_.private_pem()->reveal(), kRsaPrivatePem);
  EXPECT_EQ(key_.public_pem().value(), kRsaPublicPem);
  EXPECT_EQ(key_.key_id(), testing::kRsaKeyId);
  EXPECT_EQ(public_.key_id(), testing::kRsaKeyId);
  EXPECT_EQ(public_.private_pem().error().code, Code::crypto);
}

TEST_F(RsaKeyOf2048, WrapsAtMost190Bytes) {
  for (const std::size_t size : {0U, 1U, 32U, 190U}) {
    const std::string secret(size, 'x');
    EXPECT_EQ(key_.unwrap(public_.wrap(as_bytes(secret)).value())->reveal(), secret) << size;
  }
  EXPECT_EQ(public_.wrap(as_bytes(std::string(191, 'x'))).error().code, Code::limit);
}

TEST_F(RsaKeyOf2048, NeverWrapsTheSameWayTwice) {
  EXPECT_NE(public_.wrap(as_bytes("data key")).value(), public_.wrap(as_bytes("data key")).value());
}

TEST_F(RsaKeyOf2048, AWrongUnwrapNeverSaysWhy) {
  const std::string wrapped = public_.wrap(as_bytes("data key"), "label").value();
  ASSERT_EQ(key_.unwrap(wrapped, "label")->reveal(), "data key");
  std::string changed = wrapped;
  changed[100] = static_cast<char>(changed[100] ^ 1);
  const std::string words = key_.unwrap(changed, "label").error().detail;
  ERR_clear_error();
  for (const std::string& bad : {std::string(), wrapped.substr(1), wrapped + "x", std::string(256, '\0'),
                                 std::string(256, '\xff'), std::string(100'000, 'x'), changed}) {
    const auto opened = key_.unwrap(bad, "label");
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Code::crypto);
    EXPECT_EQ(opened.error().detail, words);
  }
  for (const std::string_view label : {"", "Label", "label "})
    EXPECT_EQ(key_.unwrap(wrapped, label).error().detail, words);
  EXPECT_EQ(public_.unwrap(wrapped, "label").error().detail, words) << "a public key";
  EXPECT_EQ(RsaKey::generate(2048)->unwrap(wrapped, "label").error().detail, words) << "another key";
  EXPECT_EQ(ERR_peek_error(), 0U) << "the reason is left on OpenSSL's queue";
}

TEST_F(RsaKeyOf2048, FindsEveryFlippedBitOfTheFirstAndLastBytes) {
  const std::string wrapped = public_.wrap(as_bytes("data key")).value();
  for (std::size_t bit = 0; bit < 2048; bit += bit == 31 ? 1985 : 1) {
    std::string changed = wrapped;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key_.unwrap(changed).has_value()) << bit;
  }
}

TEST(RsaKeyAbuse, OtherSizesAndExponents) {
  const std::pair<EvpKey, const char*> bad[] = {
      {rsa(1024), "1024 bits"}, {rsa(2056), "2056 bits"}, {rsa(2048, 3), "exponent 3"}, {rsa(2048, 65'539), "65539"}};
  for (const auto& [key, what] : bad) {
    EXPECT_EQ(RsaKey::from_private_pem(pem_of(key, true)).error().code, Code::crypto) << what;
    EXPECT_EQ(RsaKey::from_public_pem(pem_of(key, false)).error().code, Code::crypto) << what;
  }
}

TEST(RsaKeyAbuse, OtherKindsOfKey) {
  const EvpKey pss = rsa(2048, 65'537, "RSA-PSS");
  const EvpKey ec(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  for (const EvpKey* key : {&pss, &ec}) {
    EXPECT_FALSE(RsaKey::from_private_pem(pem_of(*key, true)).has_value());
    EXPECT_FALSE(RsaKey::from_public_pem(pem_of(*key, false)).has_value());
  }
}

// A modulus that anybody can factor: what is wrapped to it is open.
TEST(RsaKeyAbuse, AModulusWithSmallFactors) {
  std::string n(256, '\xc5');
  for (const unsigned char last : {0x00U, 0xc5U}) {  // even; a multiple of 197
    n.back() = static_cast<char>(last);
    const EvpKey key = testing::rsa_key(base64url_encode(as_bytes(n)), "AQAB");
    EXPECT_FALSE(RsaKey::from_public_pem(pem_of(key, false)).has_value()) << int{static_cast<unsigned char>(last)};
  }
}

TEST(RsaKeyAbuse, OtherForms) {
  const std::string good(kRsaPrivatePem);
  const std::string open(kRsaPublicPem);
  ASSERT_TRUE(RsaKey::from_private_pem(good).has_value());
  for (const std::string& bad : {std::string(), std::string("-----BEGIN PRIVATE KEY-----"), " " + good, good + " ",
                                 good + good, "x\n" + good, good.substr(0, good.size() / 2), open,
                                 good + std::string(kRsaPemBytesMax, '\n'), good.substr(0, 28) + good.substr(40)}) {
    EXPECT_EQ(RsaKey::from_private_pem(bad).error().code, Code::crypto) << bad.substr(0, 60);
  }
  for (const std::string& bad : {std::string(), good, open + "x", open + open, open.substr(1)}) {
    EXPECT_EQ(RsaKey::from_public_pem(bad).error().code, Code::crypto) << bad.substr(0, 60);
  }
}

// An encrypted block would make OpenSSL ask for a password on the terminal of whoever runs the gateway.
TEST(RsaKeyAbuse, AnEncryptedBlockAsksNobody) {
  const std::string good(kRsaPrivatePem);
  const std::size_t line = good.find('\n') + 1;
  EXPECT_FALSE(
      RsaKey::from_private_pem(good.substr(0, line) +
                               "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n" +
                               good.substr(line))
          .has_value());
}

TEST(RsaKeyAbuse, HalvesOfTwoKeys) {
  const auto number = [](const EvpKey& key, const char* name) {
    BIGNUM* raw = nullptr;
    EVP_PKEY_get_bn_param(key.get(), name, &raw);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(raw);
    return base64url_encode(as_bytes(bytes));
  };
  const EvpKey one = rsa(2048);
  const EvpKey two = rsa(2048);
  testing::KeyBuilder builder;
  builder.number(OSSL_PKEY_PARAM_RSA_N, number(one, OSSL_PKEY_PARAM_RSA_N)).number(OSSL_PKEY_PARAM_RSA_E, "AQAB");
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    builder.number(name, number(two, name));
  }
  const EvpKey mixed = builder.build("RSA", EVP_PKEY_KEYPAIR);
  EXPECT_FALSE(RsaKey::from_private_pem(pem_of(mixed, true)).has_value());
}

}  // namespace
}  // namespace sallyport::crypto
