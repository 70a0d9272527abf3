// The examples of RFC 7515 (A.2, A.3), 7517 (A.1), 7519 (6.1), 7638 (3.1) and 8037 (A.1 to A.4); A.1 of RFC 7515 is in
// jws_test.cc.
#include "crypto/jws_key.h"

#include <gtest/gtest.h>

#include "crypto/jws.h"
#include "crypto/jws_key_test_support.h"

namespace sallyport::crypto {
namespace {

using enum JwsAlgorithm;

constexpr const char* kN2 =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6"
    "65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyu"
    "XpoQ";
constexpr const char* kD2 =
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-"
    "pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2Qv"
    "Xt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOo"
    "pznQ";
constexpr const char* kP2 =
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KK"
    "DcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
constexpr const char* kQ2 =
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_Hl"
    "B-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
constexpr const char* kDp2 =
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAk"
    "tV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
constexpr const char* kDq2 =
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz"
    "3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
constexpr const char* kQi2 =
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJt"
    "oOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";
constexpr std::string_view kPayload =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
constexpr const char* kClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* kSignature2 =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1d"
    "nZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwu"
    "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77R"
    "w";
constexpr const char* kX3 = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr const char* kY3 = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
constexpr const char* kD3 = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
constexpr const char* kSignature3 =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr const char* kSeed8037 = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

std::string text_of(std::string_view base64url) { return std::string(as_text(base64url_decode(base64url).value())); }

std::string token_of(std::string_view header, std::string_view signature) {
  return base64url_encode(as_bytes(header)) + "." + kClaims + "." + std::string(signature);
}

JwsKey rfc7515_a2() {
  testing::KeyBuilder builder;
  builder.number(OSSL_PKEY_PARAM_RSA_N, kN2).number(OSSL_PKEY_PARAM_RSA_E, "AQAB").number(OSSL_PKEY_PARAM_RSA_D, kD2);
  builder.number(OSSL_PKEY_PARAM_RSA_FACTOR1, kP2).number(OSSL_PKEY_PARAM_RSA_FACTOR2, kQ2);
  builder.number(OSSL_PKEY_PARAM_RSA_EXPONENT1, kDp2).number(OSSL_PKEY_PARAM_RSA_EXPONENT2, kDq2);
  builder.number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, kQi2);
  return JwsKey::from_private(rs256, testing::private_der(builder.build("RSA", EVP_PKEY_KEYPAIR))).value();
}

JwsKey rfc7515_a3() {
  return JwsKey::from_private(es256, testing::private_der(testing::ec_key("P-256", kX3, kY3, kD3))).value();
}

TEST(JwsKey, SignsAndVerifiesTheRs256ExampleOfRfc7515) {
  const JwsKey key = rfc7515_a2();
  const std::string token = token_of(R"({"alg":"RS256"})", kSignature2);
  EXPECT_EQ(jws_sign(key, R"({"alg":"RS256"})", kPayload).value(), token);
  ASSERT_TRUE(jws_verify(key, token).has_value());
  EXPECT_EQ(jws_verify(key, token)->payload, kPayload);
}

TEST(JwsKey, VerifiesTheEs256ExampleOfRfc7515AndSignsItsOwn) {
  const JwsKey key = rfc7515_a3();
  EXPECT_TRUE(jws_verify(key, token_of(R"({"alg":"ES256"})", kSignature3)).has_value());
  const std::string own = key.sign("input").value();
  EXPECT_EQ(own.size(), 64U);
  EXPECT_TRUE(key.verify("input", own));
  EXPECT_FALSE(key.verify("other", own));
}

TEST(JwsKey, SignsAndVerifiesTheExampleOfRfc8037) {
  const JwsKey key = JwsKey::from_private(eddsa, testing::private_der(testing::ed25519_key(kSeed8037))).value();
  const std::string token = jws_sign(key, R"({"alg":"EdDSA"})", "Example of Ed25519 signing").value();
  EXPECT_EQ(
      token,
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4"
      "ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(jws_verify(key, token).has_value());
  EXPECT_EQ(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // A.3
  EXPECT_EQ(key.public_jwk().back().value, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");  // A.2
}

// RFC 7638 3.1; the key is also the second one of RFC 7517 A.1.
TEST(JwsKey, HasTheThumbprintOfRfc7638) {
  const auto der = testing::public_der(testing::rsa_key(
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
      "BJECPebWKRXjBZCiFV4n3oknjhMstn"
      "64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
      "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1"
      "n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
      "AQAB"));
  const JwsKey key = JwsKey::from_public(rs256, der).value();
  EXPECT_EQ(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(key.public_jwk().front().value, "AQAB");
}

// RFC 7517 A.1: the first key, its members as they stand there.
TEST(JwsKey, WritesTheMembersOfRfc7517) {
  constexpr const char* kX = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
  constexpr const char* kY = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
  const JwsKey key = JwsKey::from_public(es256, testing::public_der(testing::ec_key("P-256", kX, kY))).value();
  std::string all;
  for (const auto& [name, value] : key.public_jwk()) all.append(name).append("=").append(value).append(" ");
  EXPECT_EQ(all, std::string("crv=P-256 kty=EC x=") + kX + " y=" + kY + " ");
  EXPECT_FALSE(key.can_sign());
  EXPECT_EQ(key.sign("x").error().code, Code::crypto);
  EXPECT_EQ(key.private_bytes().error().code, Code::crypto);
}

// RFC 7519 6.1: the unsecured token is refused under every key.
TEST(JwsKey, RefusesTheUnsecuredExampleOfRfc7519) {
  const std::string unsecured = token_of(R"({"alg":"none"})", "");
  EXPECT_FALSE(jws_verify(rfc7515_a2(), unsecured).has_value());
  EXPECT_FALSE(jws_verify(rfc7515_a3(), unsecured).has_value());
}

class EachJwsKey : public ::testing::TestWithParam<JwsAlgorithm> {
 protected:
  SystemRandom random_;
  JwsKey key_ = JwsKey::generate(GetParam(), random_).value();
};

TEST_P(EachJwsKey, GoesThroughItsBytesAndBack) {
  const std::string signature = key_.sign("input").value();
  const auto bytes = key_.private_bytes();
  ASSERT_TRUE(bytes.has_value());
  auto again = GetParam() == hs256 ? JwsKey::from_secret(as_bytes(bytes->reveal()))
                                   : JwsKey::from_private(GetParam(), bytes->reveal());
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_TRUE(again->verify("input", signature));
  EXPECT_EQ(again->thumbprint(), key_.thumbprint());
  if (GetParam() == hs256) {
    EXPECT_FALSE(key_.public_bytes().has_value());
    return;
  }
  const JwsKey half = JwsKey::from_public(GetParam(), key_.public_bytes().value()).value();
  EXPECT_TRUE(half.verify("input", signature));
  EXPECT_FALSE(half.can_sign());
}

TEST_P(EachJwsKey, RefusesEveryOtherLengthAndEveryFlippedBit) {
  const std::string signature = key_.sign("input").value();
  for (std::size_t size = 0; size < signature.size(); ++size) {
    EXPECT_FALSE(key_.verify("input", std::string_view(signature).substr(0, size))) << size;
  }
  EXPECT_FALSE(key_.verify("input", signature + '\0'));
  EXPECT_FALSE(key_.verify("input", '\0' + signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; bit += 7) {
    std::string flipped = signature;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key_.verify("input", flipped)) << bit;
  }
}

TEST_P(EachJwsKey, IsNoKeyOfAnotherAlgorithm) {
  for (const JwsAlgorithm other : {es256, rs256, eddsa}) {
    if (GetParam() == other || GetParam() == hs256) continue;
    EXPECT_FALSE(JwsKey::from_private(other, key_.private_bytes().value().reveal()).has_value());
    EXPECT_FALSE(JwsKey::from_public(other, key_.public_bytes().value()).has_value());
  }
}

TEST_P(EachJwsKey, RefusesBytesThatAreNoKey) {
  if (GetParam() == hs256) return;
  const std::string der = key_.public_bytes().value();
  for (const std::string& bad :
       {std::string(), std::string("x"), der.substr(1), der.substr(0, der.size() - 1), der + "x"}) {
    EXPECT_FALSE(JwsKey::from_public(GetParam(), bad).has_value());
    EXPECT_FALSE(JwsKey::from_private(GetParam(), bad).has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachJwsKey, ::testing::Values(hs256, es256, rs256, eddsa),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// CVE-2022-21449: r = s = 0, and their kin.
TEST(JwsKeyAbuse, PsychicSignatures) {
  const JwsKey key = rfc7515_a3();
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\1';
  const std::string order = text_of("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
  for (const std::string& r : {zero, one, order}) {
    for (const std::string& s : {zero, one, order}) EXPECT_FALSE(key.verify("input", r + s));
  }
  const JwsKey ed = JwsKey::from_private(eddsa, testing::private_der(testing::ed25519_key(kSeed8037))).value();
  EXPECT_FALSE(ed.verify("input", std::string(64, '\0')));
  EXPECT_FALSE(ed.verify("input", one + zero));
}

TEST(JwsKeyAbuse, DerInPlaceOfRawSignature) {
  const JwsKey key = rfc7515_a3();
  const std::string raw = key.sign("input").value();
  const auto integer = [](std::string_view number) {
    std::string body((number[0] & 0x80) != 0 ? 1 : 0, '\0');
    body += number;
    return "\x02" + std::string(1, static_cast<char>(body.size())) + body;
  };
  const std::string body = integer(std::string_view(raw).substr(0, 32)) + integer(std::string_view(raw).substr(32));
  EXPECT_FALSE(key.verify("input", "\x30" + std::string(1, static_cast<char>(body.size())) + body));
}

TEST(JwsKeyAbuse, WrongCurveAndShortRsa) {
  const auto made = [](const char* group) { return testing::EvpKey(EVP_EC_gen(group), &EVP_PKEY_free); };
  for (const char* group : {"P-384", "P-521", "secp256k1"}) {
    EXPECT_FALSE(JwsKey::from_public(es256, testing::public_der(made(group))).has_value()) << group;
    EXPECT_FALSE(JwsKey::from_private(es256, testing::private_der(made(group))).has_value()) << group;
  }
  const testing::EvpKey small(EVP_RSA_gen(1024U), &EVP_PKEY_free);
  EXPECT_FALSE(JwsKey::from_public(rs256, testing::public_der(small)).has_value());
  const testing::EvpKey ed448(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"), &EVP_PKEY_free);
  EXPECT_FALSE(JwsKey::from_public(eddsa, testing::public_der(ed448)).has_value());
  const testing::EvpKey x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), &EVP_PKEY_free);
  EXPECT_FALSE(JwsKey::from_public(eddsa, testing::public_der(x25519)).has_value());
}

TEST(JwsKeyAbuse, APointThatIsNotOnTheCurve) {
  std::string der = rfc7515_a3().public_bytes().value();
  der.back() = static_cast<char>(der.back() ^ 1);
  EXPECT_FALSE(JwsKey::from_public(es256, der).has_value());
}

TEST(JwsAlgorithm, HasExactNames) {
  EXPECT_EQ(jws_algorithm("EdDSA"), eddsa);
  for (const char* bad : {"", "none", "hs256", "HS256 ", "HS384", "ES384", "PS256", "Ed25519", "eddsa"}) {
    EXPECT_EQ(jws_algorithm(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace sallyport::crypto
