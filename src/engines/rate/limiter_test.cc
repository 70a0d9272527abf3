#include "engines/rate/limiter.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <unordered_map>

namespace sallyport::rate {
namespace {

using namespace std::chrono_literals;

SteadyTime at(std::chrono::nanoseconds since) { return SteadyTime(std::chrono::seconds(1000) + since); }

class LimiterTest : public testing::Test {
 protected:
  SystemRandom random_;
  Limiter limiter_{random_};
  const LimitClass class_{100, 60s, 10};
};

// C4: capacity requests + burst, refill requests/window, header Limit = requests.
TEST_F(LimiterTest, AdmitsRequestsPlusBurstAtOnce) {
  for (int i = 0; i < 110; ++i) ASSERT_TRUE(limiter_.take("mcp", class_, "user:1", at(0s)).allow) << i;
  const Verdict refused = limiter_.take("mcp", class_, "user:1", at(0s));
  EXPECT_FALSE(refused.allow);
  EXPECT_EQ(refused.limit, 100U);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.retry_after, 1s);
  EXPECT_EQ(refused.reset_after, 66s);
}

TEST_F(LimiterTest, RefillsAtTheRate) {
  while (limiter_.take("mcp", class_, "k", at(0s)).allow) {
  }
  EXPECT_FALSE(limiter_.take("mcp", class_, "k", at(599ms)).allow);
  EXPECT_TRUE(limiter_.take("mcp", class_, "k", at(600ms)).allow);
  EXPECT_FALSE(limiter_.take("mcp", class_, "k", at(600ms)).allow);
  EXPECT_TRUE(limiter_.take("mcp", class_, "k", at(1200ms)).allow);
}

TEST_F(LimiterTest, RemainingNeverExceedsLimit) {
  EXPECT_EQ(limiter_.take("mcp", class_, "k", at(0s)).remaining, 100U);
  for (int i = 0; i < 10; ++i) limiter_.take("mcp", class_, "k", at(0s));
  EXPECT_EQ(limiter_.take("mcp", class_, "k", at(0s)).remaining, 98U);
}

TEST_F(LimiterTest, RetryAfterIsWholeSecondsRoundedUp) {
  const LimitClass slow{1, 3600s, 0};
  EXPECT_TRUE(limiter_.take("login", slow, "k", at(0s)).allow);
  EXPECT_EQ(limiter_.take("login", slow, "k", at(500ms)).retry_after, 3600s);
  EXPECT_EQ(limiter_.take("login", slow, "k", at(3599s + 1ms)).retry_after, 1s);
  EXPECT_TRUE(limiter_.take("login", slow, "k", at(3600s)).allow);
}

TEST_F(LimiterTest, ClassesAndKeysAreApart) {
  const LimitClass one{1, 60s, 0};
  EXPECT_TRUE(limiter_.take("a", one, "bc", at(0s)).allow);
  EXPECT_TRUE(limiter_.take("ab", one, "c", at(0s)).allow) << "no concatenation";
  EXPECT_TRUE(limiter_.take("a", one, "bd", at(0s)).allow);
  EXPECT_FALSE(limiter_.take("a", one, "bc", at(0s)).allow);
}

TEST_F(LimiterTest, AClassOfNothingAdmitsNothing) {
  EXPECT_FALSE(limiter_.take("a", {0, 60s, 10}, "k", at(0s)).allow);
  EXPECT_FALSE(limiter_.take("a", {10, 0s, 10}, "k", at(0s)).allow);
  EXPECT_GE(limiter_.take("a", {10, 0s, 10}, "k", at(0s)).retry_after, 1s);
}

TEST_F(LimiterTest, HugeSettingsDoNotOverflow) {
  const LimitClass huge{UINT32_MAX, std::chrono::seconds(INT64_MAX / 2), UINT32_MAX};
  EXPECT_TRUE(limiter_.take("a", huge, "k", at(0s)).allow);
  const LimitClass wide{1, std::chrono::seconds(366LL * 86'400), UINT32_MAX};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limiter_.take("b", wide, "k", at(0s)).allow) << i;
}

// An exact token bucket in integers: tokens times the window in nanoseconds, so that nothing is rounded.
class Oracle {
 public:
  explicit Oracle(const LimitClass& limit)
      : rate_(limit.requests),
        unit_(static_cast<__int128>(limit.window.count()) * 1'000'000'000),
        full_(unit_ * (limit.requests + limit.burst)),
        level_(full_) {}

  void refill(std::int64_t now_ns) {
    level_ = std::min(full_, level_ + static_cast<__int128>(now_ns - last_) * rate_);
    last_ = now_ns;
    if (level_ == full_) slack_ = 0;
  }
  [[nodiscard]] bool has_one() const { return level_ >= unit_; }
  // The interval is rounded up to whole nanoseconds: at most one is lost a request, until the bucket is full again.
  [[nodiscard]] bool has_clearly_one() const { return level_ >= unit_ + slack_; }
  void take() {
    level_ -= unit_;
    slack_ += rate_;
  }

 private:
  __int128 rate_, unit_, full_, level_;
  __int128 slack_ = 0;
  std::int64_t last_ = 0;
};

// threats.md 4: no over-admission in 10^7 events on a fake clock; and no needless refusal beyond rounding.
TEST_F(LimiterTest, NoOverAdmissionInTenMillionEvents) {
  std::mt19937_64 rng(7);
  const LimitClass odd{700, 60s, 13};
  constexpr int kKeys = 64;
  std::vector<Oracle> oracles(kKeys, Oracle(odd));
  std::vector<std::string> names;
  for (int i = 0; i < kKeys; ++i) names.push_back("user:" + std::to_string(i));
  std::int64_t now = 0;
  std::int64_t over = 0;
  std::int64_t under = 0;
  std::int64_t admitted = 0;
  for (int i = 0; i < 10'000'000; ++i) {
    now += static_cast<std::int64_t>(rng() % 1'500'000);
    if (rng() % 100'000 == 0) now += 20'000'000'000;
    const auto key = rng() % kKeys;
    Oracle& oracle = oracles[key];
    oracle.refill(now);
    const bool allow = limiter_.take("mcp", odd, names[key], at(std::chrono::nanoseconds(now))).allow;
    if (allow && !oracle.has_one()) ++over;
    if (!allow && oracle.has_clearly_one()) ++under;
    if (allow) {
      oracle.take();
      ++admitted;
    }
  }
  EXPECT_EQ(over, 0);
  EXPECT_EQ(under, 0);
  EXPECT_GT(admitted, 1'000'000) << "the test must admit and refuse";
  EXPECT_LT(admitted, 9'000'000);
}

// Exact across workers: many threads on few keys at one instant admit the capacity, no more and no less.
TEST_F(LimiterTest, ThreadsTogetherAdmitExactlyTheCapacity) {
  const LimitClass limit{1000, 60s, 0};
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> admitted{0};
    const std::string key = "round" + std::to_string(round);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) admitted += limiter_.take("mcp", limit, key, at(0s)).allow ? 1 : 0;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(admitted.load(), 1000) << round;
  }
}

// The same while a small table is full and keys put each other out: never more than the capacity for any of them.
TEST(LimiterAbuse, ThreadsOnAFullTableNeverOverAdmit) {
  SystemRandom random;
  Limiter limiter(random, 64);
  const LimitClass limit{5, 3600s, 0};
  constexpr int kKeys = 500;
  std::vector<std::atomic<int>> admitted(kKeys);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 rng(t);
      for (int i = 0; i < 50'000; ++i) {
        const auto key = rng() % kKeys;
        if (limiter.take("mcp", limit, std::to_string(key), at(0s)).allow) ++admitted[key];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kKeys; ++i) EXPECT_LE(admitted[static_cast<std::size_t>(i)].load(), 5) << i;
}

// A caller who sprays addresses to have its own entry forgotten gains nothing.
TEST(LimiterAbuse, SprayingKeysDoesNotResetADebt) {
  SystemRandom random;
  Limiter limiter(random, 64);
  const LimitClass limit{10, 60s, 0};
  while (limiter.take("address", limit, "attacker", at(0s)).allow) {
  }
  for (int i = 0; i < 100'000; ++i) limiter.take("address", limit, "spray" + std::to_string(i), at(0s));
  EXPECT_FALSE(limiter.take("address", limit, "attacker", at(0s)).allow);
}

TEST(LimiterAbuse, AFullTableRecoversWithTime) {
  SystemRandom random;
  Limiter limiter(random, 64);
  const LimitClass limit{10, 60s, 0};
  for (int i = 0; i < 10'000; ++i) limiter.take("address", limit, "spray" + std::to_string(i), at(0s));
  EXPECT_TRUE(limiter.take("address", limit, "newcomer", at(61s)).allow);
}

}  // namespace
}  // namespace sallyport::rate
