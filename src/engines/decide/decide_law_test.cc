// The law of design, principle 1, on the seam: nothing is callable that is not listed; a list is decide() without arguments;
// what may not be read is unknown. The check is a function of any seam, and broken ones make it fail.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "engines/decide/decide_fixture.h"
#include "engines/rbac/rbac.h"
#include "model/registration.h"

namespace sallyport {
namespace {

using enum Permission;
using Seam = std::function<Decision(const Snapshot&, const AccessRequest&)>;

#if defined(__has_feature) && __has_feature(address_sanitizer)
constexpr int kCases = 10'000;  // what takes seconds there too
#else
constexpr int kCases = 100'000;
#endif

struct LawPolicy {
  std::string body;  // of package tool_access; empty: the shipped policies
  bool plain = false;  // reads nothing that differs between a list and a call
};

// Written in good faith and in bad, the ones that try to tell list from call included.
const std::vector<LawPolicy>& law_policies() {
  static const std::vector<LawPolicy> kPolicies{
      {"", true},
      {"allow := true\n", true},
      {"default allow := false\n", true},
      {"allow if input.phase == \"call\"\n"},
      {"allow if input.phase == \"list\"\n"},
      {"allow if input.arguments.x > 5\n"},
      {"allow if not input.arguments\n"},
      {"allow := true\ndeny contains \"x\" if input.arguments.x > 5\n"},
      {"allow := true\ndeny contains \"hidden\" if input.phase == \"list\"\n"},
      {"allow := true\ndeny contains \"hidden\" if not input.arguments\n"},
      {"allow if \"tool:execute\" in input.user.permissions\ndeny contains \"l\" if input.tool.security_level > 2\n",
       true},
      {"allow if input.tool.name == \"a1\"\n", true},
      {"allow if input.action == \"execute\"\n", true},
      {"allow if input.action == \"read\"\n", true},
      {"allow := true\ndeny contains \"h\" if { input.tool.name == \"b1\"; input.action == \"read\" }\n", true},
      {"allow := true\ndeny contains \"r\" if \"custom-1\" in input.user.roles\n", true},
      {"allow := true\ndeny contains \"l\" if count(input.labels) > 0\n", true},
      {"allow if input.time < \"2026\"\n", true},
      {"allow if input.address == \"192.0.2.1\"\n", true},
      {"allow if count(object.get(input, [\"arguments\", \"x\"], \"\")) == 0\n"},
      {"allow := true\ndeny contains \"e\" if 1 / input.arguments.x == 1\n"},
  };
  return kPolicies;
}

struct LawCase {
  const Snapshot* snapshot = nullptr;
  bool plain = false;
  Principal principal;
  ToolRecord tool;
  Channel channel = Channel::mcp;
  std::vector<std::string> arguments;  // each a question of its own
};

class LawCases {
 public:
  explicit LawCases(unsigned seed) : rng_(seed) {
    for (std::size_t i = 0; i < law_policies().size(); ++i) worlds_.push_back(world(law_policies()[i].body, i + 1));
  }

  std::size_t pick(std::size_t n) { return rng_() % n; }
  bool coin() { return pick(2) == 0; }

  LawCase draw() {
    static const std::vector<std::string> kArguments{
        "{}",         R"({"x":1})",      R"({"x":9})",
        R"({"x":0})", R"({"x":"text"})", R"({"user":{"roles":["admin"]},"phase":"list"})"};
    const std::size_t at = pick(worlds_.size());
    return {&worlds_[at], law_policies()[at].plain, principal(), tool(), static_cast<Channel>(pick(3)), kArguments};
  }

  Principal principal() {
    static const std::vector<std::string> kNames{"admin",    "user",     "agent",    "readonly", "auditor",
                                                 "custom-0", "custom-1", "custom-2", "custom-3", "ghost"};
    Principal p;
    p.id = "user:" + std::to_string(pick(4));
    for (const auto& name : kNames) {
      if (pick(5) == 0) p.roles.push_back(name);
    }
    if (coin()) p.permissions = PermissionSet::from_bits(static_cast<std::uint32_t>(rng_()));
    p.grants = grants();
    if (coin()) p.dotted = {"x.y"};
    p.must_change_password = pick(20) == 0;
    return p;
  }

  // An upstream's, or a registered one that is bound to an upstream's or to one that is gone.
  ToolRecord tool() {
    ToolRecord t = test::tool_named(name(), name(), static_cast<int>(pick(5)));
    if (pick(4) == 0) t.required = {"x.y"};
    if (pick(4) != 0) return t;
    auto registration = std::make_shared<Registration>();
    registration->bound_server = name();
    registration->bound_tool = name();
    t.server = kRegistry;
    t.registration = std::move(registration);
    return t;
  }

 private:
  const std::string& name() {
    static const std::vector<std::string> kNames{"a1", "a2", "b1", "c"};
    return kNames[pick(kNames.size())];
  }

  std::vector<Grant> grants() {
    static const std::vector<std::string> kGlobs{"*", "a*", "a1", "b?", "c", "registry"};
    std::vector<Grant> out;
    for (std::size_t i = pick(3); i > 0; --i)
      out.push_back({static_cast<Permission>(pick(5)), kGlobs[pick(6)], kGlobs[pick(6)]});
    return out;
  }

  // In force: each with all that it inherits.
  Roles roles() {
    Roles out;
    for (int i = 0; i < 4; ++i) {
      Role role{"custom-" + std::to_string(i), {}, grants(), {}, {}};
      if (coin()) role.permissions.add(coin() ? Permission::tool_read : Permission::tool_execute);
      if (pick(3) == 0) role.dotted = {"x.y"};
      for (const auto& [above, inherited] : out) {
        if (pick(3) != 0) continue;
        role.permissions.add(inherited.permissions);
        role.grants.insert(role.grants.end(), inherited.grants.begin(), inherited.grants.end());
        role.dotted.insert(role.dotted.end(), inherited.dotted.begin(), inherited.dotted.end());
        role.inherits.push_back(above);
      }
      out.emplace(role.name, role);
    }
    return out;
  }

  Snapshot world(const std::string& body, std::uint64_t epoch) {
    Snapshot snapshot =
        body.empty() ? test::snapshot_with(policy::shipped_policies(), {}, epoch) : test::with_tool_access(body, epoch);
    snapshot.roles = std::make_shared<const Roles>(roles());
    auto catalogue = std::make_shared<Catalogue>();
    for (int i = 0; i < 8; ++i) {
      ToolRecord t = test::tool_named(name(), name(), static_cast<int>(pick(5)));
      if (pick(4) == 0) t.required = {"x.y"};
      catalogue->tools[t.server][t.name] = std::make_shared<const ToolRecord>(t);
    }
    snapshot.catalogue = std::move(catalogue);
    auto labels = std::make_shared<Labels>();
    (*labels)["user:1"] =
        std::make_shared<const LabelsOfOne>(LabelsOfOne{{"private_data", {WallTime::max(), "a1/a1"}}});
    snapshot.labels = std::move(labels);
    return snapshot;
  }

  std::mt19937 rng_;
  std::vector<Snapshot> worlds_;
};

struct Tally {
  int asked = 0;
  int called = 0;
  int listed_only = 0;
  int unknown = 0;
};

// About the caller as a whole, or an error: these may be said of a tool that is hidden.
bool says_nothing_of_the_tool(const Decision& decision) {
  return is_unknown(decision) || decision.rule_id == kRulePassword || decision.rule_id == kRulePolicyError;
}

// One call beside what the same seam lists and shows; in words what breaks the law, or nothing.
std::string fault_of_call(const LawCase& one, const Decision& list, const Decision& read, const Decision& call) {
  if (call.allow && !list.allow) return "callable, not listed";
  if (list.allow && !read.allow && read.rule_id == "policy.tool_access.default") return "listed, not to be read";
  if (call.allow && one.channel != Channel::mcp && !read.allow) return "callable, not in the catalogue";
  if (one.plain && call.allow != list.allow) return "listed, not callable, and no rule reads arguments";
  if (!call.allow && is_unknown(read) && !says_nothing_of_the_tool(call)) return "hidden, and known to a call";
  return {};
}

// As many questions as the case has arguments.
std::string fault_of(const Seam& seam, const Seam& anew, const LawCase& one, Tally& tally) {
  AccessRequest request{.principal = one.principal,
                        .channel = one.channel,
                        .action = tool_execute,
                        .tool = &one.tool,
                        .phase = Phase::list};
  const Decision list = seam(*one.snapshot, request);
  AccessRequest reading = request;
  reading.action = tool_read;
  const Decision read = seam(*one.snapshot, reading);
  for (const std::string& arguments : one.arguments) {
    request.phase = Phase::list;
    request.arguments_json = arguments;
    if (tally.asked % 16 == 0 && seam(*one.snapshot, request).allow != list.allow) return "a list looked at arguments";
    request.phase = Phase::call;
    const Decision call = seam(*one.snapshot, request);
    if (auto fault = fault_of_call(one, list, read, call); !fault.empty()) return fault + ": " + call.evidence;
    if (tally.asked % 16 == 0 && anew(*one.snapshot, request).allow != call.allow) return "another answer from memory";
    ++tally.asked;
    tally.called += call.allow ? 1 : 0;
    tally.listed_only += list.allow && !call.allow ? 1 : 0;
    tally.unknown += is_unknown(call) ? 1 : 0;
  }
  return {};
}

// A memory for each set of policies, as a worker's would be when it came back to one.
class Real {
 public:
  Decision operator()(const Snapshot& snapshot, const AccessRequest& request) {
    return deciders_[snapshot.policy->epoch].decide(snapshot, request);
  }

 private:
  std::map<std::uint64_t, Decider> deciders_;
};

Seam without_memory() {
  auto deciders = std::make_shared<std::map<std::uint64_t, Decider>>();
  return [deciders](const Snapshot& snapshot, const AccessRequest& request) {
    return deciders->try_emplace(snapshot.policy->epoch, DeciderSettings{.memo_entries = 0})
        .first->second.decide(snapshot, request);
  };
}

TEST(DecideLaw, NothingIsCallableThatIsNotListed) {
  LawCases cases(11);
  Tally tally;
  Real real;
  const Seam seam = std::ref(real);
  const Seam anew = without_memory();
  while (tally.asked < kCases) {
    const LawCase one = cases.draw();
    const std::string fault = fault_of(seam, anew, one, tally);
    ASSERT_TRUE(fault.empty()) << fault << " (" << one.principal.id << ", " << one.tool.server << "/" << one.tool.name
                               << ", " << one.snapshot->policy->modules.back().second << ")";
  }
  RecordProperty("cases", tally.asked);
  EXPECT_GT(tally.called, kCases / 20) << "the cases must allow something";
  EXPECT_GT(tally.listed_only, kCases / 200) << "refuse some by their arguments";
  EXPECT_GT(tally.unknown, kCases / 20) << "and hide some";
}

// Ways in which seams of this field broke: each must be seen by the very check above.
void expect_seen(const Seam& broken, std::string_view as) {
  LawCases cases(12);
  Tally tally;
  const Seam anew = without_memory();
  while (tally.asked < 2'000) {
    const std::string fault = fault_of(broken, anew, cases.draw(), tally);
    if (fault.starts_with(as)) return;
    ASSERT_TRUE(fault.empty() || !fault.starts_with("another")) << "seen as something else: " << fault;
  }
  FAIL() << "not seen: " << as;
}

TEST(DecideLaw, AListThatForgetsTheFilterIsSeen) {
  expect_seen(
      [real = std::make_shared<Real>()](const Snapshot& snapshot, const AccessRequest& request) {
        if (request.phase == Phase::list && request.action == tool_execute)
          return Decision::allowed(Stage::authorization, "");
        return (*real)(snapshot, request);
      },
      "listed, not callable");
}

TEST(DecideLaw, AListThatIsEmptiedIsSeen) {
  expect_seen(
      [real = std::make_shared<Real>()](const Snapshot& snapshot, const AccessRequest& request) {
        if (request.phase == Phase::list)
          return Decision::denied(Stage::authorization, std::string(kRuleNoGrant), "no_grant");
        return (*real)(snapshot, request);
      },
      "callable, not listed");
}

TEST(DecideLaw, ACallThatAsksTheRolesAloneIsSeen) {
  expect_seen(
      [real = std::make_shared<Real>()](const Snapshot& snapshot, const AccessRequest& request) {
        const bool granted =
            request.phase == Phase::call && rbac::grants(request.principal, *snapshot.roles, tool_execute,
                                                         request.tool->server, request.tool->name, request.channel);
        return granted ? Decision::allowed(Stage::authorization, "") : (*real)(snapshot, request);
      },
      "callable, not listed");
}

TEST(DecideLaw, ARefusalThatTellsOfAHiddenToolIsSeen) {
  expect_seen(
      [real = std::make_shared<Real>()](const Snapshot& snapshot, const AccessRequest& request) {
        Decision decision = (*real)(snapshot, request);
        if (request.phase == Phase::call && is_unknown(decision)) decision.rule_id = kRuleNoGrant;
        return decision;
      },
      "hidden, and known");
}

TEST(DecideLaw, AListThatLooksAtArgumentsIsSeen) {
  expect_seen(
      [real = std::make_shared<Real>()](const Snapshot& snapshot, const AccessRequest& request) {
        AccessRequest called = request;
        if (request.arguments_json) called.phase = Phase::call;
        return (*real)(snapshot, called);
      },
      "a list looked");
}

TEST(DecideLaw, AMemoryThatForgetsWhoAskedIsSeen) {
  LawCases cases(13);
  Tally tally;
  std::map<std::string, Decision> memory;
  const auto real = std::make_shared<Real>();
  const Seam broken = [&](const Snapshot& snapshot, const AccessRequest& request) {
    if (request.phase == Phase::list) return (*real)(snapshot, request);
    const std::string key = std::to_string(snapshot.epoch) + request.tool->server + "/" + request.tool->name;
    const auto [at, fresh] = memory.try_emplace(key);
    if (fresh) at->second = (*real)(snapshot, request);
    return at->second;
  };
  std::string fault;
  while (fault.empty() && tally.asked < 2'000) fault = fault_of(broken, without_memory(), cases.draw(), tally);
  EXPECT_FALSE(fault.empty());
}

}  // namespace
}  // namespace sallyport
