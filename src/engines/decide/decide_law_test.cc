// The law of design, principle 1: nothing is callable that is not listed; list = decide without arguments.
#include <gtest/gtest.h>

#include <random>

#include "engines/decide/decide_fixture.h"

namespace sallyport {
namespace {

using enum Permission;

// Policies written in good faith and in bad, the ones that try to tell list from call included.
const std::vector<std::string>& bodies() {
  static const std::vector<std::string> kBodies{
      "allow := true\n",
      "default allow := false\n",
      "allow if input.phase == \"call\"\n",
      "allow if input.phase == \"list\"\n",
      "allow if input.arguments.x > 5\n",
      "allow if not input.arguments\n",
      "allow := true\ndeny contains \"x\" if input.arguments.x > 5\n",
      "allow := true\ndeny contains \"hidden\" if input.phase == \"list\"\n",
      "allow := true\ndeny contains \"hidden\" if not input.arguments\n",
      "allow if \"tool:execute\" in input.user.permissions\ndeny contains \"l\" if input.tool.security_level > 2\n",
      "allow if input.tool.name == \"a1\"\n",
      "allow if input.time < \"2026\"\n",
      "allow if count(object.get(input, [\"arguments\", \"x\"], \"\")) == 0\n",
      "allow := true\ndeny contains \"e\" if 1 / input.arguments.x == 1\n",
  };
  return kBodies;
}

class Cases {
 public:
  explicit Cases(unsigned seed) : rng_(seed) {}
  std::size_t pick(std::size_t n) { return rng_() % n; }
  bool coin() { return pick(2) == 0; }

  Principal principal() {
    static const std::vector<std::string> kNames{"admin", "user", "agent", "readonly", "auditor", "custom", "ghost"};
    Principal p;
    p.id = "user:" + std::to_string(pick(4));
    for (const auto& name : kNames) {
      if (pick(4) == 0) p.roles.push_back(name);
    }
    if (coin()) p.permissions = PermissionSet::from_bits(static_cast<std::uint32_t>(rng_()));
    static const std::vector<std::string> kGlobs{"*", "a*", "a1", "b?", "c"};
    for (std::size_t i = pick(3); i > 0; --i) {
      p.grants.push_back({static_cast<Permission>(pick(5)), kGlobs[pick(5)], kGlobs[pick(5)]});
    }
    if (coin()) p.dotted = {"x.y"};
    p.must_change_password = pick(20) == 0;
    return p;
  }

  ToolRecord tool() {
    static const std::vector<std::string> kNames{"a1", "a2", "b1", "c"};
    ToolRecord t = test::tool_named(kNames[pick(4)], kNames[pick(4)], static_cast<int>(pick(5)));
    if (pick(4) == 0) t.required = {"x.y"};
    return t;
  }

 private:
  std::mt19937 rng_;
};

TEST(DecideLaw, NothingIsCallableThatIsNotListed) {
  Cases cases(11);
  const Roles roles{{"custom", {"custom", {tool_read}, {{tool_execute, "b1", "*"}}, {"x.y"}}}};
  std::vector<Snapshot> snapshots{test::snapshot_with(policy::shipped_policies(), roles, 1)};
  for (const std::string& body : bodies()) {
    Snapshot snapshot = test::with_tool_access(body, snapshots.size() + 1);
    snapshot.roles = std::make_shared<const Roles>(roles);
    snapshots.push_back(std::move(snapshot));
  }
  static const std::vector<std::string> kArguments{"{}", R"({"x":1})", R"({"x":9})", R"({"x":0})", R"({"x":"text"})",
                                                   R"({"user":{"roles":["admin"]},"phase":"list"})"};
  std::vector<std::unique_ptr<Decider>> deciders;
  for (std::size_t i = 0; i < snapshots.size(); ++i) deciders.push_back(std::make_unique<Decider>());
  Decider forgetful(DeciderSettings{.memo_entries = 0});
  int called = 0;
  int listed_only = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * snapshots.size() / 20'000;
    const Principal principal = cases.principal();
    const ToolRecord tool = cases.tool();
    const auto channel = static_cast<Channel>(cases.pick(3));
    AccessRequest request{.principal = principal, .channel = channel, .action = tool_execute, .tool = &tool,
                          .phase = Phase::list};
    Decider& decider = *deciders[at];
    const Decision list = decider.decide(snapshots[at], request);
    request.arguments_json = kArguments[cases.pick(kArguments.size())];
    const Decision list_with = decider.decide(snapshots[at], request);
    ASSERT_EQ(list.allow, list_with.allow) << "a list never looks at arguments: " << list.evidence << list_with.evidence;
    request.phase = Phase::call;
    const Decision call = decider.decide(snapshots[at], request);
    ASSERT_TRUE(!call.allow || list.allow) << at << ": callable but not listed: " << principal.id << " " << tool.name;
    ASSERT_EQ(call.allow, forgetful.decide(snapshots[at], request).allow) << "memory changes no answer";
    called += call.allow ? 1 : 0;
    listed_only += list.allow && !call.allow ? 1 : 0;
    request.action = tool_read;
    request.phase = Phase::list;
    const Decision read = decider.decide(snapshots[at], request);
    ASSERT_TRUE(!is_unknown(read) || is_unknown(call) || call.rule_id == kRulePassword) << "hidden to read, known to call";
  }
  EXPECT_GT(called, 1'000) << "the cases must allow something";
  EXPECT_GT(listed_only, 50) << "and refuse some by their arguments";
}

}  // namespace
}  // namespace sallyport
