#include "engines/rate/minutes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "engines/rate/limiter.h"

namespace sallyport::rate {
namespace {

using namespace std::chrono_literals;

SteadyTime at(std::chrono::nanoseconds since) { return SteadyTime(std::chrono::seconds(1000) + since); }

class MinutesTest : public testing::Test {
 protected:
  bool take(std::chrono::nanoseconds since, std::uint32_t most = 5, const char* key = "user:1 mail/send") {
    return minutes_.take(most, key, at(since)).allow;
  }
  SystemRandom random_;
  Minutes minutes_{random_};
};

// A bucket that is full at first and refills would let nine through here.
TEST_F(MinutesTest, NoMinuteHasMoreCallsThanTheLimit) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(take(0s)) << i;
  for (const auto later : {0s, 12s, 24s, 36s, 48s, 59s}) EXPECT_FALSE(take(later)) << later.count();
  EXPECT_TRUE(take(61s));
}

TEST_F(MinutesTest, AnyTimesAtAll) {
  std::mt19937 engine(7);
  std::uniform_int_distribution<int> pause(0, 4000);
  std::vector<std::chrono::milliseconds> admitted;
  std::chrono::milliseconds now{0};
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(pause(engine));
    if (take(now, 10)) admitted.push_back(now);
  }
  for (std::size_t i = 10; i < admitted.size(); ++i) ASSERT_GE(admitted[i] - admitted[i - 10], 60s) << i;
  EXPECT_GE(admitted.size(), static_cast<std::size_t>(now / 66s * 10))
      << "and no fewer than ten in 61 seconds and the wait for the next try";
}

TEST_F(MinutesTest, SaysHowManyAreLeftAndWhenToComeBack) {
  Verdict verdict = minutes_.take(3, "k", at(0s));
  EXPECT_EQ(verdict.limit, 3U);
  EXPECT_EQ(verdict.remaining, 2U);
  EXPECT_EQ(minutes_.take(3, "k", at(10s)).remaining, 1U);
  EXPECT_EQ(minutes_.take(3, "k", at(20s)).remaining, 0U);
  verdict = minutes_.take(3, "k", at(30s));
  EXPECT_FALSE(verdict.allow);
  EXPECT_EQ(verdict.retry_after, 31s);
  EXPECT_EQ(verdict.reset_after, 51s);
  EXPECT_FALSE(minutes_.take(3, "k", at(60s)).allow);
  EXPECT_TRUE(minutes_.take(3, "k", at(61s)).allow);
}

TEST_F(MinutesTest, KeysCountForThemselvesAndALowerLimitSeesTheCallsOfAHigher) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(take(0s));
  EXPECT_TRUE(take(0s, 5, "user:2 mail/send"));
  EXPECT_TRUE(take(1s, 6));
  EXPECT_FALSE(take(2s, 2));
  EXPECT_EQ(minutes_.take(2, "user:1 mail/send", at(2s)).retry_after, 59s);
  EXPECT_FALSE(take(0s, 0, "user:3 mail/send"));
}

TEST_F(MinutesTest, AnEarlierReadingOfTheClockIsOfTheNewestSecond) {
  ASSERT_TRUE(take(30s, 1));
  EXPECT_FALSE(take(29s, 1));
  EXPECT_FALSE(take(90s, 1));
  EXPECT_TRUE(take(91s, 1));
}

TEST_F(MinutesTest, ManyThreadsGetNoMoreThanOne) {
  std::atomic<int> admitted{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) admitted += take(0s, 500) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(admitted, 500);
}

TEST(MinutesAbuse, SprayingKeysGivesNobodyMore) {
  SystemRandom random;
  Minutes one(random, 8);  // one set
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(one.take(5, "victim", at(0s)).allow);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += one.take(5, "spray" + std::to_string(i), at(1s)).allow ? 1 : 0;
  EXPECT_EQ(admitted, 40) << "a call of each key, until what was lost is five in all eight";
  EXPECT_FALSE(one.take(5, "victim", at(2s)).allow);
}

TEST(MinutesAbuse, WhoLostTheEntryGetsNoMoreWhenItComesBack) {
  SystemRandom random;
  Minutes one(random, 8);  // one set
  const auto take = [&](const char* key, std::uint32_t most, std::chrono::seconds when) {
    return one.take(most, key, at(when)).allow;
  };
  for (const char* key : {"1", "2", "3", "4", "5", "6", "7"}) {
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(take(key, 6, 0s));
  }
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(take("victim", 5, 50s));
  EXPECT_TRUE(take("ninth", 5, 51s)) << "in place of who called least";
  EXPECT_FALSE(take("victim", 5, 61s)) << "though those of 0 s have left";
  EXPECT_FALSE(take("victim", 5, 110s));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(take("victim", 5, 111s)) << i;
  EXPECT_FALSE(take("victim", 5, 112s));
}

TEST(MinutesAbuse, WhoIsRefusedTakesNobodysPlace) {
  SystemRandom random;
  Minutes one(random, 8);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(one.take(9, "key" + std::to_string(i), at(0s)).allow);
  EXPECT_FALSE(one.take(0, "ninth", at(1s)).allow);
  EXPECT_EQ(one.take(9, "tenth", at(1s)).remaining, 8U) << "nobody's was lost until now";
  EXPECT_EQ(one.take(9, "eleventh", at(1s)).remaining, 7U) << "but now";
}

// Many more keys than places, each now and then: none ever has more than its limit in a minute.
TEST(MinutesAbuse, AFullSetAdmitsNobodyMoreWhateverTheOrder) {
  SystemRandom random;
  Minutes one(random, 8);
  std::mt19937 engine(11);
  std::uniform_int_distribution<std::size_t> some(0, 19);
  std::uniform_int_distribution<int> pause(0, 700);
  std::vector<std::vector<std::chrono::milliseconds>> admitted(20);
  std::chrono::milliseconds now{0};
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(pause(engine));
    const std::size_t key = some(engine);
    const std::size_t most = 2 + key % 5;
    auto& of = admitted[key];
    if (!one.take(static_cast<std::uint32_t>(most), "key" + std::to_string(key), at(now)).allow) continue;
    of.push_back(now);
    if (of.size() > most) {
      ASSERT_GE(of.back() - of[of.size() - 1 - most], 60s) << key << " at " << now.count();
    }
  }
  for (std::size_t key = 4; key < 20; key += 5) EXPECT_GE(admitted[key].size(), 100U) << "and six a minute go on";
}

}  // namespace
}  // namespace sallyport::rate
