#include "engines/rbac/sources.h"

#include <gtest/gtest.h>

#include "engines/rbac/inherit.h"
#include "engines/rbac/rbac.h"
#include "engines/rbac/rights.h"

namespace sallyport::rbac {
namespace {

using enum Permission;
using Texts = std::vector<std::string>;

// ada with what a test gives her, and groups.
class Sources : public ::testing::Test {
 protected:
  Sources() {
    ada_.id = "00112233aabbccdd";
    ada_.name = "ada";
  }

  void role(std::string name, std::vector<std::string> inherits, PermissionSet permissions,
            std::vector<Grant> grants = {}) {
    written_[name] = Role{name, permissions, std::move(grants), {}, std::move(inherits)};
  }

  void group(Group group) {
    const std::string name = group.name;
    all_.groups[name] = std::make_shared<const Group>(std::move(group));
    ada_.groups.push_back(name);
  }

  [[nodiscard]] Snapshot snapshot() const {
    Snapshot out;
    auto principals = std::make_shared<Principals>(all_);
    principals->users[ada_.id] = std::make_shared<const UserRecord>(ada_);
    out.principals = std::move(principals);
    out.roles = std::make_shared<const Roles>(*roles_in_force(written_));
    out.written_roles = std::make_shared<const Roles>(written_);
    return out;
  }

  [[nodiscard]] Principal person() const {
    Principal out;
    out.id = "user:" + ada_.id;
    give_rights(out, ada_, all_);
    return out;
  }

  // Of execution of mail/send, as text; and that effective_on() says the same.
  Texts why(Channel channel = Channel::mcp, Permission permission = tool_execute) {
    const Snapshot now = snapshot();
    Texts out;
    for (const Source& one : sources_of(now, person(), permission, "mail", "send", channel))
      out.push_back(to_text(one));
    EXPECT_EQ(!out.empty(), effective_on(person(), *now.roles, "mail", "send", channel).has(permission));
    return out;
  }

  UserRecord ada_;
  Principals all_;
  Roles written_;
};

TEST_F(Sources, NobodyWithoutRights) { EXPECT_EQ(why(), Texts{}); }

TEST_F(Sources, NameEachWayToIt) {
  role("team", {"user"}, {});
  role("lead", {"team"}, {}, {{tool_execute, "mail", "*"}});
  ada_.roles = {"user", "lead", "ghost"};
  ada_.grants = {{tool_execute, "mail", "se??"}, {tool_execute, "web", "*"}};
  EXPECT_EQ(why(), (Texts{"tool:execute by role user", "tool:execute@mail/* by role lead",
                          "tool:execute by role lead (from user)", "tool:execute@mail/se?? of its own"}));
}

TEST_F(Sources, NameTheGroup) {
  role("sender", {}, {}, {{tool_execute, "mail", "send"}});
  group({"staff", {}, {"sender"}, {}, {}, {}, {}});
  group({"ops", {}, {}, {tool_execute}, {}, {}, {}});
  ada_.roles = {"readonly"};
  ada_.groups.emplace_back("gone");
  EXPECT_EQ(why(), (Texts{"tool:execute@mail/send by role sender of group staff", "tool:execute of group ops"}));
}

TEST_F(Sources, ReadingComesWithExecution) {
  ada_.grants = {{tool_execute, "mail", "send"}};
  EXPECT_EQ(why(Channel::mcp, tool_read), Texts{"tool:execute@mail/send of its own"});
}

// C6.
TEST_F(Sources, AnAgentExecutesOverMcpAlone) {
  ada_.roles = {"agent"};
  ada_.permissions = {tool_execute};
  group({"staff", {}, {}, {tool_execute}, {}, {}, {}});
  EXPECT_EQ(why(), (Texts{"tool:execute of its own", "tool:execute of group staff"}));
  EXPECT_EQ(why(Channel::rest), Texts{});
}

TEST_F(Sources, OfAKeyAreItsOwn) {
  KeyRecord key;
  key.grants = {{tool_execute, "mail", "*"}};
  Principal principal;
  principal.id = "key:abc";
  give_rights(principal, key);
  EXPECT_EQ(principal.roles, Texts{"agent"});
  const auto found = sources_of(snapshot(), principal, tool_execute, "mail", "send", Channel::mcp);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], (Source{{}, {}, {}, "tool:execute@mail/*"}));
}

TEST_F(Sources, RightsOfAPersonAreItsOwnAndItsGroups) {
  ada_.roles = {"user"};
  ada_.dotted = {"gmail.send"};
  group({"staff", {}, {"auditor", "user"}, {key_read}, {{tool_create, "a", "b"}}, {"gmail.send", "gmail.read"}, {}});
  group({"again", {}, {"auditor"}, {}, {{tool_create, "a", "b"}}, {}, {}});
  const Principal got = person();
  EXPECT_EQ(got.roles, (Texts{"user", "auditor"}));
  EXPECT_EQ(got.roles, roles_of(ada_, all_));
  EXPECT_EQ(got.permissions, PermissionSet{key_read});
  EXPECT_EQ(got.grants, (std::vector<Grant>{{tool_create, "a", "b"}}));
  EXPECT_EQ(got.dotted, (Texts{"gmail.send", "gmail.read"}));
  EXPECT_EQ(got.groups, (Texts{"staff", "again"}));
}

// A record from another hand: the store is no way to these roles.
TEST_F(Sources, AGroupNeverGivesAdminOrAgent) {
  group({"staff", {}, {"admin", "agent", "readonly"}, {}, {}, {}, {}});
  EXPECT_EQ(person().roles, Texts{"readonly"});
  EXPECT_EQ(roles_of(ada_, all_), Texts{"readonly"});
  EXPECT_EQ(why(), Texts{});
}

}  // namespace
}  // namespace sallyport::rbac
