#include "control/accounts_lockout.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

using std::chrono::seconds;

class Lockouts : public ::testing::Test {
 protected:
  void fail(int times, const std::string& account, const std::string& address) {
    for (int i = 0; i < times; ++i) lockout_.failed(account, address, now_);
  }
  seconds wait(const std::string& account, const std::string& address) { return lockout_.wait(account, address, now_); }

  WallTime now_{seconds{1'790'000'000}};
  SystemRandom random_;
  Lockout lockout_{{}, random_};
};

TEST_F(Lockouts, DelaysGrowAndStopAtFiveMinutes_S2_39) {
  fail(4, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
  for (const int expected : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    fail(1, "alice", "192.0.2.1");
    EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(expected));
  }
}

TEST_F(Lockouts, AnAccountWaitsWhicheverTheAddress) {
  for (int i = 0; i < 6; ++i) fail(1, "alice", "192.0.2." + std::to_string(i));
  EXPECT_EQ(wait("alice", "198.51.100.7"), seconds(2));
  EXPECT_EQ(wait("bob", "198.51.100.7"), seconds(0));
}

TEST_F(Lockouts, AnAddressWaitsWhicheverTheAccount) {
  for (int i = 0; i < 20; ++i) fail(1, "user" + std::to_string(i), "192.0.2.1");
  EXPECT_EQ(wait("somebody", "192.0.2.1"), seconds(1));
  EXPECT_EQ(wait("somebody", "192.0.2.2"), seconds(0));
}

TEST_F(Lockouts, AnIpv6NetworkIsOneAddress) {
  for (int i = 0; i < 20; ++i) fail(1, "user" + std::to_string(i), "2001:db8:0:7::" + std::to_string(i));
  EXPECT_EQ(wait("somebody", "2001:db8:0:7:ffff::1"), seconds(1));
  EXPECT_EQ(wait("somebody", "2001:db8:0:8::1"), seconds(0));
}

// Slots are shared: whoever fails with very many names delays other names too, but not those who log in from where they did.
TEST_F(Lockouts, ASprayOverAllSlotsDoesNotReachATrustedAddress_S2_39) {
  lockout_.succeeded("alice", "192.0.2.1", now_);
  for (int i = 0; i < 200'000; ++i)
    lockout_.failed("name" + std::to_string(i), "198.51." + std::to_string(i / 4), now_);
  EXPECT_GT(wait("bob", "192.0.2.2"), seconds(0));
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
  fail(5, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(1)) << "it has delays of its own";
}

TEST_F(Lockouts, WaitingIsEnough) {
  fail(5, "alice", "192.0.2.1");
  now_ += seconds(1);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
}

// The clock was three hours ahead, and is right again: five minutes at most, from now, and not three hours.
TEST_F(Lockouts, AClockThatIsSetBackMakesNoDelayLonger_S2_39) {
  fail(8, "alice", "192.0.2.1");
  fail(14, "bob", "192.0.2.2");
  now_ -= std::chrono::hours(3);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(8));
  EXPECT_EQ(wait("bob", "192.0.2.2"), seconds(300));
  now_ += seconds(8);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
  fail(1, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(16)) << "failures are still counted";
  now_ += seconds(292);
  EXPECT_EQ(wait("bob", "192.0.2.2"), seconds(0));
}

// Requests that began before a failure was counted bring an earlier time: they make its delay no shorter.
TEST_F(Lockouts, AnOlderRequestMakesNoDelayShorter) {
  fail(5, "alice", "192.0.2.1");
  now_ -= std::chrono::milliseconds(900);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(2));
  now_ += std::chrono::milliseconds(900);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(1));
}

TEST_F(Lockouts, AnAttemptCountsFromItsBeginAndIsGivenBackWhole) {
  fail(5, "alice", "192.0.2.1");
  EXPECT_EQ(lockout_.begin("alice", "192.0.2.1", now_).wait(), seconds(1));  // and is not counted
  now_ += seconds(1);
  const auto attempt = lockout_.begin("alice", "192.0.2.1", now_);
  EXPECT_EQ(attempt.wait(), seconds(0));
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(2));
  lockout_.give_back(attempt);
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
  fail(1, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(2)) << "the failures of before are still counted";
}

TEST_F(Lockouts, WhatIsGivenBackTakesNoOthersDelay) {
  fail(4, "alice", "192.0.2.1");
  const auto attempt = lockout_.begin("alice", "192.0.2.1", now_);
  fail(1, "alice", "192.0.2.2");
  lockout_.give_back(attempt);
  EXPECT_EQ(wait("alice", "192.0.2.3"), seconds(2));
}

TEST_F(Lockouts, ASuccessClearsTheAccount) {
  fail(5, "alice", "192.0.2.1");
  lockout_.succeeded("alice", "192.0.2.1", now_);
  fail(4, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
}

TEST_F(Lockouts, FailuresAreForgottenAfterAnHour) {
  fail(12, "alice", "192.0.2.1");
  now_ += seconds(3'601);
  fail(1, "alice", "192.0.2.1");
  EXPECT_EQ(wait("alice", "192.0.2.1"), seconds(0));
}

// Strangers hammer the admin's account from everywhere: where the admin logged in before, the door stays open.
TEST_F(Lockouts, StrangersCannotShutAnAdminOut) {
  lockout_.succeeded("admin", "203.0.113.5", now_);
  for (int i = 0; i < 200; ++i) fail(1, "admin", "192.0.2." + std::to_string(i));
  EXPECT_EQ(wait("admin", "198.51.100.1"), seconds(300));
  EXPECT_EQ(wait("admin", "203.0.113.5"), seconds(0));
}

TEST_F(Lockouts, TrustIsOfAnAccountAndAnAddressTogether) {
  EXPECT_FALSE(lockout_.trusts("admin", "203.0.113.5"));
  lockout_.succeeded("admin", "203.0.113.5", now_);
  EXPECT_TRUE(lockout_.trusts("admin", "203.0.113.5"));
  EXPECT_FALSE(lockout_.trusts("admin", "203.0.113.6"));
  EXPECT_FALSE(lockout_.trusts("alice", "203.0.113.5"));
}

// An office or a provider may have one /64 for many.
TEST_F(Lockouts, ANeighbourInTheNetworkOfAnAdminIsAStranger_S2_39) {
  lockout_.succeeded("admin", "2001:db8:0:7::1", now_);
  EXPECT_TRUE(lockout_.trusts("admin", "2001:DB8:0:7:0::1"));
  EXPECT_FALSE(lockout_.trusts("admin", "2001:db8:0:7::2"));
  fail(12, "admin", "2001:db8:0:7::2");
  EXPECT_GT(wait("admin", "2001:db8:0:7::2"), seconds(0));
  EXPECT_EQ(wait("admin", "2001:db8:0:7::1"), seconds(0));
  lockout_.succeeded("admin", "::ffff:192.0.2.1", now_);
  EXPECT_TRUE(lockout_.trusts("admin", "192.0.2.1"));
}

TEST_F(Lockouts, AnInsiderWithManyAddressesPushesNobodysTrustOut_S2_39) {
  const auto name = [](int i) { return "user" + std::to_string(i); };
  for (int i = 0; i < 300; ++i) lockout_.succeeded(name(i), "203.0.113.5", now_);
  for (int i = 0; i < 20'000; ++i) lockout_.succeeded("insider", "2001:db8::" + std::to_string(i % 10'000), now_);
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(lockout_.trusts(name(i), "203.0.113.5")) << i;
  EXPECT_TRUE(lockout_.trusts("insider", "2001:db8::9999"));
  EXPECT_FALSE(lockout_.trusts("insider", "2001:db8::1"));
}

TEST_F(Lockouts, AnAccountGivesUpItsAddressOfLongestAgoAndTheNewOneStartsFresh) {
  const auto address = [](int i) { return "203.0.113." + std::to_string(i); };
  for (int i = 0; i < 16; ++i) lockout_.succeeded("alice", address(i), now_);
  lockout_.succeeded("alice", address(0), now_);
  fail(12, "alice", address(1));
  lockout_.succeeded("alice", address(16), now_);
  EXPECT_TRUE(lockout_.trusts("alice", address(0)));
  EXPECT_FALSE(lockout_.trusts("alice", address(1)));
  EXPECT_EQ(wait("alice", address(16)), seconds(0)) << "the delay of the pair that had its place";
}

// More accounts than there is room for: whoever logs in is trusted, and those of longest ago are not.
TEST_F(Lockouts, MoreTrustThanRoomForgetsTheOldest) {
  for (int i = 0; i < 50'000; ++i) lockout_.succeeded("user" + std::to_string(i), "203.0.113.5", now_);
  EXPECT_TRUE(lockout_.trusts("user49999", "203.0.113.5"));
  EXPECT_FALSE(lockout_.trusts("user0", "203.0.113.5"));
}

// And that door has a lock of its own.
TEST_F(Lockouts, AKnownAddressIsCountedForItself) {
  lockout_.succeeded("admin", "203.0.113.5", now_);
  fail(7, "admin", "203.0.113.5");
  EXPECT_EQ(wait("admin", "203.0.113.5"), seconds(4));
  EXPECT_EQ(wait("admin", "198.51.100.1"), seconds(0));
}

}  // namespace
}  // namespace sallyport::control
