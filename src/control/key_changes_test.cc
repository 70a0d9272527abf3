#include "control/key_changes.h"

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

TEST(KeyChanges, LeaveWhatTheyDoNotName) {
  KeyRecord key;
  key.name = "ci";
  key.permissions = {tool_read, tool_delete, audit_read};
  key.grants = {{tool_execute, "mail", "*"}};
  key.addresses = {*Cidr::parse("10.0.0.0/8")};
  key.expires_at = WallTime{};
  KeyChange change;
  change.given = {tool_execute};
  change.taken = {tool_delete};
  const KeyRecord after = changed(key, change);
  EXPECT_EQ(after.permissions, (PermissionSet{tool_read, tool_execute, audit_read}));
  EXPECT_EQ(after.name, "ci");
  EXPECT_EQ(after.grants, key.grants);
  EXPECT_EQ(after.addresses, key.addresses);
  EXPECT_EQ(after.expires_at, key.expires_at);
}

TEST(KeyChanges, ScopesReplaceScopesAndLeaveTheFlags) {
  KeyRecord key;
  key.permissions = {tool_read, audit_read};
  key.grants = {{tool_execute, "mail", "*"}};
  key.dotted = {"gmail.send"};
  KeyChange change;
  change.scopes = KeyScopes{{user_read}, {}, {"gmail.read"}};
  change.expires_at = std::optional<WallTime>();
  const KeyRecord after = changed(key, change);
  EXPECT_EQ(after.permissions, (PermissionSet{tool_read, user_read}));
  EXPECT_TRUE(after.grants.empty());
  EXPECT_EQ(after.dotted, std::vector<std::string>{"gmail.read"});
}

TEST(KeyFields, HaveTheirLimits) {
  KeyRecord key;
  key.name = "ci";
  EXPECT_TRUE(check_key_fields(key));
  const auto refused = [&](auto change) {
    KeyRecord other = key;
    change(other);
    return !check_key_fields(other);
  };
  EXPECT_TRUE(refused([](KeyRecord& k) { k.name = ""; }));
  EXPECT_TRUE(refused([](KeyRecord& k) { k.name = "a\nb"; }));
  EXPECT_TRUE(refused([](KeyRecord& k) { k.description = std::string(kKeyDescriptionBytesMax + 1, 'x'); }));
  EXPECT_TRUE(refused([](KeyRecord& k) { k.addresses.resize(kKeyAddressesMax + 1); }));
  EXPECT_TRUE(refused([](KeyRecord& k) { k.grants.resize(kKeyScopesMax + 1); }));
}

}  // namespace
}  // namespace sallyport::control
