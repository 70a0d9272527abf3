// The same of groups, and of who called what.
#include "storage/conformance_support.h"

namespace sallyport::storage {
namespace {

TEST_P(Repositories, KeepGroupsWithEveryField) {
  Group group{kNasty,  kNasty, {"user", kNasty}, {Permission::tool_read}, {{Permission::tool_execute, "*", "x"}},
              {"a.b"}, kNow};
  ASSERT_TRUE(repository_->put_group(group));
  ASSERT_TRUE(repository_->put_group({"staff", {}, {}, {}, {}, {}, {}}));
  auto state = reopened();
  ASSERT_EQ(state.groups.size(), 2U);
  EXPECT_EQ(state.groups[0].name, kNasty);
  EXPECT_EQ(state.groups[0].description, kNasty);
  EXPECT_EQ(state.groups[0].roles, group.roles);
  EXPECT_EQ(state.groups[0].permissions, group.permissions);
  EXPECT_EQ(state.groups[0].grants, group.grants);
  EXPECT_EQ(state.groups[0].dotted, group.dotted);
  EXPECT_EQ(state.groups[0].created_at, kNow);
  group.roles.clear();
  group.description = "other";
  ASSERT_TRUE(repository_->put_group(group));
  ASSERT_TRUE(repository_->delete_group("staff"));
  state = reopened();
  ASSERT_EQ(state.groups.size(), 1U);
  EXPECT_EQ(state.groups[0].description, "other");
  EXPECT_TRUE(state.groups[0].roles.empty());
  EXPECT_EQ(repository_->delete_group("staff").error().code, Code::not_found);
}

TEST_P(Repositories, KeepWhoCalledWhatUntilEitherIsGone) {
  ASSERT_TRUE(repository_->put_user(user("1", "ann")));
  ASSERT_TRUE(repository_->put_key(key("k1", "1")));
  ServerRecord calc;
  calc.name = "calc";
  ASSERT_TRUE(repository_->put_server(calc));
  const std::vector<AccessUse> uses{{"user:1", "calc", "add", kNow, 2},
                                    {"key:k1", "calc", "add", kNow, 1},
                                    {"user:2", "calc", kNasty, kNow, 1},
                                    {"user:2", "web", "get", kNow, 1}};
  ASSERT_TRUE(repository_->add_access_uses(uses));
  ASSERT_TRUE(repository_->add_access_uses(
      std::vector<AccessUse>{{"user:1", "calc", "add", kNow - std::chrono::seconds(9), 3}}));
  const auto counts = [&] {
    (void)reopened();
    std::vector<AccessUse> wanted = uses;
    EXPECT_TRUE(repository_->find_access_uses(wanted));
    std::vector<std::uint64_t> out;
    for (const AccessUse& one : wanted) {
      out.push_back(one.count);
      EXPECT_EQ(one.last, one.count == 0 ? WallTime{} : kNow);
    }
    return out;
  };
  EXPECT_EQ(counts(), (std::vector<std::uint64_t>{5, 1, 1, 1}));
  ASSERT_TRUE(repository_->put_user(user("1", "anna")));  // a change is no end
  ASSERT_TRUE(repository_->put_server(calc));
  EXPECT_EQ(counts(), (std::vector<std::uint64_t>{5, 1, 1, 1}));
  ASSERT_TRUE(repository_->delete_user("1"));
  EXPECT_EQ(counts(), (std::vector<std::uint64_t>{0, 0, 1, 1})) << "with the user its keys";
  ASSERT_TRUE(repository_->delete_server("calc"));
  EXPECT_EQ(counts(), (std::vector<std::uint64_t>{0, 0, 0, 1}));
}

}  // namespace
}  // namespace sallyport::storage
