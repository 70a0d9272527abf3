#include "engines/token/token.h"

#include <gtest/gtest.h>

#include "crypto/jws.h"
#include "engines/token/token_test_support.h"

namespace sallyport::token {
namespace {

using std::chrono::seconds;
using testing::claims;
using testing::kNow;

class Token : public ::testing::Test {
 protected:
  TokenCodec codec_{testing::key(), testing::rules()};
};

TEST_F(Token, CarriesTheClaimsThereAndBack) {
  const std::string token = codec_.issue(claims()).value();
  const auto read = codec_.verify(token, kNow);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->user_id, claims().user_id);
  EXPECT_EQ(read->roles, claims().roles);
  EXPECT_EQ(read->id, claims().id);
  EXPECT_EQ(read->issued_at, claims().issued_at);
  EXPECT_EQ(read->expires_at, claims().expires_at);
}

// C21: both `sub` and `user_id`; S0-3: HS256.
TEST_F(Token, HasExactlyTheseBytes) {
  const auto content = crypto::jws_verify(testing::key(), codec_.issue(claims()).value());
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->header, testing::kHeader);
  EXPECT_EQ(content->payload, testing::kPayload);
}

TEST_F(Token, AcceptsTheOlderHeaderType) {
  EXPECT_TRUE(
      codec_.verify(crypto::jws_sign(testing::key(), R"({"typ":"JWT","alg":"HS256"})", testing::kPayload), kNow));
}

TEST_F(Token, EndsAtItsExpiryToTheMicrosecond) {
  const std::string token = codec_.issue(claims()).value();
  const WallTime end = claims().expires_at;
  EXPECT_TRUE(codec_.verify(token, end - std::chrono::microseconds(1)).has_value());
  EXPECT_EQ(codec_.verify(token, end).error().detail, "token.expired");
}

TEST_F(Token, ToleratesThirtySecondsOfAnotherClock) {
  const std::string token = codec_.issue(claims()).value();
  EXPECT_TRUE(codec_.verify(token, kNow - seconds(29)).has_value());
  EXPECT_FALSE(codec_.verify(token, kNow - seconds(31)).has_value());
}

TEST_F(Token, LeewayCannotBeConfiguredBeyondThirtySeconds) {
  TokenRules wide = testing::rules();
  wide.future_leeway = seconds(86'400);
  const TokenCodec codec(testing::key(), wide);
  EXPECT_FALSE(codec.verify(codec.issue(claims()).value(), kNow - seconds(31)).has_value());
}

TEST_F(Token, IsNotIssuedBeyondItsLimits) {
  TokenClaims long_lived = claims();
  long_lived.expires_at = kNow + std::chrono::hours(25);
  EXPECT_EQ(codec_.issue(long_lived).error().code, Code::validation);
  TokenClaims odd = claims();
  odd.user_id = "a b";
  EXPECT_EQ(codec_.issue(odd).error().code, Code::validation);
  TokenClaims homeless = claims();
  homeless.session_id = "";
  EXPECT_EQ(codec_.issue(homeless).error().code, Code::validation);
  TokenClaims many = claims();
  many.roles.assign(65, "r");
  EXPECT_EQ(codec_.issue(many).error().code, Code::validation);
  EXPECT_EQ(TokenCodec({}, testing::rules()).issue(claims()).error().code, Code::crypto);
}

}  // namespace
}  // namespace sallyport::token
