#include "model/access_uses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace sallyport {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'790'000'000)};
constexpr std::chrono::seconds kSecond{1};

TEST(AccessUses, CountEachPairForItself) {
  AccessUses uses;
  uses.note("user:1", "mail", "send", kNow + kSecond);
  uses.note("user:1", "mail", "send", kNow);
  uses.note("user:1", "mail", "read", kNow);
  uses.note("key:1", "mail", "send", kNow);
  uses.note("user:1", "mai", "lsend", kNow);
  auto taken = uses.take();
  ASSERT_EQ(taken.size(), 4U);
  EXPECT_TRUE(uses.empty());
  EXPECT_TRUE(uses.take().empty());
  std::ranges::sort(taken, {}, [](const AccessUse& use) { return use.principal + "/" + use.server + "/" + use.tool; });
  EXPECT_EQ(taken[3].tool, "send");
  EXPECT_EQ(taken[3].count, 2U);
  EXPECT_EQ(taken[3].last, kNow + kSecond) << "never backwards";
}

TEST(AccessUses, AreBounded) {
  AccessUses uses;
  for (std::size_t i = 0; i < AccessUses::kPairsMax + 10; ++i) uses.note("key:x", "s", std::to_string(i), kNow);
  uses.note("key:x", "s", "0", kNow);  // known: counted still
  const auto taken = uses.take();
  EXPECT_EQ(taken.size(), AccessUses::kPairsMax);
  const auto first = std::ranges::find(taken, "0", &AccessUse::tool);
  ASSERT_NE(first, taken.end());
  EXPECT_EQ(first->count, 2U);
}

}  // namespace
}  // namespace sallyport
