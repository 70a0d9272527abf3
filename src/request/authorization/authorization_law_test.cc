// The law on the scopes of MCP, over random catalogues, toolsets, principals and policies: what a scope lists and what can be
// called there are one, a toolset narrows, and what may not be read is as unknown as what is not there.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "engines/decide/decide_fixture.h"
#include "model/registration.h"
#include "model/toolset.h"
#include "request/authorization/authorization.h"

namespace sallyport {
namespace {

#if defined(__has_feature) && __has_feature(address_sanitizer)
constexpr int kCases = 20'000;
#else
constexpr int kCases = 100'000;
#endif

class World {
 public:
  World(unsigned seed, const std::string& policy) : rng_(seed), snapshot(test::with_tool_access(policy, seed)) {
    auto catalogue = std::make_shared<Catalogue>();
    for (const char* name : {"ants", "bees", "cats"}) add_server(*catalogue, name);
    auto registry = std::make_shared<ServerRecord>(test::server_named(std::string(kRegistry)));
    catalogue->registry = registry;
    for (int i = 0; i < 6; ++i) register_tool(*catalogue, i);
    for (const char* name : {"mix", "closed"}) add_toolset(*catalogue, name);
    snapshot.catalogue = std::move(catalogue);
  }

  std::size_t pick(std::size_t n) { return rng_() % n; }

  Principal principal() {
    static const std::vector<std::string> kRoles{"admin", "user", "agent", "readonly", "auditor", "ghost"};
    static const std::vector<std::string> kGlobs{"*", "ants", "?ats", "registry", "a*", "t1", "t?"};
    Principal p;
    p.id = "user:" + std::to_string(pick(1000));
    for (const auto& role : kRoles) {
      if (pick(4) == 0) p.roles.push_back(role);
    }
    for (std::size_t i = pick(4); i > 0; --i) {
      p.grants.push_back(
          {pick(2) == 0 ? Permission::tool_read : Permission::tool_execute, kGlobs[pick(7)], kGlobs[pick(7)]});
    }
    if (pick(2) == 0) p.dotted = {"x.y"};
    return p;
  }

 private:
  void put(Catalogue& to, ToolRecord tool) {
    const auto made = std::make_shared<const ToolRecord>(std::move(tool));
    to.tools[made->server][made->name] = made;
    to.exposed.try_emplace(made->exposed_name, made);
  }

  void add_server(Catalogue& to, const std::string& name) {
    ServerRecord server = test::server_named(name);
    server.enabled = pick(5) != 0;
    to.servers[name] = std::make_shared<const ServerRecord>(server);
    for (int i = 0; i < 4; ++i) {
      ToolRecord tool = test::tool_named(name, "t" + std::to_string(i), static_cast<int>(pick(5)));
      tool.exposed_name = (name == "cats" ? "" : name + "_") + tool.name;
      tool.enabled = pick(6) != 0;
      if (pick(4) == 0) tool.required = {"x.y"};
      put(to, std::move(tool));
    }
  }

  void register_tool(Catalogue& to, int number) {
    static const std::vector<std::string> kServers{"ants", "bees", "cats", "gone"};
    auto registration = std::make_shared<Registration>();
    if (number < 4) {
      registration->bound_server = kServers[pick(4)];
      registration->bound_tool = "t" + std::to_string(pick(5));
    }
    if (number == 4) registration->endpoint = std::make_shared<const ServerRecord>();
    ToolRecord tool = test::tool_named(std::string(kRegistry), "t" + std::to_string(number), static_cast<int>(pick(5)));
    tool.exposed_name = tool.name;  // t0 to t3 are taken by cats
    tool.enabled = pick(6) != 0;
    tool.registration = std::move(registration);
    put(to, std::move(tool));
  }

  void add_toolset(Catalogue& to, const std::string& name) {
    auto toolset = std::make_shared<Toolset>();
    toolset->name = name;
    toolset->enabled = name != "closed";
    for (int i = 0; i < 8; ++i) {
      static const std::vector<std::string> kServers{"ants", "bees", "cats", "registry", "gone"};
      toolset->tools["n" + std::to_string(i)] = {kServers[pick(5)], "t" + std::to_string(pick(6)), ""};
    }
    to.toolsets[name] = std::move(toolset);
  }

  std::mt19937 rng_;

 public:
  Snapshot snapshot;
};

const std::vector<std::string>& names_in(std::string_view scope) {
  static const std::vector<std::string> kOwn{"t0", "t1", "t2", "t3", "t4", "t5", "none"};
  static const std::vector<std::string> kAll{"ants_t0", "ants_t1", "bees_t2", "bees_t3", "t0",
                                             "t3",      "t4",      "t5",      "none"};
  static const std::vector<std::string> kMix{"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "none"};
  return scope.empty() ? kAll : scope.starts_with("p/") ? kMix : kOwn;
}

using Lists = std::function<bool(Authorization&, const Asker&, const ToolRecord&)>;

bool lists(Authorization& authorization, const Asker& asker, const ToolRecord& tool) {
  const ServerPtr server = server_of(*asker.snapshot.catalogue, tool.server);
  return server && authorization.lists(asker, *server, tool);
}

// What breaks the law for one name of one scope, in words; empty: nothing.
std::string fault_of(Authorization& authorization, const Lists& lists, const Asker& asker, const std::string& name,
                     bool plain) {
  const Catalogue& catalogue = *asker.snapshot.catalogue;
  const ToolPtr tool = find_tool(catalogue, asker.scope, name);
  const bool listed = tool && lists(authorization, asker, *tool);
  const ToolAccess access = authorization.call(asker, name, R"({"x":7})");
  const bool called = access.decision.allow && can_be_called(catalogue, *access.tool);
  if (called && !listed) return "callable, not listed";
  if (plain && listed && !called) return "listed, not callable";
  if (listed && !asker.scope.empty() && !authorization.enters(asker)) return "listed where nobody enters";
  if (!tool) return is_unknown(access.decision) ? "" : "not there, and known";
  Asker own = asker;  // the scope narrows: the tool itself, where it lives
  own.scope = tool->server;
  const ToolAccess itself = authorization.call(own, tool->name, R"({"x":7})");
  if (itself.decision.allow != access.decision.allow) return "another answer by another name";
  return is_unknown(itself.decision) != is_unknown(access.decision) ? "known by another name" : "";
}

struct Policy {
  std::string body;
  bool plain;
};

const std::vector<Policy>& policies() {
  static const std::vector<Policy> kPolicies{
      {"allow := true\n", true},
      {"allow if \"tool:execute\" in input.user.permissions\ndeny contains \"l\" if input.tool.security_level > 2\n",
       true},
      {"allow if input.tool.name == \"t1\"\nallow if input.server == \"ants\"\n", true},
      {"allow := true\ndeny contains \"x\" if input.arguments.x > 5\n", false},
      {"allow := true\ndeny contains \"x\" if { input.phase == \"list\"; input.tool.name == \"t2\" }\n", false},
  };
  return kPolicies;
}

int ask_all(int cases, const Lists& lists, std::string& fault, int& listed) {
  int asked = 0;
  for (unsigned seed = 1; asked < cases; ++seed) {
    const Policy& policy = policies()[seed % policies().size()];
    World world(seed, policy.body);
    Decider decider;
    Authorization authorization(decider);
    for (int i = 0; i < 100; ++i) {
      const Principal who = world.principal();
      for (const std::string_view scope : {"", "ants", "bees", "cats", "registry", "p/mix", "p/closed", "nowhere"}) {
        const Asker asker{world.snapshot, who, Channel::mcp, scope, "192.0.2.1", "2025-11-25", WallTime{}};
        for (const std::string& name : names_in(scope)) {
          fault = fault_of(authorization, lists, asker, name, policy.plain);
          if (!fault.empty()) {
            fault += " (" + std::string(scope) + "/" + name + ", world " + std::to_string(seed) + ")";
            return asked;
          }
          ++asked;
          const ToolPtr tool = find_tool(*world.snapshot.catalogue, scope, name);
          listed += tool && lists(authorization, asker, *tool) ? 1 : 0;
        }
      }
    }
  }
  return asked;
}

TEST(AuthorizationLaw, AScopeListsWhatCanBeCalledThere) {
  std::string fault;
  int listed = 0;
  const int asked = ask_all(kCases, lists, fault, listed);
  EXPECT_EQ(fault, "");
  EXPECT_GE(asked, kCases);
  EXPECT_GT(listed, kCases / 20) << "the cases must allow something";
}

// A list that forgets the filter, and one that leaves out what it should show.
TEST(AuthorizationLaw, ABrokenListIsSeen) {
  std::string fault;
  int listed = 0;
  ask_all(10'000, [](Authorization&, const Asker&, const ToolRecord&) { return true; }, fault, listed);
  EXPECT_TRUE(fault.starts_with("listed, not callable")) << fault;
  ask_all(10'000, [](Authorization&, const Asker&, const ToolRecord&) { return false; }, fault, listed);
  EXPECT_TRUE(fault.starts_with("callable, not listed")) << fault;
}

}  // namespace
}  // namespace sallyport
