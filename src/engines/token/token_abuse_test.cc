// Attacks on access tokens, by name (RFC 8725; requirements.md, section 7).
#include <gtest/gtest.h>

#include <random>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/jws.h"
#include "engines/token/token.h"
#include "engines/token/token_test_support.h"

namespace sallyport::token {
namespace {

using testing::changed;
using testing::kHeader;
using testing::kNow;
using testing::kPayload;

crypto::JwsKey secret(std::string_view text) { return crypto::JwsKey::from_secret(as_bytes(text)).value(); }

class TokenAbuse : public ::testing::Test {
 protected:
  // Why the token is refused, "" where it is accepted.
  [[nodiscard]] std::string refusal(std::string_view token) const {
    const auto read = codec_.verify(testing::ring(), token, kNow);
    if (read) return "";
    EXPECT_EQ(read.error().code, Code::unauthenticated);
    return read.error().detail;
  }
  // Signed by the right key: only what is inside can be the reason.
  [[nodiscard]] std::string refusal(std::string_view header, std::string_view payload) const {
    return refusal(testing::signed_text(testing::key(), header, payload));
  }

  TokenCodec codec_{testing::rules()};
};

TEST_F(TokenAbuse, TheUnchangedTokenIsAccepted) { EXPECT_EQ(refusal(kHeader, kPayload), ""); }

TEST_F(TokenAbuse, AlgNone) {
  const std::string none = base64url_encode(as_bytes(R"({"alg":"none","typ":"at+jwt"})"));
  const std::string payload = base64url_encode(as_bytes(kPayload));
  EXPECT_EQ(refusal(none + "." + payload + "."), "token.form");
  EXPECT_EQ(refusal(none + "." + payload + ".AA"), "token.signature");
  for (const char* alg : {"none", "None", "NONE", "nOnE", "", "HS512", "HS384", "RS256", "hs256"}) {
    EXPECT_EQ(refusal(changed(kHeader, "HS256", alg), kPayload), "token.header") << alg;
  }
}

TEST_F(TokenAbuse, WrongKey) {
  const std::string other = "another key of thirty-two bytes!";
  EXPECT_EQ(refusal(testing::signed_text(secret(other), kHeader, kPayload)), "token.signature");
  const std::string head = base64url_encode(as_bytes(kHeader)) + "." + base64url_encode(as_bytes(kPayload));
  for (const std::string_view guessed : {"", "secret", "sallyport"}) {
    const auto mac = crypto::hmac_sha256(as_bytes(guessed), head);
    EXPECT_EQ(refusal(head + "." + base64url_encode(mac)), "token.signature");
  }
}

// The attacker's key inside or behind the header, and signed by it.
TEST_F(TokenAbuse, EmbeddedAndReferencedKeys) {
  const std::string key = "attacker-key-attacker-key-32-byt";
  const std::string jwk = R"(,"jwk":{"kty":"oct","k":")" + base64url_encode(as_bytes(key)) + "\"}}";
  for (const std::string& extra :
       {jwk, std::string(R"(,"jku":"http://169.254.169.254/keys"})"),
        std::string(R"(,"x5u":"http://evil.example/c.pem"})"), std::string(R"(,"x5c":["MIIB"]})"),
        std::string(R"(,"kid":"../../../../dev/null"})"), std::string(R"(,"kid":"x' UNION SELECT 'k"})"),
        std::string(R"(,"crit":["exp"],"exp":1})"), std::string(R"(,"b64":false,"crit":["b64"]})"),
        std::string(R"(,"zip":"DEF"})")}) {
    const std::string header = changed(kHeader, "}", extra);
    EXPECT_EQ(refusal(testing::signed_text(secret(key), header, kPayload)), "token.signature") << extra;
    EXPECT_EQ(refusal(header, kPayload), "token.header") << extra;
  }
}

TEST_F(TokenAbuse, HeadersThatAreNotOurs) {
  for (const char* header : {"", "{}", "[]", "null", "\"HS256\"", R"({"alg":"HS256"})", R"({"typ":"JWT"})",
                             R"({"alg":["HS256"],"typ":"JWT"})", R"({"alg":"HS256","typ":"dpop+jwt"})",
                             R"({"alg":"HS256","alg":"HS256","typ":"JWT"})",
                             R"({"alg":"none","typ":"JWT","alg":"HS256"})", "{\"alg\":\"HS256\",\"typ\":\"JWT\"} x"}) {
    const std::string reason = refusal(header, kPayload);
    EXPECT_TRUE(reason == "token.header" || reason == "token.form") << header << reason;
  }
}

struct Case {
  const char *from, *to, *reason;
};

TEST_F(TokenAbuse, OneWrongClaimEach) {
  constexpr Case kCases[] = {
      {"1790001800", "1790000000", "token.expired"},
      {"1790001800", "1", "token.expired"},
      {"1790001800", "1890000000", "token.lifetime"},
      {"\"nbf\":1790000000", "\"nbf\":1790000031", "token.not_yet_valid"},
      {"\"iat\":1790000000", "\"iat\":1790000031", "token.issued_in_future"},
      {"https://gw.example", "https://gw.example/", "token.audience"},
      {"https://gw.example", "https://staging.example", "token.audience"},
      {"\"https://gw.example\"", "[\"https://gw.example\"]", "token.audience"},
      {"\"iss\":\"sallyport\"", "\"iss\":\"Sallyport\"", "token.issuer"},
      {"\"iss\":\"sallyport\",", "", "token.issuer"},
      {"\"aud\":\"https://gw.example\",", "", "token.audience"},
      {"\"token_type\":\"access\"", "\"token_type\":\"refresh\"", "token.type"},
      {",\"token_type\":\"access\"", "", "token.type"},
      {"\"typ\":\"access\"", "\"typ\":\"refresh\"", "token.type"},
      {"user:00112233aabbccdd", "user:ffffffffffffffff", "token.subject"},
      {"\"user_id\":\"00112233aabbccdd\"", "\"user_id\":7", "token.subject"},
      {"\"user_id\":\"00112233aabbccdd\",", "", "token.subject"},
      {"\"jti\":\"jti-1\",", "", "token.jti"},
      {"jti-1", "", "token.jti"},
      {"jti-1", "jti\\n1", "token.jti"},
      {"[\"admin\",\"user\"]", "\"admin\"", "token.roles"},
      {"[\"admin\",\"user\"]", "[\"admin\",{}]", "token.roles"},
      {"\"exp\":1790001800,", "", "token.time_claim"},
      {"1790001800", "\"1790001800\"", "token.time_claim"},
      {"1790001800", "1.7900018e9", "token.time_claim"},
      {"1790001800", "-1", "token.time_claim"},
      {"1790001800", "9223372036854775807", "token.time_claim"},
      {"1790001800", "1e400", "token.claims"},
      {"1790001800", "null", "token.time_claim"},
      {"123456", "1000000", "token.time_claim"},
      {"\"nbf\":1790000000,", "", "token.time_claim"},
  };
  for (const Case& c : kCases) EXPECT_EQ(refusal(kHeader, changed(kPayload, c.from, c.to)), c.reason) << c.to;
}

// Requirements, section 7: S1 took refresh tokens as access tokens. Ours are opaque; whoever else signs may make some.
TEST_F(TokenAbuse, RefreshTokenAsAccessToken) {
  const std::string payload = changed(kPayload, "\"token_type\":\"access\"", "\"token_type\":\"refresh\"");
  EXPECT_EQ(refusal(kHeader, changed(payload, "\"typ\":\"access\"", "\"typ\":\"refresh\"")), "token.type");
}

TEST_F(TokenAbuse, DuplicateClaims) {
  EXPECT_EQ(refusal(kHeader, changed(kPayload, "\"exp\"", "\"exp\":1,\"exp\"")), "token.claims");
  EXPECT_EQ(refusal(kHeader, changed(kPayload, "\"sub\"", "\"s\\u0075b\":\"user:root\",\"sub\"")), "token.claims");
}

TEST_F(TokenAbuse, PayloadsThatAreNoClaims) {
  for (const std::string& payload :
       {std::string("{}"), std::string("[]"), std::string("null"), std::string("{\"a\":"), std::string("\xff\xfe"),
        std::string(1'000, '['), std::string(kPayload) + "x", "{\"a\":" + std::string(kPayload) + "}"}) {
    EXPECT_NE(refusal(kHeader, payload), "") << payload;
  }
}

TEST_F(TokenAbuse, TruncatedAnywhere) {
  const std::string token = testing::signed_text(testing::key(), kHeader, kPayload);
  for (std::size_t size = 0; size < token.size(); ++size) EXPECT_NE(refusal(token.substr(0, size)), "") << size;
}

TEST_F(TokenAbuse, Huge) {
  EXPECT_EQ(refusal(kHeader, changed(kPayload, "jti-1", std::string(7'000, 'j'))), "token.too_large");
  EXPECT_EQ(refusal(std::string(50'000'000, 'a')), "token.too_large");
  EXPECT_EQ(refusal(kHeader, changed(kPayload, "jti-1", std::string(129, 'j'))), "token.jti");
}

TEST_F(TokenAbuse, TenThousandRandomMutationsAreNeverAccepted) {
  const std::string token = testing::signed_text(testing::key(), kHeader, kPayload);
  std::mt19937 random(20'261'120);  // NOLINT(cert-msc51-cpp): the same mutations each time
  for (int i = 0; i < 10'000; ++i) {
    std::string mutant = token;
    const auto edits = 1 + random() % 3;
    for (unsigned edit = 0; edit < edits; ++edit) {
      const std::size_t at = random() % mutant.size();
      switch (random() % 4) {
        case 0:
          mutant[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          mutant.erase(at, 1 + random() % 4);
          break;
        case 2:
          mutant.insert(at, 1, static_cast<char>(random() % 128));
          break;
        default:
          std::swap(mutant[at], mutant[random() % mutant.size()]);
          break;
      }
      if (mutant.empty()) mutant = "x";
    }
    if (mutant != token) EXPECT_NE(refusal(mutant), "") << mutant;
  }
}

}  // namespace
}  // namespace sallyport::token
