#include "engines/policy/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::policy {
namespace {

Result<PolicyAnswer> of(const std::string& package) { return read_answer(R"({"result":)" + package + "}"); }

TEST(OpaAnswer, AllowIsTrueAndNothingElse) {
  EXPECT_TRUE(of(R"({"allow":true})")->allowed());
  for (const char* other : {"{}", R"({"allow":false})", R"({"allow":1})", R"({"allow":"true"})", R"({"allow":[true]})",
                            R"({"allow":null})", R"({"Allow":true})"}) {
    EXPECT_FALSE(of(other)->allowed()) << other;
  }
}

TEST(OpaAnswer, DenyDeniesInWhateverForm) {
  for (const char* deny : {R"(["why"])", R"({"why":1})", R"("why")", "true", "0", "null", R"([[]])"}) {
    const auto answer = of(std::string(R"({"allow":true,"deny":)") + deny + "}");
    EXPECT_TRUE(answer->deny) << deny;
    EXPECT_FALSE(answer->allowed()) << deny;
  }
  for (const char* none : {"[]", "{}", "false"}) {
    EXPECT_TRUE(of(std::string(R"({"allow":true,"deny":)") + none + "}")->allowed()) << none;
  }
}

TEST(OpaAnswer, StringsInDenyAreTheReasons) {
  EXPECT_EQ(of(R"({"deny":["a",2,"b"]})")->deny_reasons, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(of(R"({"deny":{"a":true}})")->deny_reasons, std::vector<std::string>{"a"});
  EXPECT_EQ(of(R"({"deny":"a"})")->deny_reasons, std::vector<std::string>{"a"});
}

TEST(OpaAnswer, ObligationsComeAsTheyAre) {
  EXPECT_EQ(of(R"({"allow":true,"obligations":[{"redact":["a"]}]})")->obligations, R"([{"redact":["a"]}])");
  EXPECT_EQ(of(R"({"allow":true})")->obligations, "");
}

TEST(OpaAnswer, WhatIsNoPackageIsAnError) {
  for (const char* body : {"", "{}", "[]", "null", R"({"result":true})", R"({"result":[]})", R"({"result":null})",
                           R"({"result":{"allow":true})", R"({"result":{"allow":true},"result":{}})",
                           R"({"result":{"allow":true,"allow":false}})", "<html>"}) {
    EXPECT_FALSE(read_answer(body)) << body;
  }
}

}  // namespace
}  // namespace sallyport::policy
