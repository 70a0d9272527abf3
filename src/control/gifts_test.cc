#include "control/gifts.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

using enum Permission;

class KeyGifts : public ::testing::Test {
 protected:
  KeyGifts() {
    giver_.roles = {"user"};  // reads and executes
    owner_.id = "0011223344556677";
    owner_.roles = {"user"};
  }
  // The first thing that is missing; "" where all may be given.
  std::string missing() {
    auto principals = std::make_shared<Principals>();
    principals->users[owner_.id] = std::make_shared<const UserRecord>(owner_);
    Snapshot snapshot;
    snapshot.principals = std::move(principals);
    snapshot.roles = std::make_shared<const Roles>(roles_);
    const auto may = check_gift(snapshot, giver_, key_);
    if (may) return "";
    EXPECT_EQ(may.error().code, Code::access_denied);
    return may.error().detail.substr(may.error().detail.find(": ") + 2);
  }

  Principal giver_;
  UserRecord owner_;
  KeyRecord key_;
  Roles roles_;
};

TEST_F(KeyGifts, WhatOneHoldsMayBeGiven) {
  key_.permissions = {tool_read, tool_execute};
  key_.grants = {{tool_execute, "mail", "send_*"}, {tool_read, "*", "*"}};
  EXPECT_EQ(missing(), "");
}

TEST_F(KeyGifts, WhatOneDoesNotHoldIsNamed) {
  key_.permissions = {tool_read, tool_delete};
  EXPECT_EQ(missing(), "tool:delete");
  key_.permissions = {};
  key_.grants = {{tool_update, "mail", "*"}};
  EXPECT_EQ(missing(), "tool:update@mail/*");
  key_.grants = {};
  key_.dotted = {"gmail.send"};
  EXPECT_EQ(missing(), "gmail.send");
}

TEST_F(KeyGifts, ARoleIsWorthWhatItGives) {
  key_.roles = {"agent", "readonly"};
  EXPECT_EQ(missing(), "");
  key_.roles = {"auditor"};
  EXPECT_EQ(missing(), "audit:read");
  key_.roles = {"admin"};
  EXPECT_EQ(missing(), "the role admin");
  roles_["ops"] = {"ops", {server_write}, {}, {}};
  key_.roles = {"ops"};
  EXPECT_EQ(missing(), "server:write");
}

// A policy may say more of a role than it gives: `allow if "payers" in input.user.roles`.
TEST_F(KeyGifts, ARoleOfThisGatewayIsGivenByWhoHasIt) {
  roles_["payers"] = {"payers", {}, {}, {}};
  roles_["heads"] = {"heads", {}, {}, {}, {"payers"}};
  key_.roles = {"payers"};
  EXPECT_EQ(missing(), "the role payers");
  giver_.roles = {"user", "heads"};
  EXPECT_EQ(missing(), "") << "inherited";
  key_.roles = {"heads"};
  giver_.roles = {"user", "payers"};
  EXPECT_EQ(missing(), "the role heads");
  giver_.permissions = {system_admin};
  EXPECT_EQ(missing(), "");
  key_.owner_user_id = owner_.id;
  EXPECT_EQ(missing(), "the role heads") << "and by whose key it is";
  giver_.permissions = {};
  key_ = {};
  key_.roles = {"not there yet"};
  EXPECT_EQ(missing(), "the role not there yet");
}

TEST_F(KeyGifts, AnAdminGivesEverythingButNotMoreThanTheOwnerMay) {
  giver_.roles = {"admin"};
  key_.roles = {"admin"};
  key_.dotted = {"gmail.send"};
  EXPECT_EQ(missing(), "");
  key_.owner_user_id = owner_.id;
  EXPECT_EQ(missing(), "the role admin");
  key_.roles = {"agent"};
  EXPECT_EQ(missing(), "gmail.send");
  owner_.roles = {"admin"};
  EXPECT_EQ(missing(), "");
}

TEST_F(KeyGifts, AGlobIsCoveredByOneAsWide) {
  giver_.roles = {};
  giver_.kind = PrincipalKind::key;
  const auto covered = [&](Grant held, Grant wanted) {
    giver_.grants = {std::move(held)};
    key_.grants = {std::move(wanted)};
    return missing().empty();
  };
  EXPECT_TRUE(covered({tool_execute, "mail", "*"}, {tool_execute, "mail", "send_*"}));
  EXPECT_TRUE(covered({tool_execute, "mail", "send_*"}, {tool_execute, "mail", "send_a?c"}));
  EXPECT_TRUE(covered({tool_execute, "mail", "s?"}, {tool_execute, "mail", "s?"}));
  EXPECT_TRUE(covered({tool_execute, "mail", "*"}, {tool_read, "mail", "*"})) << "to execute is to read";
  EXPECT_FALSE(covered({tool_read, "mail", "*"}, {tool_execute, "mail", "*"}));
  EXPECT_FALSE(covered({tool_execute, "mail", "send_*"}, {tool_execute, "mail", "*"}));
  EXPECT_FALSE(covered({tool_execute, "mail", "?"}, {tool_execute, "mail", "*"})) << "`?` is one, `*` is any number";
  EXPECT_FALSE(covered({tool_execute, "mail", "*"}, {tool_execute, "*", "send"}));
  EXPECT_FALSE(covered({tool_execute, "mail", "*"}, {tool_execute, "Mail", "*"}));
}

// C6: an agent's execution is through one door, and does not become execution through all of them.
TEST_F(KeyGifts, WhatAnAgentExecutesOverMcpIsNotExecutionEverywhere) {
  giver_.roles = {"agent"};
  giver_.permissions = {tool_read, tool_execute};
  giver_.grants = {{tool_execute, "mail", "*"}};
  key_.roles = {"agent"};
  key_.permissions = {tool_execute};
  EXPECT_EQ(missing(), "");
  key_.roles = {"readonly"};
  EXPECT_EQ(missing(), "tool:execute");
  key_.permissions = {};
  key_.grants = {{tool_execute, "mail", "send"}};
  giver_.permissions = {tool_read};
  EXPECT_EQ(missing(), "tool:execute@mail/send");
  key_.roles = {"agent"};
  EXPECT_EQ(missing(), "");
  key_.roles = {"readonly"};
  key_.grants = {{tool_read, "mail", "send"}};
  EXPECT_EQ(missing(), "") << "to execute is to read";
}

// A clerk who may write users, ada whom a test makes, and the group staff.
class UserGifts : public ::testing::Test {
 protected:
  UserGifts() {
    clerk_.id = "user:0000000000000001";
    clerk_.roles = {"clerk", "user"};
    ada_.id = "00112233aabbccdd";
    ada_.roles = {"user"};
  }
  [[nodiscard]] Snapshot snapshot() const {
    Snapshot out;
    auto principals = std::make_shared<Principals>();
    principals->users[ada_.id] = std::make_shared<const UserRecord>(ada_);
    principals->keys[key_.id] = std::make_shared<const KeyRecord>(key_);
    principals->groups["staff"] = std::make_shared<const Group>(staff_);
    out.principals = std::move(principals);
    out.roles = std::make_shared<const Roles>(Roles{{"clerk", {"clerk", {user_read, user_write}, {}, {}}}});
    auto policy = std::make_shared<PolicySet>();
    if (!rules_.empty()) policy->modules = {{"rules.rego", rules_}};
    out.policy = std::move(policy);
    out.policy_elsewhere = elsewhere_;
    return out;
  }
  static std::string missing(const Result<void>& may) {
    if (may) return "";
    EXPECT_EQ(may.error().code, Code::access_denied);
    return may.error().detail.substr(may.error().detail.find(": ") + 2);
  }
  std::string over_ada() { return missing(check_user_gift(snapshot(), clerk_, ada_)); }

  Principal clerk_;
  UserRecord ada_;
  KeyRecord key_{.id = "abcdefabcdef"};
  std::string rules_;
  bool elsewhere_ = false;
  Group staff_{"staff", {}, {}, {}, {}, {}, {}};
};

TEST_F(UserGifts, WhoMayNoMoreIsManaged) {
  EXPECT_EQ(over_ada(), "");
  ada_.roles = {"readonly"};
  EXPECT_EQ(over_ada(), "");
}

TEST_F(UserGifts, WhoMayMoreIsNot) {
  ada_.roles = {"user", "admin"};
  EXPECT_EQ(over_ada(), "the role admin");
  ada_.roles = {"auditor"};
  EXPECT_EQ(over_ada(), "audit:read");
  ada_.roles = {"user"};
  ada_.permissions = {key_write};
  EXPECT_EQ(over_ada(), "key:write");
  ada_.permissions = {};
  ada_.grants = {{tool_create, "mail", "*"}};
  EXPECT_EQ(over_ada(), "tool:create@mail/*");
  ada_.grants = {};
  ada_.dotted = {"gmail.send"};
  EXPECT_EQ(over_ada(), "gmail.send");
}

TEST_F(UserGifts, WhatGroupsGiveCounts) {
  staff_.roles = {"auditor"};
  EXPECT_EQ(over_ada(), "");
  ada_.groups = {"staff"};
  EXPECT_EQ(over_ada(), "audit:read");
  EXPECT_EQ(missing(check_over(snapshot(), clerk_, "user:" + ada_.id)), "audit:read");
  EXPECT_EQ(missing(check_group_gift(snapshot(), clerk_, staff_)), "audit:read");
  staff_.roles = {};
  staff_.dotted = {"gmail.send"};
  EXPECT_EQ(over_ada(), "gmail.send");
  clerk_.roles = {"admin"};
  EXPECT_EQ(over_ada(), "");
}

TEST_F(UserGifts, AGroupThatRulesGoByIsGivenByItsMembers) {
  ada_.groups = {"staff"};
  EXPECT_EQ(over_ada(), "") << "no rule reads groups";
  rules_ = "package tool_access\nallow if \"staff\" in input.user.groups\n";
  EXPECT_EQ(over_ada(), "the group staff");
  EXPECT_EQ(missing(check_over(snapshot(), clerk_, "user:" + ada_.id)), "the group staff");
  EXPECT_EQ(missing(check_group_gift(snapshot(), clerk_, staff_)), "") << "the group itself may be changed";
  clerk_.groups = {"staff"};
  EXPECT_EQ(over_ada(), "");
  clerk_.groups = {};
  clerk_.permissions = {system_admin};
  EXPECT_EQ(over_ada(), "");
  clerk_.permissions = {};
  rules_.clear();
  elsewhere_ = true;
  EXPECT_EQ(over_ada(), "the group staff") << "what an OPA server reads is not known";
}

TEST_F(UserGifts, ARoleDoesNotInheritWhatItsMakerIsNot) {
  const Role mine{"mine", {}, {}, {}, {"clerk", "user"}};
  const Role others{"others", {}, {}, {}, {"payers"}};
  EXPECT_EQ(missing(check_role_gift(snapshot(), clerk_, mine)), "");
  EXPECT_EQ(missing(check_role_gift(snapshot(), clerk_, others)), "the role payers");
  staff_.roles = {"payers"};
  EXPECT_EQ(missing(check_group_gift(snapshot(), clerk_, staff_)), "the role payers");
}

TEST_F(UserGifts, AnOwnerHoldsWhatTheGroupsGive) {
  key_.owner_user_id = ada_.id;
  key_.permissions = {audit_read};
  EXPECT_EQ(missing(check_owner(snapshot(), key_)), "audit:read");
  staff_.permissions = {audit_read};
  ada_.groups = {"staff"};
  EXPECT_EQ(missing(check_owner(snapshot(), key_)), "");
}

TEST_F(UserGifts, OfKeysTheKeyItselfCounts) {
  key_.roles = {"admin"};
  EXPECT_EQ(missing(check_over(snapshot(), clerk_, "key:" + key_.id)), "the role admin");
  key_.roles = {"agent"};
  EXPECT_EQ(missing(check_over(snapshot(), clerk_, "key:" + key_.id)), "");
  EXPECT_EQ(missing(check_over(snapshot(), clerk_, "key:gone")), "");
}

}  // namespace
}  // namespace sallyport::control
