#include "control/key_changes.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

using enum Permission;

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
