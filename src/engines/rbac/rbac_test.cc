#include "engines/rbac/rbac.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "engines/rbac/held.h"

namespace sallyport::rbac {
namespace {

using enum Permission;

Principal with_roles(std::vector<std::string> roles) {
  Principal principal;
  principal.id = "user:1";
  principal.roles = std::move(roles);
  return principal;
}

Principal agent_with(std::vector<Grant> grants) {
  Principal principal = with_roles({"agent"});
  principal.kind = PrincipalKind::key;
  principal.grants = std::move(grants);
  return principal;
}

const Roles kNone;

// S0-8, S0-9, C6.
TEST(Rbac, BuiltInRolesHoldWhatC6Says) {
  EXPECT_EQ(effective(with_roles({"admin"}), kNone), PermissionSet::all());
  EXPECT_EQ(effective(with_roles({"user"}), kNone), (PermissionSet{tool_read, tool_execute}));
  EXPECT_EQ(effective(with_roles({"agent"}), kNone), PermissionSet{});
  EXPECT_EQ(effective(with_roles({"readonly"}), kNone), PermissionSet{tool_read});
  EXPECT_EQ(effective(with_roles({"auditor"}), kNone), (PermissionSet{tool_read, audit_read}));
}

TEST(Rbac, NoRoleHoldsNothing) { EXPECT_EQ(effective(with_roles({}), kNone), PermissionSet{}); }

TEST(Rbac, UnknownRoleHoldsNothing) { EXPECT_EQ(effective(with_roles({"ghost", "Admin", "admin "}), kNone), PermissionSet{}); }

// C7: nobody but admin deletes unless it was granted.
TEST(Rbac, DeleteIsAdminsUntilGranted) {
  for (const char* name : {"user", "agent", "readonly", "auditor"}) {
    EXPECT_FALSE(grants(with_roles({name}), kNone, tool_delete, "s", "t", Channel::rest)) << name;
  }
  Principal key = with_roles({"user"});
  key.permissions = {tool_delete};
  EXPECT_TRUE(grants(key, kNone, tool_delete, "s", "t", Channel::rest));
}

TEST(Rbac, DeniesAToolThatNoGrantNames) {
  const Principal agent = agent_with({{tool_execute, "gmail", "send_*"}});
  EXPECT_TRUE(grants(agent, kNone, tool_execute, "gmail", "send_mail", Channel::mcp));
  EXPECT_FALSE(grants(agent, kNone, tool_execute, "gmail", "delete_mail", Channel::mcp));
  EXPECT_FALSE(grants(agent, kNone, tool_execute, "notion", "send_mail", Channel::mcp));
}

TEST(Rbac, ExecuteGrantCarriesReadOfTheSameTool) {
  const Principal agent = agent_with({{tool_execute, "gmail", "send_*"}});
  EXPECT_TRUE(grants(agent, kNone, tool_read, "gmail", "send_mail", Channel::mcp));
  EXPECT_FALSE(grants(agent, kNone, tool_read, "gmail", "other", Channel::mcp));
}

// C6: an agent executes over MCP only.
TEST(Rbac, AgentExecutesOverMcpOnly) {
  Principal agent = agent_with({{tool_execute, "gmail", "*"}});
  agent.permissions = {tool_read, tool_execute};
  for (const Channel channel : {Channel::rest, Channel::local}) {
    EXPECT_FALSE(grants(agent, kNone, tool_execute, "gmail", "x", channel));
    EXPECT_TRUE(grants(agent, kNone, tool_read, "gmail", "x", channel));
  }
  EXPECT_TRUE(grants(agent, kNone, tool_execute, "gmail", "x", Channel::mcp));
  agent.roles = {"agent", "user"};
  EXPECT_TRUE(grants(agent, kNone, tool_execute, "gmail", "x", Channel::rest)) << "the role user gives it";
  agent.roles = {"agent", "readonly"};
  EXPECT_FALSE(grants(agent, kNone, tool_execute, "gmail", "x", Channel::rest));
}

TEST(Rbac, CustomRoleWithScopedGrant) {
  const Roles roles{{"mailer", {"mailer", {}, {{tool_execute, "gmail", "send"}}, {"gmail.send"}}}};
  const Principal user = with_roles({"mailer"});
  EXPECT_TRUE(grants(user, roles, tool_execute, "gmail", "send", Channel::rest));
  EXPECT_FALSE(grants(user, roles, tool_execute, "gmail", "list", Channel::rest));
  EXPECT_FALSE(grants(user, kNone, tool_execute, "gmail", "send", Channel::rest));
}

TEST(Rbac, OperatorMayNarrowARoleButNotAdmin) {
  const Roles roles{{"user", {"user", {tool_read}, {}, {}}}, {"admin", {"admin", {}, {}, {}}}};
  EXPECT_FALSE(effective(with_roles({"user"}), roles).has(tool_execute));
  EXPECT_EQ(effective(with_roles({"admin"}), roles), PermissionSet::all());
}

// S2-47: every dotted permission must be held, by the principal or a role.
TEST(Rbac, DottedRequirementsMustAllBeHeld) {
  const Roles roles{{"mailer", {"mailer", {}, {}, {"gmail.send"}}}};
  Principal user = with_roles({"user", "mailer"});
  const std::vector<std::string> both{"gmail.send", "gmail.read"};
  EXPECT_EQ(missing_dotted(user, roles, both), "gmail.read");
  user.dotted = {"gmail.read"};
  EXPECT_EQ(missing_dotted(user, roles, both), "");
  EXPECT_EQ(missing_dotted(with_roles({"admin"}), roles, both), "");
  user.dotted = {"gmail.*", "GMAIL.READ"};
  EXPECT_EQ(missing_dotted(user, roles, both), "gmail.read") << "dotted names are no patterns";
}

TEST(Rbac, WholeServerNeedsAGrantOfAllItsTools) {
  EXPECT_FALSE(grants(agent_with({{tool_read, "gmail", "send"}}), kNone, tool_read, "gmail", "", Channel::mcp));
  EXPECT_TRUE(grants(agent_with({{tool_read, "gmail", "*"}}), kNone, tool_read, "gmail", "", Channel::mcp));
  EXPECT_FALSE(grants(agent_with({{tool_read, "gmail", "*"}}), kNone, tool_read, "", "", Channel::mcp));
}

TEST(Rbac, ManyRolesAreNamedOnceEachInTheirOrder) {
  Roles roles;
  std::vector<std::string> held;
  std::vector<std::string_view> wanted;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "role" + std::to_string(i);
    roles[name] = {name, {}, {}, {}, {"role0", i == 0 ? "above" : "role1"}};
    held.push_back(name);
    held.push_back(name);
  }
  for (const auto& [name, role] : roles) wanted.push_back(name);
  wanted.push_back("above");
  auto all = all_roles(with_roles(held), roles);
  EXPECT_EQ(all.front(), "role0");
  EXPECT_EQ(all[1], "above");
  EXPECT_EQ(all.back(), "role99");
  std::ranges::sort(all);
  std::ranges::sort(wanted);
  EXPECT_EQ(all, wanted);
}

TEST(Rbac, AGrantThatManyRolesHaveIsLookedAtOnce) {
  Roles roles{{"agent", {"agent", {tool_create}, {{tool_execute, "s", "*"}, {tool_execute, "t", "*"}}, {}}}};
  std::vector<std::string> names{"agent"};
  for (int i = 0; i < 100; ++i) {
    names.push_back("r" + std::to_string(i));
    roles[names.back()] = {
        names.back(), {tool_read}, {{tool_execute, "s", i % 2 == 0 ? "a*" : "b*"}, {tool_read, "s", "a*"}}, {}};
  }
  const Principal principal = with_roles(names);
  HeldRoles held;
  held.resolve(std::make_shared<const Roles>(roles), principal);
  EXPECT_EQ(held.others().grants.size(), 3U);
  EXPECT_EQ(held.agent().grants.size(), 2U) << "apart: what an agent was granted it executes over MCP only";
  for (const Channel channel : {Channel::mcp, Channel::rest}) {
    for (const char* server : {"s", "t", "u", ""}) {
      for (const char* tool : {"a1", "b1", "c1", ""}) {
        EXPECT_EQ(effective_on(principal, held, server, tool, channel),
                  effective_on(principal, roles, server, tool, channel));
      }
    }
  }
}

TEST(Rbac, RolesFoundOnceFollowEachChange) {
  const auto with_grant = [](Permission permission) {
    return std::make_shared<const Roles>(
        Roles{{"r", {"r", {permission}, {}, {}}}, {"agent", {"agent", {}, {{tool_execute, "s", "*"}}, {}}}});
  };
  HeldRoles held;
  for (const Channel channel : {Channel::mcp, Channel::rest}) {
    for (const auto& roles : {with_grant(tool_read), with_grant(tool_execute), std::make_shared<const Roles>()}) {
      for (const auto& names :
           std::vector<std::vector<std::string>>{{"r"}, {"agent", "r"}, {"ghost"}, {}, {"user", "agent"}}) {
        const Principal principal = with_roles(names);
        for (int i = 0; i < 2; ++i) {
          held.resolve(roles, principal);
          EXPECT_EQ(effective_on(principal, held, "s", "t", channel),
                    effective_on(principal, *roles, "s", "t", channel));
          EXPECT_EQ(held.all(), all_roles(principal, *roles));
        }
      }
    }
  }
}

TEST(Glob, MatchesByBytes) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("send_*", "send_"));
  EXPECT_TRUE(glob_match("a*b?d*", "axxbcdzz"));
  EXPECT_FALSE(glob_match("send", "send_mail"));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("SEND*", "send"));
  EXPECT_FALSE(glob_match("?", "\xc3\xa9")) << "two bytes";
}

TEST(Rbac, HoldsSomewhereWhatItHoldsOnAnythingAtAll) {
  const Roles roles{{"mail", {"mail", {}, {{Permission::tool_execute, "gmail", "send_*"}}, {}}}};
  Principal principal;
  EXPECT_FALSE(holds_somewhere(principal, roles, Permission::tool_read));
  principal.permissions = {Permission::tool_create};
  EXPECT_FALSE(holds_somewhere(principal, roles, Permission::tool_read));
  principal.roles = {"mail"};
  EXPECT_TRUE(holds_somewhere(principal, roles, Permission::tool_read)) << "to execute is to read";
  EXPECT_FALSE(holds_somewhere(principal, roles, Permission::tool_update));
  principal.roles = {};
  principal.grants = {{Permission::tool_read, "calc", "add"}};
  EXPECT_TRUE(holds_somewhere(principal, roles, Permission::tool_read));
  EXPECT_FALSE(holds_somewhere(principal, roles, Permission::tool_execute));
}

// Issue 5, abuse: a Cyrillic letter, a zero-width one and a NUL are not what they look like.
TEST(GlobAbuse, LookAlikesDoNotMatch) {
  EXPECT_FALSE(glob_match("send_email", "s\xd0\xb5nd_email"));
  EXPECT_FALSE(glob_match("send_email", "send_email\xe2\x80\x8b"));
  EXPECT_FALSE(glob_match("send_email", std::string_view("send_email\0", 11)));
  EXPECT_FALSE(glob_match("gmail", "GMAIL"));
}

TEST(GlobAbuse, ManyStarsDoNotBacktrack) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "a*";
  pattern += "b";
  const std::string text(2'000, 'a');
  const std::clock_t start = std::clock();
  EXPECT_FALSE(glob_match(pattern, text));
  EXPECT_LT((std::clock() - start) * 1000 / CLOCKS_PER_SEC, 50);
}

}  // namespace
}  // namespace sallyport::rbac
