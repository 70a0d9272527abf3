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
  EXPECT_LE(admitted, 35);
  EXPECT_FALSE(one.take(5, "victim", at(2s)).allow);
}

}  // namespace
}  // namespace sallyport::rate
