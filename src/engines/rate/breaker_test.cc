#include "engines/rate/breaker.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sallyport::rate {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;

SteadyTime at(std::chrono::nanoseconds since) { return SteadyTime(std::chrono::seconds(1000) + since); }

void fail_times(CircuitBreaker& breaker, int times, SteadyTime now) {
  for (int i = 0; i < times; ++i) breaker.report(breaker.admit(now), false, now);
}

// S2-17, the table of S2: 10 failures, 60 s.
TEST(CircuitBreaker, OpensAfterTenFailuresInARow) {
  CircuitBreaker breaker;
  fail_times(breaker, 9, at(0s));
  EXPECT_EQ(breaker.state(at(0s)), State::closed);
  fail_times(breaker, 1, at(0s));
  EXPECT_EQ(breaker.state(at(0s)), State::open);
  const auto refused = breaker.admit(at(500ms));
  EXPECT_FALSE(refused.allow);
  EXPECT_EQ(refused.retry_after, 60s);
}

TEST(CircuitBreaker, ASuccessStartsTheCountAgain) {
  CircuitBreaker breaker;
  fail_times(breaker, 9, at(0s));
  breaker.report(breaker.admit(at(0s)), true, at(0s));
  fail_times(breaker, 9, at(0s));
  EXPECT_EQ(breaker.state(at(0s)), State::closed);
}

TEST(CircuitBreaker, OneProbeAfterTheRest) {
  CircuitBreaker breaker;
  fail_times(breaker, 10, at(0s));
  EXPECT_FALSE(breaker.admit(at(59'999ms)).allow);
  const auto probe = breaker.admit(at(60s));
  EXPECT_TRUE(probe.allow);
  EXPECT_TRUE(probe.probe);
  EXPECT_FALSE(breaker.admit(at(60s)).allow) << "one only";
  breaker.report(probe, true, at(61s));
  EXPECT_EQ(breaker.state(at(61s)), State::closed);
  EXPECT_TRUE(breaker.admit(at(61s)).allow);
}

TEST(CircuitBreaker, AFailedProbeRestsAgain) {
  CircuitBreaker breaker;
  fail_times(breaker, 10, at(0s));
  breaker.report(breaker.admit(at(60s)), false, at(61s));
  EXPECT_FALSE(breaker.admit(at(120s)).allow);
  EXPECT_TRUE(breaker.admit(at(121s)).allow);
}

TEST(CircuitBreaker, ASilentProbeLosesItsPlace) {
  CircuitBreaker breaker;
  fail_times(breaker, 10, at(0s));
  const auto silent = breaker.admit(at(60s));
  EXPECT_FALSE(breaker.admit(at(119s)).allow);
  const auto second = breaker.admit(at(120s));
  EXPECT_TRUE(second.probe);
  breaker.report(silent, false, at(121s));
  EXPECT_EQ(breaker.state(at(121s)), State::half_open) << "its report comes too late";
  breaker.report(second, true, at(121s));
  EXPECT_EQ(breaker.state(at(121s)), State::closed);
}

TEST(CircuitBreaker, ACancelledProbeGivesItsPlaceBack) {
  CircuitBreaker breaker;
  fail_times(breaker, 10, at(0s));
  const auto probe = breaker.admit(at(60s));
  ASSERT_TRUE(probe.allow && probe.probe);
  EXPECT_FALSE(breaker.admit(at(61s)).allow);
  breaker.withdraw(probe, at(61s));
  const auto next = breaker.admit(at(61s));
  EXPECT_TRUE(next.allow && next.probe);
  breaker.withdraw(probe, at(61s));  // the place is another's now
  EXPECT_FALSE(breaker.admit(at(61s)).allow);
  breaker.report(next, true, at(62s));
  EXPECT_EQ(breaker.state(at(62s)), State::closed);
  breaker.withdraw(breaker.admit(at(62s)), at(62s));  // no probe: nothing to give back
  EXPECT_EQ(breaker.state(at(62s)), State::closed);
}

TEST(CircuitBreaker, LateReportsOfEarlierCallsDoNotCount) {
  CircuitBreaker breaker;
  const auto early = breaker.admit(at(0s));
  fail_times(breaker, 10, at(0s));
  const auto probe = breaker.admit(at(60s));
  breaker.report(early, true, at(60s));
  EXPECT_EQ(breaker.state(at(60s)), State::half_open);
  breaker.report(probe, false, at(60s));
  breaker.report(early, true, at(60s));
  EXPECT_EQ(breaker.state(at(60s)), State::open);
}

TEST(CircuitBreaker, ThreadsGetOneProbe) {
  CircuitBreaker breaker;
  fail_times(breaker, 10, at(0s));
  std::atomic<int> probes{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) probes += breaker.admit(at(60s)).allow ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(probes.load(), 1);
}

}  // namespace
}  // namespace sallyport::rate
