#include "engines/rbac/inherit.h"

#include <gtest/gtest.h>

namespace sallyport::rbac {
namespace {

using enum Permission;

Roles roles_of(std::vector<Role> list) {
  Roles out;
  for (Role& role : list) {
    const std::string name = role.name;
    out[name] = std::move(role);
  }
  return out;
}

Role role(std::string name, std::vector<std::string> inherits, PermissionSet permissions = {}) {
  return {std::move(name), permissions, {}, {}, std::move(inherits)};
}

TEST(Inherit, WhatIsAboveIsHeldBelow) {
  Role mailer = role("mailer", {"user"});
  mailer.grants = {{tool_create, "gmail", "*"}};
  mailer.dotted = {"gmail.send"};
  const auto all = roles_in_force(roles_of({mailer, role("chief", {"mailer", "auditor"}), role("alone", {})}));
  ASSERT_TRUE(all) << all.error().detail;
  const Role& chief = all->at("chief");
  EXPECT_EQ(chief.permissions, (PermissionSet{tool_read, tool_execute, audit_read}));
  EXPECT_EQ(chief.grants, mailer.grants);
  EXPECT_EQ(chief.dotted, mailer.dotted);
  EXPECT_EQ(chief.inherits, (std::vector<std::string>{"mailer", "auditor", "user"}));
  EXPECT_EQ(all->at("alone").permissions, PermissionSet{});
}

TEST(Inherit, TwoWaysToOneRoleAreNoCircle) {
  const auto all = roles_in_force(
      roles_of({role("top", {}, {tool_read}), role("l", {"top"}), role("r", {"top"}), role("below", {"l", "r"})}));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->at("below").inherits, (std::vector<std::string>{"l", "r", "top"}));
}

TEST(InheritAbuse, CirclesAreRefused) {
  for (const auto& circle : {roles_of({role("a", {"a"})}), roles_of({role("a", {"b"}), role("b", {"a"})}),
                             roles_of({role("a", {"b"}), role("b", {"c"}), role("c", {"b"})})}) {
    const auto all = roles_in_force(circle);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, Code::validation);
    EXPECT_NE(all.error().detail.find("inherits itself"), std::string::npos);
  }
}

TEST(InheritAbuse, WhatIsNotThereOrMayNotBeInheritedIsRefused) {
  for (const char* name : {"admin", "agent", "nobody", ""}) {
    const auto all = roles_in_force(roles_of({role("a", {name})}));
    ASSERT_FALSE(all) << name;
    EXPECT_EQ(all.error().code, Code::validation);
  }
}

TEST(InheritAbuse, DepthAndWidthAreBounded) {
  // In the order of their names the roles are resolved from the one end of the chain or from the other.
  const auto chain = [](std::size_t length, bool upwards) {
    std::vector<Role> out;
    for (std::size_t i = 0; i < length; ++i) {
      const auto name = [&](std::size_t n) { return "r" + std::to_string(100 + (upwards ? n : length - n)); };
      out.push_back(role(name(i), i == 0 ? std::vector<std::string>{} : std::vector<std::string>{name(i - 1)}));
    }
    return roles_in_force(roles_of(std::move(out)));
  };
  for (const bool upwards : {true, false}) {
    EXPECT_TRUE(chain(kRoleDepthMax, upwards));
    const auto deep = chain(kRoleDepthMax + 1, upwards);
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().code, Code::limit);
  }
  Role wide = role("wide", {});
  for (std::size_t i = 0; i <= kRoleScopesMax; ++i) wide.dotted.push_back("x." + std::to_string(i));
  const auto all = roles_in_force(roles_of({wide}));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, Code::limit);
}

}  // namespace
}  // namespace sallyport::rbac
