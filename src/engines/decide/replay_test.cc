// Decisions recorded as they are made, and made once more under a candidate.
#include "engines/decide/replay.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"

namespace sallyport {
namespace {

using namespace test;

constexpr const char* kTools = "allow := true\ndeny contains \"big\" if input.arguments.a > 9";

struct Recorded {
  explicit Recorded(std::size_t bytes = 1U << 20) : recorder(bytes) {}

  Recorder recorder;
  Decider decider;
  Principal ann = principal_with({"user"});
  Snapshot snapshot = with_tool_access(kTools);

  void call(const std::string& tool, std::string_view arguments, Phase phase = Phase::call) {
    const ToolRecord record = tool_named("calc", tool);
    const AccessRequest request{.principal = ann, .tool = &record, .arguments_json = arguments, .phase = phase};
    recorder.note(snapshot, request, decider.decide(snapshot, request));
  }
  ReplayReport under(const std::string& rules) {
    auto replay = Replay::of(with_tool_access(rules).policy->modules, recorder.all()).value();
    const SystemClock clock;
    while (replay.step(clock, std::chrono::seconds(1))) continue;
    return replay.report();
  }
};

TEST(Recorder, KeepsEachDistinctCallOnce) {
  Recorded r;
  for (int i = 0; i < 3; ++i) r.call("add", R"({"a":1})");
  r.call("add", R"({"a":2})");
  r.call("add", "{}", Phase::list);
  r.ann.roles.clear();
  r.call("add", R"({"a":3})");
  const auto all = r.recorder.all();
  ASSERT_EQ(all.size(), 2U) << "no list, and nothing that the roles refuse";
  EXPECT_EQ(all[0].arguments, R"({"a":1})");
  EXPECT_TRUE(all[0].allow);
  EXPECT_NE(all[0].input.find("\"time\":"), std::string::npos) << "what the policy in force does not read is there too";
}

TEST(Recorder, KeepsBothWhereLabelsAddressOrProtocolDiffer) {
  Recorded r;
  const auto call = [&](std::string_view address, std::string_view protocol, const std::vector<std::string>& labels,
                        bool carries = false) {
    ToolRecord record = tool_named("calc", "add");
    record.labels = labels;
    Snapshot snapshot = r.snapshot;
    if (carries) {
      Labels all;
      all[r.ann.id] = std::make_shared<const LabelsOfOne>(LabelsOfOne{{"private_data", {.until = WallTime::max()}}});
      snapshot.labels = std::make_shared<const Labels>(std::move(all));
    }
    const AccessRequest request{.principal = r.ann,
                                .tool = &record,
                                .arguments_json = "{}",
                                .remote_address = address,
                                .protocol_version = protocol};
    r.recorder.note(snapshot, request, r.decider.decide(snapshot, request));
  };
  for (int again = 0; again < 2; ++again) {
    call("10.0.0.1", "2025-11-25", {});
    call("10.0.0.2", "2025-11-25", {});
    call("10.0.0.1", "2026-07-28", {});
    call("10.0.0.1", "2025-11-25", {"external_sink"});
    call("10.0.0.1", "2025-11-25", {}, true);
  }
  EXPECT_EQ(r.recorder.all().size(), 5U);
}

// A rule may go by each of these.
TEST(Recorder, KeepsBothWhereAnyMemberOfTheInputDiffersButTheTime) {
  Recorded r;
  const auto call = [&](const Principal& who, const ToolRecord& tool, WallTime now = {}) {
    const AccessRequest request{.principal = who, .tool = &tool, .arguments_json = "{}", .now = now};
    r.recorder.note(r.snapshot, request, r.decider.decide(r.snapshot, request));
    return r.recorder.all().size();
  };
  const ToolRecord tool = tool_named("calc", "add");
  EXPECT_EQ(call(r.ann, tool), 1U);
  EXPECT_EQ(call(r.ann, tool, WallTime(std::chrono::hours(1))), 1U);
  Principal who = r.ann;
  who.groups = {"staff"};
  EXPECT_EQ(call(who, tool), 2U);
  who.permissions.add(Permission::tool_update);
  EXPECT_EQ(call(who, tool), 3U);
  who.grants = {{Permission::tool_delete, "calc", "*"}};
  EXPECT_EQ(call(who, tool), 4U);
  who.name = "ada";
  EXPECT_EQ(call(who, tool), 5U);
  who.dotted = {"math.add"};
  ToolRecord other = tool;
  other.required = {"math.add"};
  EXPECT_EQ(call(who, other), 6U);
  other.security_level = 7;
  EXPECT_EQ(call(who, other), 7U);
  other.definition = R"({"annotations":{"readOnlyHint":true}})";
  other.digest = "of that";
  EXPECT_EQ(call(who, other), 8U);
  for (int again = 0; again < 2; ++again) EXPECT_EQ(call(who, other), 8U);
}

// Members stand one after the other in what tells questions apart: each ends where it ends.
TEST(Recorder, KeepsBothWhereTwoMembersTogetherReadAlike) {
  Recorded r;
  const auto call = [&](const Principal& who, const ToolRecord& tool, std::string_view address = "",
                        std::string_view protocol = "", std::optional<std::string_view> arguments = "{}") {
    const AccessRequest request{.principal = who,
                                .tool = &tool,
                                .arguments_json = arguments,
                                .remote_address = address,
                                .protocol_version = protocol};
    r.recorder.note(r.snapshot, request, r.decider.decide(r.snapshot, request));
  };
  ToolRecord tool = tool_named("calc", "add");
  Principal who = r.ann;
  call(who, tool, "ab", "c");
  call(who, tool, "a", "bc");
  call(who, tool, "", "", std::nullopt);
  call(who, tool, "", "", "");
  call(who, tool);
  who.id = r.ann.id + r.ann.name;
  who.name = "";
  call(who, tool);
  who.groups = {"ab", "c"};
  call(who, tool);
  who.groups = {"a", "bc"};
  call(who, tool);
  call(who, tool_named("calca", "dd"));
  tool.labels = {"x"};
  call(who, tool);
  tool.labels = {};
  tool.required = {"x"};
  who.dotted = {"x"};
  call(who, tool);
  EXPECT_EQ(r.recorder.all().size(), 11U);
}

TEST(Recorder, KeepsOnceWhateverItsKey) {
  Recorded r;
  const ToolRecord tool = tool_named("calc", "add");
  for (const std::uint8_t key : {0, 1, 255}) {
    RecordKey random{};
    random.fill(std::byte{key});
    Recorder recorder(1U << 20, {}, random);
    for (const char* arguments : {R"({"a":1})", R"({"a":2})", R"({"a":1})"}) {
      const AccessRequest request{.principal = r.ann, .tool = &tool, .arguments_json = arguments};
      recorder.note(r.snapshot, request, r.decider.decide(r.snapshot, request));
    }
    EXPECT_EQ(recorder.all().size(), 2U);
  }
}

TEST(Recorder, KeepsNoReasonWhereArgumentsAreHiddenSinceItMayQuoteThem) {
  Recorded r;
  r.snapshot =
      with_tool_access("allow := true\n"
                       "deny contains sprintf(\"the key %s is old\", [input.arguments.key]) if input.arguments.key");
  Recorder hiding(1U << 20, [](std::string_view arguments, const Obligations*) {
    return arguments.contains("hunter22") ? std::string("{}") : std::string(arguments);
  });
  const ToolRecord record = tool_named("calc", "add");
  for (const char* arguments : {R"({"key":"hunter22"})", R"({"key":"plain"})"}) {
    const AccessRequest request{.principal = r.ann, .tool = &record, .arguments_json = arguments};
    hiding.note(r.snapshot, request, r.decider.decide(r.snapshot, request));
  }
  const auto all = hiding.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].why, "policy.tool_access.deny (arguments redacted)");
  EXPECT_EQ(all[1].why, "policy.tool_access.deny: the key plain is old");
}

TEST(Recorder, KeepsOfTheArgumentsWhatMayBeKeptAndSaysSo) {
  Recorded r;
  Recorder hiding(1U << 20, [](std::string_view arguments, const Obligations*) {
    return arguments.contains("secret") ? std::string("{}") : std::string(arguments);
  });
  const ToolRecord record = tool_named("calc", "add");
  for (const char* arguments : {R"({"a":1})", R"({"secret":1})", R"({"secret":2})"}) {
    const AccessRequest request{.principal = r.ann, .tool = &record, .arguments_json = arguments};
    hiding.note(r.snapshot, request, r.decider.decide(r.snapshot, request));
  }
  const auto all = hiding.all();
  ASSERT_EQ(all.size(), 3U) << "what is asked is told apart before it is hidden";
  EXPECT_EQ(all[0].arguments, R"({"a":1})");
  EXPECT_EQ(all[0].why, "policy.tool_access.allow");
  EXPECT_EQ(all[1].arguments, "{}");
  EXPECT_EQ(all[1].why, "policy.tool_access.allow (arguments redacted)");
}

TEST(Recorder, IsBoundedInBytes) {
  Recorded r(20'000);
  for (int i = 0; i < 200; ++i) r.call("add", R"({"a":)" + std::to_string(i) + "}");
  const auto all = r.recorder.all();
  EXPECT_LT(all.size(), 80U);
  EXPECT_EQ(all.back().arguments, R"({"a":199})");
  r.call("add", "{\"a\":\"" + std::string(30'000, 'x') + "\"}");
  EXPECT_EQ(r.recorder.all().size(), all.size()) << "what is larger than the whole ring is not kept";
}

TEST(Replay, FindsExactlyWhatAChangeChanges) {
  Recorded r;
  for (const char* a : {R"({"a":1})", R"({"a":6})", R"({"a":9})", R"({"a":10})", R"({"a":20})"}) r.call("add", a);
  EXPECT_TRUE(r.under(kTools).differences.empty());
  const auto stricter = r.under("allow := true\ndeny contains \"over five\" if input.arguments.a > 5");
  EXPECT_EQ(stricter.compared, 5U);
  EXPECT_EQ(stricter.would_deny, 2U);
  EXPECT_EQ(stricter.would_allow, 0U);
  ASSERT_EQ(stricter.differences.size(), 2U);
  EXPECT_EQ(stricter.differences[0].candidate, "policy.tool_access.deny: over five");
  EXPECT_EQ(stricter.differences[0].recorded, "policy.tool_access.allow");
  const auto laxer = r.under("allow := true\ndeny contains \"over fifteen\" if input.arguments.a > 15");
  EXPECT_EQ(laxer.would_allow, 1U);
  EXPECT_EQ(laxer.differences.at(0).recorded, "policy.tool_access.deny: big");
}

TEST(Replay, WhatIsRefusedInAListCannotBeCalled) {
  Recorded r;
  r.call("add", R"({"a":1})");
  EXPECT_EQ(r.under("allow if input.phase == \"call\"").would_deny, 1U);
}

TEST(Replay, AnErrorOfTheCandidateIsAnError) {
  Recorded r;
  r.call("add", R"({"a":1})");
  const auto report = r.under("allow := true\ndeny contains \"x\" if to_number(input.tool.name) == 1");
  EXPECT_EQ(report.errors, 1U);
  EXPECT_EQ(report.would_deny, 0U);
  EXPECT_EQ(Replay::of({{"x.rego", "package tool_access\nallow if {{{\n"}}, {}).error().code, Code::validation);
}

TEST(Replay, SaysWhatItHadNoTimeFor) {
  Recorded r;
  for (int i = 0; i < 4; ++i) r.call("t" + std::to_string(i), "{}");
  auto replay = Replay::of(r.snapshot.policy->modules, r.recorder.all()).value();
  const SystemClock clock;
  EXPECT_TRUE(replay.step(clock, std::chrono::nanoseconds(0)));
  EXPECT_EQ(replay.report().left, 3U);
}

TEST(Replay, WhatWasExportedIsReadAgain) {
  Recorded r;
  r.call("add", R"({"a":1})");
  json::Writer w;
  w.object().key("decisions").array();
  for (const auto& one : r.recorder.all()) write_recorded(w, one);
  w.end_array().end_object();
  const auto read = read_recorded(w.text()).value();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].input, r.recorder.all()[0].input);
  EXPECT_EQ(read[0].arguments, R"({"a":1})");
  EXPECT_EQ(read[0].principal, r.ann.id);
  EXPECT_FALSE(read_recorded("{}"));
  EXPECT_FALSE(read_recorded(R"({"decisions":[{"package":"tool_access"}]})"));
  EXPECT_FALSE(read_recorded("no JSON"));
}

}  // namespace
}  // namespace sallyport
