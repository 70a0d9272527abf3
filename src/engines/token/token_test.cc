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
  TokenCodec codec_{testing::rules()};
  const KeyRing* ring_ = testing::ring();
};

TEST_F(Token, CarriesTheClaimsThereAndBack) {
  const std::string token = codec_.issue(ring_, claims()).value();
  const auto read = codec_.verify(ring_, token, kNow);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->user_id, claims().user_id);
  EXPECT_EQ(read->roles, claims().roles);
  EXPECT_EQ(read->id, claims().id);
  EXPECT_EQ(read->issued_at, claims().issued_at);
  EXPECT_EQ(read->expires_at, claims().expires_at);
}

// C21: both `sub` and `user_id`; S0-3: HS256.
TEST_F(Token, HasExactlyTheseBytes) {
  const auto content = crypto::jws_verify(testing::key(), codec_.issue(ring_, claims()).value());
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->header, testing::kHeader);
  EXPECT_EQ(content->payload, testing::kPayload);
}

TEST_F(Token, AcceptsTheOlderHeaderType) {
  EXPECT_TRUE(codec_.verify(
      ring_, testing::signed_text(testing::key(), R"({"typ":"JWT","alg":"HS256"})", testing::kPayload), kNow));
}

TEST_F(Token, EndsAtItsExpiryToTheMicrosecond) {
  const std::string token = codec_.issue(ring_, claims()).value();
  const WallTime end = claims().expires_at;
  EXPECT_TRUE(codec_.verify(ring_, token, end - std::chrono::microseconds(1)).has_value());
  EXPECT_EQ(codec_.verify(ring_, token, end).error().detail, "token.expired");
}

TEST_F(Token, ToleratesThirtySecondsOfAnotherClock) {
  const std::string token = codec_.issue(ring_, claims()).value();
  EXPECT_TRUE(codec_.verify(ring_, token, kNow - seconds(29)).has_value());
  EXPECT_FALSE(codec_.verify(ring_, token, kNow - seconds(31)).has_value());
}

TEST_F(Token, LeewayCannotBeConfiguredBeyondThirtySeconds) {
  TokenRules wide = testing::rules();
  wide.future_leeway = seconds(86'400);
  const TokenCodec codec(wide);
  EXPECT_FALSE(codec.verify(ring_, codec.issue(ring_, claims()).value(), kNow - seconds(31)).has_value());
}

TEST_F(Token, IsNotIssuedBeyondItsLimits) {
  TokenClaims long_lived = claims();
  long_lived.expires_at = kNow + std::chrono::hours(25);
  EXPECT_EQ(codec_.issue(ring_, long_lived).error().code, Code::validation);
  TokenClaims odd = claims();
  odd.user_id = "a b";
  EXPECT_EQ(codec_.issue(ring_, odd).error().code, Code::validation);
  TokenClaims homeless = claims();
  homeless.session_id = "";
  EXPECT_EQ(codec_.issue(ring_, homeless).error().code, Code::validation);
  TokenClaims many = claims();
  many.roles.assign(65, "r");
  EXPECT_EQ(codec_.issue(ring_, many).error().code, Code::validation);
  EXPECT_EQ(codec_.issue(nullptr, claims()).error().code, Code::crypto);
}

}  // namespace
}  // namespace sallyport::token
