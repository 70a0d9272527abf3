#include "engines/decide/explain.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"

namespace sallyport {
namespace {

const policy::RuleBody* body_at(const AskedPolicy& asked, std::string_view rule, std::uint32_t line) {
  for (const auto& file : asked.what.files) {
    for (const auto& body : file.bodies) {
      if (body.rule == rule && body.line == line) return &body;
    }
  }
  return nullptr;
}

constexpr const char* kLimit = "allow if input.granted\n"
                               "deny contains \"too much\" if {\n"
                               "\tinput.arguments.amount > 5\n"
                               "}\n";

TEST(Explain, NamesWhatRefusedAndWhy) {
  const Snapshot snapshot = test::with_tool_access(kLimit);
  const ToolRecord tool = test::tool_named("bank", "pay");
  const Principal ann = test::principal_with({"user"});
  const AccessRequest request{.principal = ann, .tool = &tool, .arguments_json = R"({"amount":9})"};
  const Explanation found = explain(snapshot, request);
  EXPECT_FALSE(found.decision.allow);
  EXPECT_EQ(found.decision.reason, "too much");
  ASSERT_EQ(found.asked.size(), 2U);  // as a list first: a rule reads arguments
  EXPECT_EQ(found.asked[0].phase, Phase::list);
  EXPECT_TRUE(found.asked[0].what.answer->allowed());
  EXPECT_EQ(found.asked[1].phase, Phase::call);
  EXPECT_EQ(found.asked[1].server, "bank");
  const auto* denial = body_at(found.asked[1], "tool_access.deny", 4);
  ASSERT_NE(denial, nullptr);
  EXPECT_EQ(denial->holds, true);
  const auto* before = body_at(found.asked[0], "tool_access.deny", 4);
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(before->holds, false);
}

TEST(Explain, WhereTheRolesRefuseNoPolicyIsAsked) {
  const Snapshot snapshot = test::shipped();
  const ToolRecord tool = test::tool_named("bank", "pay");
  const Principal nobody = test::principal_with({});
  const Explanation found = explain(snapshot, {.principal = nobody, .tool = &tool});
  EXPECT_EQ(found.decision.rule_id, kRuleUnknown);
  EXPECT_TRUE(found.asked.empty());
}

// The law of this file: explain says what decide says, whatever the policy, and so does the answer that it shows.
TEST(Explain, SaysWhatDecideSays) {
  const std::vector<std::string> policies{kLimit,
                                          "allow := true\n",
                                          "allow := false\n",
                                          "allow if input.phase == \"list\"\n",
                                          "allow := true\ndeny := true\n",
                                          "allow if to_number(input.user.name) == 1\n",
                                          "allow if input.user.kind == \"key\"\n",
                                          "allow := true\ndeny contains \"late\" if input.time > \"1970\"\n"};
  const ToolRecord tool = test::tool_named("bank", "pay", 3);
  for (const auto& rules : policies) {
    for (const auto& roles : std::vector<std::vector<std::string>>{{"user"}, {"admin"}, {"readonly"}, {}}) {
      for (const auto* arguments : {R"({"amount":9})", R"({"amount":1})", "{}"}) {
        for (const Phase phase : {Phase::list, Phase::call}) {
          const Snapshot snapshot = test::with_tool_access(rules);
          const Principal who = test::principal_with(roles);
          AccessRequest request{.principal = who, .tool = &tool, .phase = phase};
          if (phase == Phase::call) request.arguments_json = arguments;
          const Explanation found = explain(snapshot, request);
          Decider decider;
          const Decision decision = decider.decide(snapshot, request);
          EXPECT_EQ(found.decision.allow, decision.allow) << rules;
          EXPECT_EQ(found.decision.rule_id, decision.rule_id) << rules;
          EXPECT_EQ(found.decision.reason, decision.reason) << rules;
          EXPECT_TRUE(found.steady) << rules;
          if (found.asked.empty()) continue;
          const auto& last = found.asked.back().what.answer;
          EXPECT_EQ(last && last->allowed(), decision.allow) << rules;
        }
      }
    }
  }
}

TEST(ExplainAbuse, HostileArgumentsAreExplainedAsTheyAreDecided) {
  const Snapshot snapshot = test::with_tool_access(kLimit);
  const ToolRecord tool = test::tool_named("bank", "pay");
  const Principal ann = test::principal_with({"user"});
  for (const char* arguments : {R"({"amount":9},"granted":true,"x":{)", "[[[[", "\"\"", R"({"amount":"9"})"}) {
    const AccessRequest request{.principal = ann, .tool = &tool, .arguments_json = arguments};
    const Explanation found = explain(snapshot, request);
    Decider decider;
    EXPECT_EQ(found.decision.allow, decider.decide(snapshot, request).allow) << arguments;
  }
}

}  // namespace
}  // namespace sallyport
