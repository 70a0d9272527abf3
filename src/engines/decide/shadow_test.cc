// A candidate beside the policies in force: what it counts, and that it changes nothing.
#include "engines/decide/shadow.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"
#include "engines/policy/policy.h"

namespace sallyport {
namespace {

using namespace test;

// Every look takes as long as the test says.
class WornClock final : public Clock {
 public:
  WallTime wall() const noexcept override { return WallTime(std::chrono::seconds(1'790'000'000)); }
  SteadyTime steady() const noexcept override { return now_ += step; }
  std::chrono::nanoseconds step{100};
  void pass(std::chrono::nanoseconds by) { now_ += by; }

 private:
  mutable SteadyTime now_{std::chrono::seconds{1'000}};
};

struct Tried {
  WornClock clock;
  Decider decider{{.clock = &clock}};
  Principal ann = principal_with({"user"});
  ToolRecord add = tool_named("calc", "add");
  ToolRecord mul = tool_named("calc", "mul");
  Snapshot snapshot = with_tool_access("allow := true");

  void candidate(const std::string& rules, std::uint64_t epoch = 50) {
    PolicySet set = *with_tool_access(rules, epoch).policy;
    set.version = epoch;
    snapshot.shadow = std::make_shared<const PolicySet>(std::move(set));
    ++snapshot.epoch;
  }
  Decision call(const ToolRecord& tool, std::string_view arguments = "{}") {
    return decider.decide(snapshot, {.principal = ann, .tool = &tool, .arguments_json = arguments});
  }
  ShadowReport report() { return decider.shadow()->report(true); }
};

TEST(Shadow, CountsWhatItWouldDenyAndChangesNothing) {
  Tried t;
  t.candidate("allow := true\ndeny contains \"not mul\" if input.tool.name == \"mul\"");
  EXPECT_TRUE(t.call(t.add).allow);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(t.call(t.mul).allow);
  const auto report = t.report();
  EXPECT_EQ(report.version, 50U);
  EXPECT_EQ(report.compared, 4U);
  EXPECT_EQ(report.would_deny, 3U);
  EXPECT_EQ(report.would_allow, 0U);
  ASSERT_EQ(report.differences.size(), 1U);
  const ShadowDifference& one = report.differences[0];
  EXPECT_EQ(one.count, 3U);
  EXPECT_EQ(one.server + "/" + one.tool + " " + one.phase, "calc/mul call");
  EXPECT_EQ(one.active, "policy.tool_access.allow");
  EXPECT_EQ(one.candidate, "policy.tool_access.deny: not mul");
}

TEST(Shadow, WhatIsNobodysCallIsNotCompared) {
  Tried t;
  t.candidate("allow := true\ndeny contains \"not mul\" if input.tool.name == \"mul\"");
  const AccessRequest request{.principal = t.ann, .tool = &t.mul, .arguments_json = "{}", .counts = false};
  EXPECT_TRUE(t.decider.decide(t.snapshot, request).allow);
  EXPECT_EQ(t.report().compared, 0U);
  EXPECT_TRUE(t.call(t.mul).allow);
  EXPECT_EQ(t.report().compared, 1U);
}

TEST(Shadow, CountsWhatItWouldAllow) {
  Tried t;
  t.snapshot.policy = with_tool_access("default allow := false", 2).policy;
  t.candidate("allow := true");
  EXPECT_FALSE(t.call(t.add).allow);
  EXPECT_EQ(t.report().would_allow, 1U);
}

TEST(Shadow, ReadsTheArgumentsOfEachCall) {
  Tried t;
  t.candidate("allow := true\ndeny contains \"big\" if input.arguments.a > 9");
  for (const char* arguments : {R"({"a":1})", R"({"a":10})", R"({"a":2})"}) EXPECT_TRUE(t.call(t.add, arguments).allow);
  EXPECT_EQ(t.report().would_deny, 1U);
}

TEST(Shadow, AnErrorOfTheCandidateIsCountedAndChangesNothing) {
  Tried t;
  t.candidate("allow := true\ndeny contains \"x\" if to_number(input.tool.name) == 1");
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().errors, 1U);
  EXPECT_EQ(t.report().differences.at(0).kind, ShadowKind::error);
}

TEST(Shadow, ACandidateThatDoesNotCompileChangesNothing) {
  Tried t;
  t.candidate("allow if {{{");
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().errors, 1U);
}

TEST(Shadow, WhatTheRolesRefuseIsNotCompared) {
  Tried t;
  t.candidate("default allow := false");
  t.ann.roles.clear();
  EXPECT_FALSE(t.call(t.add).allow);
  EXPECT_EQ(t.report().compared, 0U);
}

TEST(Shadow, BeginsAnewWithAnotherCandidateAndWithOtherPolicies) {
  Tried t;
  t.candidate("default allow := false");
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().would_deny, 1U);
  const Snapshot before = t.snapshot;
  t.candidate("default allow := false", 51);
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().version, 51U);
  EXPECT_EQ(t.report().would_deny, 1U);
  // A request that began before is decided as ever, and not compared.
  EXPECT_TRUE(t.decider.decide(before, {.principal = t.ann, .tool = &t.add}).allow);
  EXPECT_EQ(t.report().version, 51U);
  t.snapshot.shadow.reset();
  ++t.snapshot.epoch;
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().version, 0U);
  EXPECT_TRUE(t.report().differences.empty());
}

TEST(Shadow, TakesATenthOfTheTimeAtMost) {
  Tried t;
  t.candidate("default allow := false");
  t.clock.step = std::chrono::milliseconds(30);  // of each look at the clock
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(t.call(t.add).allow);
  const auto report = t.report();
  EXPECT_LT(report.compared, 6U);
  EXPECT_EQ(report.compared + report.skipped, 20U);
  t.clock.pass(std::chrono::seconds(10));
  EXPECT_TRUE(t.call(t.add).allow);
  EXPECT_EQ(t.report().compared, report.compared + 1);
}

TEST(Shadow, SuspendsACandidateThatIsTooSlowAgainAndAgain) {
  Tried t;
  t.candidate("allow := true\ndeny contains \"x\" if to_number(input.arguments.a) == 1");  // fails each time
  t.clock.step = std::chrono::milliseconds(2);
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(t.call(t.add, R"({"a":"no number"})").allow);
    t.clock.pass(std::chrono::seconds(1));
  }
  EXPECT_TRUE(t.report().suspended);
  EXPECT_EQ(t.report().compared, 32U);
  EXPECT_EQ(t.report().skipped, 8U);
}

TEST(Shadow, KeepsABoundedTable) {
  Tried t;
  t.candidate("default allow := false");
  for (int i = 0; i < 400; ++i) {
    t.clock.pass(std::chrono::seconds(1));
    const ToolRecord tool = tool_named("calc", "t" + std::to_string(i));
    EXPECT_TRUE(t.call(tool).allow);
  }
  EXPECT_EQ(t.report().would_deny, 400U);
  EXPECT_EQ(t.report().differences.size(), 256U);
  EXPECT_EQ(t.decider.shadow()->news().size(), 256U);
  EXPECT_TRUE(t.decider.shadow()->news().empty());
}

}  // namespace
}  // namespace sallyport
