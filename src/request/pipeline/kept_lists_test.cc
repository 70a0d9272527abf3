#include "request/pipeline/kept_lists.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

class KeptListsTest : public ::testing::Test {
 protected:
  KeptListsTest() { lists_.take(now_); }

  OfferedPtr of_tools(std::size_t count) const {
    auto offered = std::make_shared<Offered>();
    offered->catalogue = now_.catalogue;
    offered->servers.push_back({nullptr, std::vector<Offer>(count)});
    return offered;
  }

  static constexpr std::size_t kRoom = 40'000;
  Snapshot now_;
  KeptLists lists_{kRoom};
};

TEST_F(KeptListsTest, AreFoundUnderTheWholeKey) {
  const OfferedPtr one = of_tools(3);
  lists_.keep(now_, "one", one);
  EXPECT_EQ(lists_.find(now_, "one"), one);
  EXPECT_EQ(lists_.find(now_, "on"), nullptr);
  EXPECT_EQ(lists_.find(now_, "one "), nullptr);
  const OfferedPtr newer = of_tools(4);
  lists_.keep(now_, "one", newer);
  EXPECT_EQ(lists_.find(now_, "one"), newer);
}

TEST_F(KeptListsTest, AnEmptyKeyHasNone) {
  lists_.keep(now_, "", of_tools(3));
  EXPECT_EQ(lists_.find(now_, ""), nullptr);
  EXPECT_EQ(lists_.bytes(), 0U);
}

TEST_F(KeptListsTest, EndWithWhatTheyWereDecidedBy) {
  const auto change = [](Snapshot& s, int what) {
    if (what == 0) s.roles = std::make_shared<const Roles>();
    if (what == 1) s.catalogue = std::make_shared<const Catalogue>();
    if (what == 2) s.policy = std::make_shared<const PolicySet>();
  };
  for (int what = 0; what < 3; ++what) {
    lists_.keep(now_, "one", of_tools(3));
    Snapshot next = now_;
    change(next, what);
    EXPECT_EQ(lists_.find(next, "one"), nullptr) << what << ": a request that is ahead of its worker";
    EXPECT_NE(lists_.find(now_, "one"), nullptr) << what;
    lists_.take(next);
    EXPECT_EQ(lists_.bytes(), 0U);
    EXPECT_EQ(lists_.find(next, "one"), nullptr) << what;
    lists_.keep(now_, "one", of_tools(3));
    EXPECT_EQ(lists_.find(next, "one"), nullptr) << what << ": from a request that began before";
    EXPECT_EQ(lists_.find(now_, "one"), nullptr) << what;
    now_ = next;
  }
}

TEST_F(KeptListsTest, StayWhereSomethingElseChanges) {
  lists_.keep(now_, "one", of_tools(3));
  Snapshot next = now_;
  next.epoch = 2;
  next.principals = std::make_shared<const Principals>();
  next.labels = std::make_shared<const Labels>();
  lists_.take(next);
  EXPECT_NE(lists_.find(next, "one"), nullptr);
}

TEST_F(KeptListsTest, GoTheLongestUnaskedFirstWhereThereIsNoRoom) {
  const std::size_t kTools = 500;  // of which five lists have no room
  for (const char* name : {"a", "b", "c", "d"}) lists_.keep(now_, name, of_tools(kTools));
  ASSERT_NE(lists_.find(now_, "a"), nullptr);
  lists_.keep(now_, "e", of_tools(kTools));
  EXPECT_EQ(lists_.find(now_, "b"), nullptr);
  for (const char* name : {"a", "c", "d", "e"}) EXPECT_NE(lists_.find(now_, name), nullptr) << name;
  EXPECT_LE(lists_.bytes(), kRoom);
}

TEST_F(KeptListsTest, AFloodKeepsTheRoomBounded) {
  for (int i = 0; i < 2'000; ++i) lists_.keep(now_, std::string(1'000, 'k') + std::to_string(i), of_tools(10));
  EXPECT_LE(lists_.bytes(), kRoom);
  EXPECT_NE(lists_.find(now_, std::string(1'000, 'k') + "1999"), nullptr);
  EXPECT_EQ(lists_.find(now_, std::string(1'000, 'k') + "0"), nullptr);
}

TEST_F(KeptListsTest, OneThatIsTooLargeDrivesNobodyOut) {
  lists_.keep(now_, "small", of_tools(3));
  lists_.keep(now_, "large", of_tools(kRoom));
  EXPECT_EQ(lists_.find(now_, "large"), nullptr);
  EXPECT_NE(lists_.find(now_, "small"), nullptr);
}

}  // namespace
}  // namespace sallyport
