#include "engines/token/key_ring.h"

#include <gtest/gtest.h>

#include <random>

#include "crypto/hash.h"
#include "engines/token/token_test_support.h"
#include "json/document.h"

namespace sallyport::token {
namespace {

using crypto::JwsAlgorithm;
using testing::claims;
using testing::kNow;
using testing::kPayload;
using testing::made_key;
using testing::signed_text;

constexpr JwsAlgorithm kAll[] = {JwsAlgorithm::hs256, JwsAlgorithm::es256, JwsAlgorithm::rs256, JwsAlgorithm::eddsa};

RingKey retired(RingKey key, WallTime until, bool revoked = false) {
  key.retired_at = kNow;
  key.verifies_until = until;
  key.revoked = revoked;
  return key;
}

class Ring : public ::testing::Test {
 protected:
  [[nodiscard]] std::string refusal(const KeyRing& ring, std::string_view token, WallTime now = kNow) const {
    const auto read = codec_.verify(&ring, token, now);
    return read ? "" : read.error().detail;
  }
  // An attacker's key of the algorithm: signs whatever header it likes.
  [[nodiscard]] std::string by_attacker(JwsAlgorithm algorithm, std::string_view header) {
    return signed_text(crypto::JwsKey::generate(algorithm, random_).value(), header, kPayload);
  }

  TokenCodec codec_{testing::rules()};
  SystemRandom random_;
};

TEST_F(Ring, SignsByTheFirstAndVerifiesByEach) {
  for (const JwsAlgorithm algorithm : kAll) {
    const KeyRing old({made_key(algorithm)});
    const std::string token = codec_.issue(&old, claims()).value();
    const KeyRing next({made_key(algorithm == JwsAlgorithm::eddsa ? JwsAlgorithm::es256 : JwsAlgorithm::eddsa),
                        retired(made_key(algorithm), kNow + std::chrono::minutes(30))});
    EXPECT_EQ(refusal(next, token), "") << crypto::name_of(algorithm);
    EXPECT_NE(codec_.verify(&next, codec_.issue(&next, claims()).value(), kNow)->key_id, made_key(algorithm).id);
  }
}

TEST_F(Ring, ForgetsARetiredKeyAtItsTimeAndARevokedOneAtOnce) {
  const RingKey old = made_key(JwsAlgorithm::es256);
  const KeyRing before({old});
  const std::string token = codec_.issue(&before, claims()).value();
  const WallTime until = kNow + std::chrono::minutes(10);
  const KeyRing after({made_key(JwsAlgorithm::eddsa), retired(old, until)});
  EXPECT_EQ(refusal(after, token, until - std::chrono::microseconds(1)), "");
  EXPECT_EQ(refusal(after, token, until), "token.key_unknown");
  const KeyRing given_up({made_key(JwsAlgorithm::eddsa), retired(old, kNow, true)});
  EXPECT_EQ(refusal(given_up, token), "token.key_unknown");
  EXPECT_TRUE(given_up.revoked(old.id));
  EXPECT_FALSE(after.revoked(old.id));
}

TEST_F(Ring, ARevokedKeyStaysDeadWhenTheClockIsSetBack) {
  const RingKey old = made_key(JwsAlgorithm::es256);
  const KeyRing before({old});
  const std::string token = codec_.issue(&before, claims()).value();
  const KeyRing after({made_key(JwsAlgorithm::eddsa), retired(old, kNow + std::chrono::hours(1), true)});
  const WallTime earlier = kNow - std::chrono::seconds(20);
  EXPECT_EQ(refusal(before, token, earlier), "");
  EXPECT_EQ(refusal(after, token, earlier), "token.key_unknown");
  EXPECT_EQ(after.jwks(earlier).find(old.id), std::string::npos);
}

TEST_F(Ring, IssuesNothingWithoutAKeyThatSigns) {
  const KeyRing empty({});
  EXPECT_EQ(codec_.issue(&empty, claims()).error().code, Code::crypto);
  RingKey half = made_key(JwsAlgorithm::es256);
  half.key = std::make_shared<const crypto::JwsKey>(
      crypto::JwsKey::from_public(JwsAlgorithm::es256, half.key->public_bytes().value()).value());
  const KeyRing cannot({half});
  EXPECT_EQ(cannot.signer(), nullptr);
  EXPECT_EQ(refusal(empty, "e30.e30.AA"), "token.key_unknown");
  EXPECT_EQ(codec_.verify(nullptr, "e30.e30.AA", kNow).error().detail, "token.key_unknown");
}

// RFC 7517 5: public members alone, of what verifies now; never a symmetric key.
TEST_F(Ring, PublishesPublicHalvesAlone) {
  EXPECT_EQ(testing::ring()->jwks(kNow), R"({"keys":[]})");
  EXPECT_EQ(KeyRing({made_key(JwsAlgorithm::hs256)}).jwks(kNow), R"({"keys":[]})");
  const KeyRing ring({made_key(JwsAlgorithm::eddsa),
                      retired(made_key(JwsAlgorithm::es256), kNow + std::chrono::hours(1)),
                      retired(made_key(JwsAlgorithm::rs256), kNow)});
  const auto document = json::read(ring.jwks(kNow));
  ASSERT_TRUE(document.has_value());
  const json::Value keys = *document->root().find("keys");
  ASSERT_EQ(keys.size(), 2U);
  for (const json::Value key : keys.elements()) {
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k"}) EXPECT_FALSE(key.find(secret)) << secret;
    EXPECT_EQ(key.string_at("use"), "sig");
  }
  EXPECT_EQ(document->root().raw(), ring.jwks(kNow)) << "written minified";
}

// RFC 8725 2.1: HS256 under the bytes of the public key, in each form.
TEST_F(Ring, AlgorithmConfusion) {
  for (const JwsAlgorithm algorithm : {JwsAlgorithm::es256, JwsAlgorithm::rs256, JwsAlgorithm::eddsa}) {
    const RingKey& key = made_key(algorithm);
    const KeyRing ring({key});
    const std::string der = key.key->public_bytes().value();
    for (const std::string& secret : {der, key.key->public_jwk().back().value, key.id, ring.jwks(kNow)}) {
      for (const std::string& header : {std::string(R"({"alg":"HS256","typ":"at+jwt"})"), KeyRing::header_of(key),
                                        R"({"alg":"HS256","kid":")" + key.id + R"(","typ":"at+jwt"})"}) {
        const std::string text = base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(kPayload));
        const std::string mac = base64url_encode(crypto::hmac_sha256(as_bytes(secret), text));
        EXPECT_NE(refusal(ring, text + "." + mac), "") << header;
      }
    }
  }
}

// The signature is right; the header is not, byte for byte, the one that we write.
TEST_F(Ring, HeadersThatTheRightKeySignedButNobodyWrote) {
  const RingKey& key = made_key(JwsAlgorithm::eddsa);
  const KeyRing ring({key});
  const std::string kid = R"("kid":")" + key.id + "\"";
  for (const std::string& header :
       {R"({"alg":"EdDSA",)" + kid + R"(,"typ":"JWT"})", R"({"alg":"EdDSA",)" + kid + R"(,"typ":"at+jwt" })",
        R"({"typ":"at+jwt","alg":"EdDSA",)" + kid + "}", R"({"alg":"EdDSA",)" + kid + "}",
        R"({"alg":"eddsa",)" + kid + R"(,"typ":"at+jwt"})", R"({"alg":"none",)" + kid + R"(,"typ":"at+jwt"})",
        R"({"alg":"ES256",)" + kid + R"(,"typ":"at+jwt"})",
        R"({"alg":"EdDSA","alg":"EdDSA",)" + kid + R"(,"typ":"at+jwt"})",
        R"({"alg":"EdDSA",)" + kid + R"(,"typ":"at+jwt","crit":["exp"]})",
        R"({"alg":"EdDSA",)" + kid + R"(,"typ":"at+jwt","jku":"http://169.254.169.254/"})",
        R"({"alg":"EdDSA",)" + kid + R"(,"typ":"at+jwt","cty":"JWT"})", std::string("{}"), std::string("null")}) {
    EXPECT_EQ(refusal(ring, signed_text(*key.key, header, kPayload)), "token.key_unknown") << header;
  }
}

TEST_F(Ring, KeyIdsThatAreNoneOfOurs) {
  const KeyRing ring({made_key(JwsAlgorithm::eddsa), made_key(JwsAlgorithm::hs256)});
  for (const char* id :
       {"", "../../../../dev/null", "/proc/self/environ", "x' UNION SELECT 'k", "0", "a\\u0000b", "*"}) {
    for (const JwsAlgorithm algorithm : kAll) {
      const std::string header =
          R"({"alg":")" + std::string(crypto::name_of(algorithm)) + R"(","kid":")" + id + R"(","typ":"at+jwt"})";
      EXPECT_EQ(refusal(ring, by_attacker(algorithm, header)), "token.key_unknown") << header;
    }
  }
}

TEST_F(Ring, TheRightHeaderUnderAnotherKey) {
  for (const JwsAlgorithm algorithm : kAll) {
    const KeyRing ring({made_key(algorithm)});
    EXPECT_EQ(refusal(ring, by_attacker(algorithm, KeyRing::header_of(made_key(algorithm)))), "token.signature");
  }
}

// A key of one ring entry does not answer for another one's header.
TEST_F(Ring, ASignatureOfTheNeighbour) {
  const KeyRing ring({made_key(JwsAlgorithm::eddsa), made_key(JwsAlgorithm::es256)});
  const std::string header = KeyRing::header_of(made_key(JwsAlgorithm::eddsa));
  EXPECT_EQ(refusal(ring, signed_text(*made_key(JwsAlgorithm::es256).key, header, kPayload)), "token.signature");
}

// CVE-2022-21449, through the whole reader.
TEST_F(Ring, PsychicSignature) {
  const KeyRing ring({made_key(JwsAlgorithm::es256)});
  const std::string token = codec_.issue(&ring, claims()).value();
  const std::string zero = base64url_encode(as_bytes(std::string(64, '\0')));
  EXPECT_EQ(refusal(ring, token.substr(0, token.rfind('.') + 1) + zero), "token.signature");
}

TEST_F(Ring, CrossTypeAndCrossAudienceUnderEachAlgorithm) {
  for (const JwsAlgorithm algorithm : kAll) {
    const KeyRing ring({made_key(algorithm)});
    const std::string header = KeyRing::header_of(made_key(algorithm));
    const auto with = [&](std::string_view from, std::string_view to) {
      return refusal(ring, signed_text(*made_key(algorithm).key, header, testing::changed(kPayload, from, to)));
    };
    EXPECT_EQ(with("\"token_type\":\"access\"", "\"token_type\":\"refresh\""), "token.type");
    EXPECT_EQ(with("\"typ\":\"access\"", "\"typ\":\"id\""), "token.type");
    EXPECT_EQ(with("https://gw.example", "https://other.example"), "token.audience");
    EXPECT_EQ(with("\"iss\":\"sallyport\"", "\"iss\":\"other\""), "token.issuer");
    EXPECT_EQ(with("1790001800", "18446744073709551616"), "token.claims");
  }
}

// A token inside a token (RFC 7519 A.2 nests them): its payload is no claims.
TEST_F(Ring, NestedToken) {
  const KeyRing ring({made_key(JwsAlgorithm::eddsa)});
  const std::string inner = codec_.issue(&ring, claims()).value();
  const std::string header = KeyRing::header_of(made_key(JwsAlgorithm::eddsa));
  EXPECT_EQ(refusal(ring, signed_text(*made_key(JwsAlgorithm::eddsa).key, header, inner)), "token.claims");
}

TEST_F(Ring, TenThousandRandomMutationsAreNeverAcceptedUnderAnyAlgorithm) {
  std::mt19937 random(20'261'121);  // NOLINT(cert-msc51-cpp): the same mutations each time
  for (const JwsAlgorithm algorithm : kAll) {
    const KeyRing ring({made_key(algorithm)});
    const std::string token = codec_.issue(&ring, claims()).value();
    for (int i = 0; i < 10'000; ++i) {
      std::string mutant = token;
      const std::size_t at = random() % mutant.size();
      if (random() % 3 == 0) mutant.erase(at, 1 + random() % 4);
      else if (random() % 2 == 0) mutant.insert(at, 1, static_cast<char>(random() % 256));
      else mutant[at] = static_cast<char>(random() % 256);
      if (mutant != token) EXPECT_NE(refusal(ring, mutant), "") << mutant;
    }
  }
}

}  // namespace
}  // namespace sallyport::token
