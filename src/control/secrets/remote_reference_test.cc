#include "control/secrets/remote_reference.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

TEST(RemoteReference, ReadsTheThreeForms) {
  const auto kv = parse_kv_reference("secret/teams/mail#password").value();
  EXPECT_EQ(kv.mount, "secret");
  EXPECT_EQ(kv.path, "teams/mail");
  EXPECT_EQ(kv.field, "password");
  EXPECT_FALSE(kv.version);
  EXPECT_EQ(parse_kv_reference("secret/mail#password@7")->version, 7U);
  const auto aws = parse_aws_reference("prod/mail").value();
  EXPECT_EQ(aws.path, "prod/mail");
  EXPECT_TRUE(aws.field.empty());
  EXPECT_EQ(parse_aws_reference("arn:aws:secretsmanager:eu-central-1:1:secret:m-AbC#user")->field, "user");
}

class BadRemoteReference : public ::testing::TestWithParam<std::string> {};

TEST_P(BadRemoteReference, IsRefusedBeforeAnythingIsAsked) {
  const bool kv = GetParam().starts_with("kv:");
  const std::string name = GetParam().substr(GetParam().find(':') + 1);
  const auto parsed = kv ? parse_kv_reference(name) : parse_aws_reference(name);
  ASSERT_FALSE(parsed) << GetParam();
  EXPECT_EQ(parsed.error().code, Code::config);
}

INSTANTIATE_TEST_SUITE_P(All, BadRemoteReference,
                         ::testing::Values("kv:", "kv:secret", "kv:secret/mail", "kv:secret/mail#", "kv:/mail#f",
                                           "kv:secret/../sys/seal#f", "kv:secret/./a#f", "kv:secret//a#f",
                                           "kv:secret/a?x=1#f", "kv:secret/a%2f#f", "kv:secret/a b#f", "kv:secret/a#f#g",
                                           "kv:secret/a#f@", "kv:secret/a#f@0", "kv:secret/a#f@-1", "kv:secret/a#f@1x",
                                           "kv:secret/a#f@4294967296", "aws:", "aws:#f", "aws:a#", "aws:a b",
                                           "aws:a\nb", "aws:a\"b", std::string("kv:secret/") + std::string(700, 'a') + "#f",
                                           std::string("kv:secret/a\0b#f", 15)));

TEST(RemoteReference, TakesAFieldOfAnObject) {
  EXPECT_EQ(field_of(R"({"a":"x\n","n":12,"b":true})", "a").value(), "x\n");
  EXPECT_EQ(field_of(R"({"a":"x","n":12,"b":true})", "n").value(), "12");
  EXPECT_EQ(field_of("plain", "").value(), "plain");
  EXPECT_EQ(field_of(R"({"a":"x"})", "b").error().code, Code::not_found);
  EXPECT_EQ(field_of(R"({"a":{}})", "a").error().code, Code::upstream_protocol);
  EXPECT_EQ(field_of(R"({"a":null})", "a").error().code, Code::upstream_protocol);
  EXPECT_EQ(field_of("plain", "a").error().code, Code::upstream_protocol);
  EXPECT_EQ(field_of(R"({"a":"1","a":"2"})", "a").error().code, Code::upstream_protocol);  // a doubled key
}

}  // namespace
}  // namespace sallyport::control
