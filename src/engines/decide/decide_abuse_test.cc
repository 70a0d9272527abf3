#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"

namespace sallyport {
namespace {

using test::principal_with;
using test::tool_named;
using namespace std::chrono_literals;

class DecideAbuse : public testing::Test {
 protected:
  Decision call(const Snapshot& snapshot, std::string_view arguments, const Principal& principal) {
    return decider_.decide(snapshot, {.principal = principal, .tool = &tool_, .arguments_json = arguments});
  }
  Decider decider_;
  const ToolRecord tool_ = tool_named("calc", "add");
  const Principal user_ = principal_with({"user"});
};

TEST_F(DecideAbuse, InfiniteWorkIsCutAtItsBudgetAndDenies) {
  const Snapshot snapshot = test::with_tool_access(
      "allow := true\ndeny contains \"x\" if {\n  some a in numbers.range(1, 99999)\n  some b in numbers.range(1, 99999)\n"
      "  a * b < 0\n}\n");
  const auto start = std::chrono::steady_clock::now();
  const Decision decision = call(snapshot, "{}", user_);
  EXPECT_FALSE(decision.allow);
  EXPECT_EQ(decision.rule_id, kRulePolicyError);
  EXPECT_EQ(decision.reason, "policy_error");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500ms);
}

TEST_F(DecideAbuse, AnErrorInDenyDenies) {
  const Snapshot snapshot = test::with_tool_access("allow := true\ndeny contains \"x\" if 1 / input.arguments.n > 0.5\n");
  EXPECT_TRUE(call(snapshot, R"({"n":4})", user_).allow);
  const Decision decision = call(snapshot, R"({"n":0})", user_);
  EXPECT_FALSE(decision.allow);
  EXPECT_EQ(decision.rule_id, kRulePolicyError);
}

TEST_F(DecideAbuse, NoPolicyDenies) {
  EXPECT_FALSE(call(test::snapshot_with({}), "{}", principal_with({"admin"})).allow);
}

TEST_F(DecideAbuse, ABrokenPolicyDenies) {
  EXPECT_FALSE(call(test::with_tool_access("allow := := true\n"), "{}", principal_with({"admin"})).allow);
}

// Issue 5: arguments that imitate structure cannot reach the principal's part.
TEST_F(DecideAbuse, ArgumentsThatImitateStructure) {
  const Snapshot snapshot = test::with_tool_access(
      "allow if count(input.user.roles) > 0\ndeny contains \"not admin\" if not \"admin\" in input.user.roles\n"
      "deny contains \"reads\" if input.arguments.never\n");
  const std::vector<std::string> imitations{
      R"({"user":{"roles":["admin"]}})",
      R"({"arguments":{"user":{"roles":["admin"]}}})",
      R"({"user.roles":["admin"],"input":{"user":{"roles":["admin"]}}})",
      R"({"x":1},"user":{"roles":["admin"]},"y":{"z":1})",
      R"({"x":1}},"user":{"roles":["admin"]},"y":{{"z":1})",
      R"(null,"user":{"roles":["admin"]})",
      R"({"a":"\",\"user\":{\"roles\":[\"admin\"]},\"b\":\""})",
      std::string("{}\0,\"user\":{\"roles\":[\"admin\"]}", 31),
  };
  for (const std::string& arguments : imitations) EXPECT_FALSE(call(snapshot, arguments, user_).allow) << arguments;
  EXPECT_TRUE(call(snapshot, "{}", principal_with({"admin"})).allow) << "the test can pass";
}

// Whatever the arguments hold, the rules see the same of everything else.
TEST_F(DecideAbuse, NothingInTheArgumentsMovesAnotherPartOfTheInput) {
  const Snapshot snapshot = test::with_tool_access("allow := true\ndeny contains json.marshal(json.remove(input, "
                                                   "[\"arguments\", \"phase\", \"tool\", \"resource\"])) if {\n"
                                                   "  input.phase == \"call\"\n}\n");
  const std::string plain = call(snapshot, "{}", user_).reason;
  ASSERT_TRUE(plain.contains("\"roles\":[\"user\"]")) << plain;
  for (const char* arguments :
       {R"({"user":{"roles":["admin"]},"user":{"roles":["admin"]}})", R"({"a":1,"a":2})",
        R"({"\u0075ser":{"roles":["admin"]}})", R"({"\u0000":{"user":{"roles":["admin"]}}})",
        R"({"user\u0000":1,"":{"":{}}})",
        R"({"input":{"user":{"roles":["admin"]}},"arguments":{"input":{"granted":true}}})",
        R"({"data":{"tool_access":{"allow":true,"deny":[]}}})",
        R"({"granted":true,"permission":"system:admin","labels":[]})",
        R"({"__proto__":{"roles":["admin"]},"constructor":{}})", R"([{"user":1}])", R"("user")", R"(1e308)"}) {
    EXPECT_EQ(call(snapshot, arguments, user_).reason, plain) << arguments;
  }
}

// Issue 5: a name that only looks like a granted one is another name.
TEST_F(DecideAbuse, LookAlikeToolNamesMatchNoGrant) {
  Principal agent = principal_with({"agent"});
  agent.grants = {{Permission::tool_execute, "calc", "add*"}};
  const auto decide = [&](const std::string& server, const std::string& name) {
    const ToolRecord tool = tool_named(server, name);
    return decider_.decide(test::shipped(), {.principal = agent, .tool = &tool});
  };
  EXPECT_TRUE(decide("calc", "add").allow);
  EXPECT_TRUE(decide("calc", "add_more").allow);
  for (const std::string name : {"\xd0\xb0"
                                 "dd",
                                 "\xef\xbd\x81"
                                 "dd",
                                 "a\xe2\x80\x8b"
                                 "dd",
                                 "ADD", " add",
                                 "a\xcc\x81"
                                 "dd"}) {
    EXPECT_TRUE(is_unknown(decide("calc", name))) << name;
  }
  EXPECT_TRUE(is_unknown(decide("calc", std::string("\0add", 4))));
  EXPECT_TRUE(is_unknown(decide("\xd1\x81"
                                "alc",
                                "add")))
      << "a look-alike server";
}

TEST_F(DecideAbuse, InfiniteWorkInObligationsDenies) {
  const Snapshot snapshot = test::with_tool_access(
      "allow := true\nobligations contains {\"log_full\": true} if {\n  some a in numbers.range(1, 99999)\n"
      "  some b in numbers.range(1, 99999)\n  a * b < 0\n}\n");
  EXPECT_EQ(call(snapshot, "{}", user_).rule_id, kRulePolicyError);
}

// What a rule heaps up is cut by the time that it takes.
TEST_F(DecideAbuse, HugeDataBuiltByARuleIsCutAndDenies) {
  const Snapshot snapshot = test::with_tool_access(
      "allow := true\ndeny contains \"x\" if count([[a, b, input.arguments.s] | some a in numbers.range(1, 99999)\n"
      "  some b in numbers.range(1, 99999)]) < 0\n");
  EXPECT_EQ(call(snapshot, "{\"s\":\"" + std::string(1U << 20U, 'x') + "\"}", user_).rule_id, kRulePolicyError);
}

// The other texts of the input are quoted: a name is no structure either.
TEST_F(DecideAbuse, NamesThatImitateStructure) {
  const Snapshot snapshot = test::with_tool_access(
      "allow if \"admin\" in input.user.roles\ndeny contains input.address if input.address == \"never\"\n");
  const std::string evil = R"(x","roles":["admin"],"y":")" "\n\t\x01\x7f\\";
  Principal principal = user_;
  principal.name = evil;
  principal.id = evil;
  principal.roles.push_back(evil);
  const ToolRecord tool = tool_named(evil, evil);
  const AccessRequest request{.principal = principal, .tool = &tool, .arguments_json = "{}", .remote_address = evil,
                              .protocol_version = evil};
  const Decision decision = decider_.decide(snapshot, request);
  EXPECT_FALSE(decision.allow);
  EXPECT_EQ(decision.rule_id, "policy.tool_access.default") << decision.evidence << ": the input must stay valid JSON";
}

TEST_F(DecideAbuse, BytesThatAreNotUtf8Deny) {
  Principal principal = user_;
  principal.name = "\xff\xfe";
  EXPECT_FALSE(call(test::with_tool_access("allow if input.user.name != \"x\"\n"), "{}", principal).allow);
}

TEST_F(DecideAbuse, HugeAndDeepArgumentsDenyWithoutHarm) {
  const Snapshot snapshot = test::with_tool_access("allow := true\ndeny contains \"x\" if input.arguments.never\n");
  EXPECT_TRUE(call(snapshot, "{\"a\":\"" + std::string(1U << 20U, 'x') + "\"}", user_).allow);
  EXPECT_FALSE(call(snapshot, "{\"a\":\"" + std::string(17U << 20U, 'x') + "\"}", user_).allow);
  EXPECT_FALSE(call(snapshot, std::string(100'000, '[') + std::string(100'000, ']'), user_).allow);
}

TEST_F(DecideAbuse, AFloodOfPrincipalsKeepsTheMemoryBounded) {
  const Snapshot snapshot = test::shipped();
  Decider small(DeciderSettings{.memo_entries = 16});
  for (int i = 0; i < 2'000; ++i) {
    Principal principal = i % 2 == 0 ? user_ : principal_with({"readonly"});
    principal.id = "user:" + std::to_string(i);
    const Decision decision = small.decide(snapshot, {.principal = principal, .tool = &tool_});
    ASSERT_EQ(decision.allow, i % 2 == 0) << decision.rule_id << " " << decision.evidence;
  }
}

// Long texts too: they are bounded together, and forgetting them changes no answer.
TEST_F(DecideAbuse, AFloodOfLongNamesKeepsTheMemoryBounded) {
  const Snapshot snapshot = test::with_tool_access("allow if input.user.name != \"x\"\n");
  Principal principal = user_;
  for (int i = 0; i < 400; ++i) {
    principal.name = std::to_string(i) + std::string(60'000, 'n');
    ASSERT_TRUE(decider_.decide(snapshot, {.principal = principal, .tool = &tool_}).allow);
    ASSERT_TRUE(decider_.decide(snapshot, {.principal = principal, .tool = &tool_}).allow);
  }
  EXPECT_EQ(decider_.counters().remembered, 400U);
  principal.name = std::string(70'000, 'n');
  EXPECT_TRUE(decider_.decide(snapshot, {.principal = principal, .tool = &tool_}).allow);
  EXPECT_TRUE(decider_.decide(snapshot, {.principal = principal, .tool = &tool_}).allow);
  EXPECT_EQ(decider_.counters().remembered, 400U) << "one too long is not kept";
}

TEST_F(DecideAbuse, LongReasonsAreCutAtACharacter) {
  const Snapshot snapshot = test::with_tool_access("allow := true\ndeny contains concat(\"\", [\"\xc3\xa9\" | numbers.range(1, 999)[_]])\n");
  const Decision decision = call(snapshot, "{}", user_);
  EXPECT_FALSE(decision.allow);
  EXPECT_LE(decision.reason.size(), 400U);
  EXPECT_EQ(decision.reason.size() % 2, 0U);
  EXPECT_GT(decision.reason.size(), 300U);
}

}  // namespace
}  // namespace sallyport
