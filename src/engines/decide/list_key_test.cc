// What lists are kept by: two callers of one key are answered alike on every tool.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "engines/decide/decide_fixture.h"
#include "engines/decide/policy_source.h"

namespace sallyport {
namespace {

using enum Permission;

class ListKey : public ::testing::Test {
 protected:
  ListKey() { ann_.grants = {{tool_execute, "a", "b"}}; }

  // What AccessRequest only looks at.
  struct Asking {
    Principal principal;
    Channel channel = Channel::mcp;
    std::string address = "192.0.2.1";
    std::string protocol = "2025-11-25";
    WallTime now{};
    [[nodiscard]] AccessRequest request() const {
      return {.principal = principal,
              .channel = channel,
              .phase = Phase::list,
              .remote_address = address,
              .now = now,
              .protocol_version = protocol};
    }
  };
  std::string key(const Snapshot& snapshot, const Asking& asking) {
    return decider_.list_key(snapshot, asking.request());
  }
  // Does a rule that says `rules` see what `change` does?
  bool tells(const std::string& rules, const std::function<void(Asking&, Snapshot&)>& change) {
    Snapshot snapshot = test::with_tool_access(rules, ++epoch_);
    Asking asking{.principal = ann_};
    const std::string before = key(snapshot, asking);
    EXPECT_FALSE(before.empty());
    change(asking, snapshot);
    return key(snapshot, asking) != before;
  }

  Principal ann_ = test::principal_with({"user", "r"});
  Decider decider_;
  std::uint64_t epoch_ = 10;
};

TEST_F(ListKey, HasTheRightsWhateverTheRulesRead) {
  const std::string all = "allow := true\n";
  EXPECT_FALSE(tells(all, [](Asking&, Snapshot&) {}));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.roles = {"user"}; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.roles = {"userr"}; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.permissions = {tool_execute}; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.grants.clear(); }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.grants = {{tool_execute, "ab", ""}}; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.grants[0].permission = tool_read; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.dotted = {"x.y"}; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.must_enroll = true; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.principal.must_change_password = true; }));
  EXPECT_TRUE(tells(all, [](Asking& a, Snapshot&) { a.channel = Channel::rest; }));
}

TEST_F(ListKey, HasOfTheCallerWhatARuleReads) {
  const struct {
    std::string member;
    std::function<void(Asking&, Snapshot&)> change;
  } cases[] = {
      {"user.id", [](Asking& a, Snapshot&) { a.principal.id = "user:1"; }},
      {"user.name", [](Asking& a, Snapshot&) { a.principal.name = "bea"; }},
      {"user.kind", [](Asking& a, Snapshot&) { a.principal.kind = PrincipalKind::key; }},
      {"user.groups", [](Asking& a, Snapshot&) { a.principal.groups = {"g"}; }},
      {"address", [](Asking& a, Snapshot&) { a.address = "192.0.2.2"; }},
      {"protocol", [](Asking& a, Snapshot&) { a.protocol = "2024-11-05"; }},
      {"labels",
       [](Asking& a, Snapshot& s) {
         auto labels = std::make_shared<Labels>();
         (*labels)[a.principal.id] =
             std::make_shared<const LabelsOfOne>(LabelsOfOne{{"private_data", {WallTime::max(), "x"}}});
         s.labels = labels;
       }},
  };
  for (const auto& [member, change] : cases) {
    EXPECT_TRUE(tells("allow if input." + member + " != \"x\"\n", change)) << member;
    EXPECT_FALSE(tells("allow if input.tool.name != \"x\"\n", change)) << member;
  }
}

TEST_F(ListKey, SeesALabelEnd) {
  Snapshot snapshot = test::with_tool_access("allow if count(input.labels) == 0\n");
  const WallTime end{std::chrono::hours(1)};
  auto labels = std::make_shared<Labels>();
  (*labels)[ann_.id] = std::make_shared<const LabelsOfOne>(LabelsOfOne{{"private_data", {end, "x"}}});
  snapshot.labels = labels;
  Asking asking{.principal = ann_, .now = end - std::chrono::seconds(1)};
  const std::string before = key(snapshot, asking);
  asking.now = end;
  EXPECT_NE(key(snapshot, asking), before);
}

TEST_F(ListKey, IsEmptyWhereNothingMayBeKept) {
  const Asking asking{.principal = ann_};
  for (const std::string rules : {"allow if input.time < \"2026\"\n", "allow if time.now_ns() > 0\n",
                                  "allow if rand.intn(\"x\", 2) == 0\n", "allow if is_object(input)\n"}) {
    EXPECT_EQ(key(test::with_tool_access(rules, ++epoch_), asking), "") << rules;
  }
  EXPECT_EQ(key(test::with_tool_access("allow if {{\n", ++epoch_), asking), "") << "a policy that does not compile";
  Snapshot snapshot = test::shipped();
  EXPECT_NE(key(snapshot, asking), "");
  snapshot.shadow = snapshot.policy;
  EXPECT_EQ(key(snapshot, asking), "") << "a candidate sees each question";
}

class Elsewhere final : public PolicySource {
 public:
  Result<policy::PolicyAnswer> ask(const PolicyQuestion&) override { return policy::PolicyAnswer{.allow = true}; }
};

TEST_F(ListKey, IsEmptyWhereAnotherSourceAnswers) {
  Elsewhere source;
  decider_ = Decider({.source = &source});
  EXPECT_EQ(key(test::shipped(), {.principal = ann_}), "");
}

TEST_F(ListKey, AnErrorIsCounted) {
  const Snapshot snapshot = test::with_tool_access("allow if 1 / 0 == 1\n", ++epoch_);
  const ToolRecord tool = test::tool_named("calc", "add");
  const auto before = decider_.counters().failed;
  EXPECT_FALSE(decider_.decide(snapshot, {.principal = ann_, .tool = &tool, .phase = Phase::list}).allow);
  EXPECT_EQ(decider_.counters().failed, before + 1);
}

// Random callers and rules: where the key is the same, so is every answer.
class Drawn {
 public:
  explicit Drawn(unsigned seed) : rng_(seed) {}
  std::size_t pick(std::size_t n) { return rng_() % n; }

  Principal principal() {
    Principal p;
    p.id = "user:" + std::to_string(pick(3));
    p.name = pick(2) == 0 ? "ann" : "bea";
    for (const char* name : {"user", "readonly", "custom", "admin"}) {
      if (pick(4) == 0) p.roles.emplace_back(name);
    }
    if (pick(4) == 0) p.permissions = {tool_execute};
    for (std::size_t i = pick(3); i > 0; --i)
      p.grants.push_back({pick(3) == 0 ? tool_read : tool_execute, glob(), glob()});
    if (pick(4) == 0) p.dotted = {"x.y"};
    if (pick(3) == 0) p.groups = {"g"};
    p.must_change_password = pick(30) == 0;
    return p;
  }

 private:
  std::string glob() {
    static const std::vector<std::string> kGlobs{"*", "a*", "a1", "b?"};
    return kGlobs[pick(kGlobs.size())];
  }
  std::mt19937 rng_;
};

std::string answers(Decider& decider, const Snapshot& snapshot, AccessRequest request) {
  std::string out;
  for (const auto& [server, tools] : snapshot.catalogue->tools) {
    for (const auto& [name, tool] : tools) {
      request.tool = tool.get();
      out += decider.decide(snapshot, request).rule_id + ";";
    }
  }
  return out;
}

Snapshot world(const std::string& rules, std::uint64_t epoch) {
  Snapshot snapshot =
      rules.empty() ? test::snapshot_with(policy::shipped_policies(), {}, epoch) : test::with_tool_access(rules, epoch);
  snapshot.roles =
      std::make_shared<const Roles>(Roles{{"custom", {"custom", {}, {{tool_execute, "b1", "*"}}, {"x.y"}, {}}}});
  auto catalogue = std::make_shared<Catalogue>();
  for (const char* server : {"a1", "a2", "b1"}) {
    for (const char* name : {"a1", "b1"}) {
      ToolRecord tool = test::tool_named(server, name, static_cast<int>(catalogue->tools.size()));
      if (name[0] == 'b') tool.required = {"x.y"};
      catalogue->tools[server][name] = std::make_shared<const ToolRecord>(tool);
    }
  }
  snapshot.catalogue = std::move(catalogue);
  return snapshot;
}

TEST(ListKeyLaw, WhoHasTheSameKeyIsAnsweredAlike) {
  const std::vector<std::string> rules{
      "",
      "allow := true\n",
      "allow if input.user.name == \"ann\"\n",
      "allow if input.user.id == \"user:1\"\n",
      "allow if \"g\" in input.user.groups\n",
      "allow if \"tool:execute\" in input.user.permissions\n",
      "allow := true\ndeny contains \"x\" if { input.tool.name == \"a1\"; input.address == \"192.0.2.1\" }\n",
      "allow if input.granted\n",
      "allow if not \"custom\" in input.user.roles\n"};
  Drawn drawn(7);
  int different_callers = 0;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Snapshot snapshot = world(rules[i], i + 1);
    Decider decider;
    std::map<std::string, std::pair<std::string, std::string>> seen;  // key -> answers, who
    for (int n = 0; n < 2'000; ++n) {
      const Principal principal = drawn.principal();
      const AccessRequest request{.principal = principal,
                                  .phase = Phase::list,
                                  .remote_address = drawn.pick(2) == 0 ? "192.0.2.1" : "192.0.2.2"};
      const std::string who = principal.id + principal.name + std::string(request.remote_address);
      const auto [at, fresh] =
          seen.try_emplace(decider.list_key(snapshot, request), answers(decider, snapshot, request), who);
      ASSERT_FALSE(at->first.empty());
      if (fresh) continue;
      different_callers += at->second.second != who ? 1 : 0;
      ASSERT_EQ(at->second.first, answers(decider, snapshot, request)) << rules[i];
    }
    EXPECT_GT(seen.size(), 100U) << rules[i];
  }
  EXPECT_GT(different_callers, 1'000);
}

}  // namespace
}  // namespace sallyport
