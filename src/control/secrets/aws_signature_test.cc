// S4-17: signatures that Secrets Manager accepts. The vectors are of AWS's published SigV4 test suite.
#include "control/secrets/aws_signature.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

constexpr WallTime kThen{std::chrono::microseconds(1'440'938'160'000'000)};  // 2015-08-30T12:36:00Z

AwsCredentials example() {
  return {"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Secret()};
}

std::string signature(AwsRequest request, std::string_view service = "service") {
  const auto headers = sign_aws(example(), {"us-east-1", service}, std::move(request), kThen);
  EXPECT_EQ(headers.front(), net::Header("X-Amz-Date", "20150830T123600Z"));
  const std::string& text = headers.back().second;
  return text.substr(text.find("Signature=") + 10);
}

const net::Headers kHost{{"Host", "example.amazonaws.com"}};

TEST(AwsSignature, GetVanilla) {
  EXPECT_EQ(signature({.method = "GET", .headers = kHost}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(AwsSignature, PostVanilla) {
  EXPECT_EQ(signature({.method = "POST", .headers = kHost}),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(AwsSignature, GetVanillaQueryOrderKeyCase) {
  EXPECT_EQ(signature({.method = "GET", .query = "Param1=value1&Param2=value2", .headers = kHost}),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(AwsSignature, ListUsersOfTheReference) {
  const net::Headers headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                             {"Host", "iam.amazonaws.com"}};
  EXPECT_EQ(signature({.method = "GET", .query = "Action=ListUsers&Version=2010-05-08", .headers = headers}, "iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(AwsSignature, NamesWhatIsSignedAndCarriesTheSessionToken) {
  AwsCredentials credentials = example();
  credentials.session_token = Secret("session");
  const auto headers = sign_aws(credentials, {"eu-central-1", "secretsmanager"},
                                {.method = "POST", .body = "{}", .headers = {{"X-Amz-Target", "a"}, {"Host", "h"}}}, kThen);
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[1], net::Header("X-Amz-Security-Token", "session"));
  EXPECT_NE(headers[2].second.find("AKIDEXAMPLE/20150830/eu-central-1/secretsmanager/aws4_request"), std::string::npos);
  EXPECT_NE(headers[2].second.find("SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,"), std::string::npos);
  EXPECT_EQ(headers[2].second.find("wJalr"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::control
