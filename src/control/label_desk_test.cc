#include "control/label_desk.h"

#include <gtest/gtest.h>

#include "control/accounts_test_support.h"

namespace sallyport::control {
namespace {

using std::chrono::hours;

class Shelf final : public LabelStore {
 public:
  Result<void> put_labels(std::string_view holder, const LabelsOfOne& labels) override {
    if (fails) return fail(Code::storage, "disk full");
    ++puts;
    kept[std::string(holder)] = labels;
    return {};
  }
  Result<void> prune_labels(WallTime) override { return ++pruned, Result<void>(); }
  std::map<std::string, LabelsOfOne, std::less<>> kept;
  int puts = 0, pruned = 0;
  bool fails = false;
};

class Desk : public ::testing::Test {
 protected:
  Result<void> leave(std::string holder, std::vector<std::string> names, std::chrono::seconds longest = {}) {
    return await(desk_.leave(std::move(holder), std::move(names), "mail/read", longest));
  }
  [[nodiscard]] std::shared_ptr<const LabelsOfOne> known(std::string_view holder) const {
    const auto found = published_->find(holder);
    return found == published_->end() ? nullptr : found->second;
  }
  Shelf shelf_;
  FakeClock clock_;
  std::shared_ptr<const Labels> published_ = std::make_shared<const Labels>();
  int publications_ = 0;
  LabelDesk desk_{shelf_,
                  clock_,
                  {.lifetime = hours(24), .holders_max = 3},
                  [this](std::shared_ptr<const Labels> labels) -> Task<Result<void>> {
                    published_ = std::move(labels);
                    ++publications_;
                    co_return Result<void>{};
                  }};
};

TEST_F(Desk, WhatIsLeftIsKeptAndKnown) {
  ASSERT_TRUE(leave("key:a", {"private_data", "x"}));
  ASSERT_TRUE(known("key:a"));
  EXPECT_EQ(known("key:a")->at("private_data").until, clock_.wall() + hours(24));
  EXPECT_EQ(known("key:a")->at("private_data").set_by, "mail/read");
  EXPECT_EQ(shelf_.kept.at("key:a").size(), 2U);
  EXPECT_FALSE(known("key:b"));
}

TEST_F(Desk, ACallBesideTheFirstWaitsUntilEveryWorkerKnows) {
  ASSERT_TRUE(leave("key:a", {"x"}));
  ASSERT_TRUE(leave("key:a", {"x"}));
  EXPECT_EQ(shelf_.puts, 1);
  EXPECT_EQ(publications_, 2);
}

TEST_F(Desk, ALaterCallExtends) {
  ASSERT_TRUE(leave("key:a", {"x"}));
  clock_.advance(hours(13));
  ASSERT_TRUE(leave("key:a", {"y"}));
  EXPECT_EQ(known("key:a")->at("x").until, clock_.wall() + hours(11));
  ASSERT_TRUE(leave("key:a", {"x"}));
  EXPECT_EQ(known("key:a")->at("x").until, clock_.wall() + hours(24));
}

// A call that takes longer than labels live: what it says at its end is said to a caller who carries them.
TEST_F(Desk, ALabelOutlivesTheCallThatLeavesIt) {
  ASSERT_TRUE(leave("key:a", {"x"}, hours(30)));
  clock_.advance(hours(30));
  EXPECT_EQ(known("key:a")->at("x").until, clock_.wall() + hours(24));
  ASSERT_TRUE(leave("key:a", {"x"}, hours(30)));
  EXPECT_EQ(known("key:a")->at("x").until, clock_.wall() + hours(54));
  ASSERT_TRUE(leave("key:a", {"x", "y"}));
  EXPECT_EQ(known("key:a")->at("x").until, clock_.wall() + hours(54)) << "a short call does not cut a long one's";
}

TEST_F(Desk, ASweepGivesThePlacesOfThoseThatRanOutBack) {
  ASSERT_TRUE(leave("key:a", {"x"}));
  clock_.advance(hours(12));
  ASSERT_TRUE(leave("key:b", {"x"}));
  clock_.advance(hours(12));
  const int before = publications_;
  ASSERT_TRUE(await(desk_.sweep()));
  EXPECT_FALSE(known("key:a"));
  EXPECT_TRUE(known("key:b"));
  EXPECT_EQ(shelf_.pruned, 1);
  ASSERT_TRUE(await(desk_.sweep()));
  EXPECT_EQ(publications_, before + 1) << "nothing to do, nothing done";
}

TEST_F(Desk, WhatHasRunOutIsForgottenWithTheNextChange) {
  ASSERT_TRUE(leave("key:a", {"x"}));
  clock_.advance(hours(24));
  ASSERT_TRUE(leave("key:a", {"y"}));
  EXPECT_FALSE(known("key:a")->contains("x"));
}

TEST_F(Desk, AStoreThatFailsLeavesNothingAndSaysSo) {
  shelf_.fails = true;
  EXPECT_EQ(leave("key:a", {"x"}).error().code, Code::storage);
  EXPECT_FALSE(known("key:a"));
  shelf_.fails = false;
  ASSERT_TRUE(leave("key:a", {"x"}));
  shelf_.fails = true;
  EXPECT_FALSE(await(desk_.clear("key:a", "")));
  EXPECT_TRUE(known("key:a")) << "what is not cleared in the store stays in force";
}

TEST_F(Desk, IsBoundedAndRefusesRatherThanForgets) {
  for (const char* holder : {"key:a", "key:b", "key:c"}) ASSERT_TRUE(leave(holder, {"x"}));
  EXPECT_EQ(leave("key:d", {"x"}).error().code, Code::limit);
  EXPECT_TRUE(leave("key:a", {"y"})) << "one that is there has its place";
  clock_.advance(hours(24));
  EXPECT_TRUE(leave("key:d", {"x"})) << "those that have run out make room";
  EXPECT_FALSE(known("key:b"));
  std::vector<std::string> many;
  for (int i = 0; i < 65; ++i) many.push_back("l" + std::to_string(i));
  EXPECT_EQ(leave("key:d", many).error().code, Code::limit);
}

TEST_F(Desk, ClearingSaysWhatWasThere) {
  ASSERT_TRUE(leave("key:a", {"x", "y"}));
  EXPECT_EQ(await(desk_.clear("key:a", "x")).value(), std::vector<std::string>{"x"});
  EXPECT_TRUE(known("key:a")->contains("y"));
  EXPECT_EQ(await(desk_.clear("key:a", "x")).error().code, Code::not_found);
  EXPECT_EQ(await(desk_.clear("key:a", "")).value(), std::vector<std::string>{"y"});
  EXPECT_FALSE(known("key:a"));
  EXPECT_TRUE(shelf_.kept.at("key:a").empty());
  EXPECT_EQ(await(desk_.clear("key:b", "")).error().code, Code::not_found);
}

}  // namespace
}  // namespace sallyport::control
