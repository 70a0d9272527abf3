#include "request/admission/admission.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

Limits limits_of(std::uint32_t requests, std::uint32_t burst) {
  Limits limits;
  limits.classes["mcp"] = {requests, std::chrono::seconds(60), burst};
  limits.classes["tool"] = {requests, std::chrono::seconds(60), burst};
  return limits;
}

TEST(Admission, C4AdmitsRequestsPlusBurstThenRefuses) {
  SystemRandom random;
  rate::Limiter limiter(random);
  const Admission admission(limiter);
  const Limits limits = limits_of(5, 2);
  const FakeClock clock;
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(admission.principal(limits, "mcp", "key:a", "", clock.steady()).allow) << i;
  const auto refused = admission.principal(limits, "mcp", "key:a", "", clock.steady());
  EXPECT_FALSE(refused.allow);
  EXPECT_EQ(refused.limit, 5U);
  EXPECT_GE(refused.retry_after.count(), 1);
  EXPECT_TRUE(admission.principal(limits, "mcp", "key:b", "", clock.steady()).allow);
}

TEST(Admission, WhatAPolicyObligesToHasABucketOfItsOwn) {
  SystemRandom random;
  rate::Limiter limiter(random);
  const Admission admission(limiter);
  const FakeClock clock;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admission.obliged(3, "key:a", "mail/send", clock.steady()).allow) << i;
  const auto refused = admission.obliged(3, "key:a", "mail/send", clock.steady());
  EXPECT_FALSE(refused.allow);
  EXPECT_EQ(refused.limit, 3U);
  EXPECT_GE(refused.retry_after.count(), 1);
  EXPECT_TRUE(admission.obliged(3, "key:a", "mail/read", clock.steady()).allow);
  EXPECT_TRUE(admission.obliged(3, "key:b", "mail/send", clock.steady()).allow);
  EXPECT_TRUE(admission.principal(limits_of(1, 0), "mcp", "key:a", "mail/send", clock.steady()).allow);
}

// S0-38
TEST(Admission, HandshakesAreCountedByAddressAndInAll) {
  SystemRandom random;
  rate::Limiter limiter(random);
  const Admission admission(limiter);
  FakeClock clock;
  Limits limits;
  limits.classes["tls_address"] = {2, std::chrono::seconds(1), 1};
  limits.classes["tls_all"] = {10, std::chrono::seconds(1), 0};
  const auto admitted = [&](const std::string& stem, int many) {
    int count = 0;
    for (int i = 0; i < many; ++i)
      count += admission.handshake(limits, stem + std::to_string(i), clock.steady()) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(admitted("2001:db8:0:7::", 50), 3) << "a /64 is one address";
  EXPECT_EQ(admitted("192.0.2.", 50), 7) << "what one address was refused has cost the others nothing";
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(admitted("2001:db8:0:7::", 50), 2);
  EXPECT_EQ(admitted("198.51.100.", 50), 8);
}

TEST(Admission, AnIpv6NetworkIsOneStranger) {
  SystemRandom random;
  rate::Limiter limiter(random);
  const Admission admission(limiter);
  const FakeClock clock;
  Limits limits;
  for (const char* name : {"login", "address"}) limits.classes[name] = {10, std::chrono::seconds(60), 0};
  int logins = 0;
  int requests = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string address = "2001:db8:0:7::" + std::to_string(i);
    logins += admission.stranger(limits, "login", address, clock.steady()).allow ? 1 : 0;
    requests += admission.address(limits, address, clock.steady()).allow ? 1 : 0;
  }
  EXPECT_EQ(logins, 10);
  EXPECT_EQ(requests, 10);
  EXPECT_TRUE(admission.stranger(limits, "login", "2001:db8:0:8::1", clock.steady()).allow);
  EXPECT_TRUE(admission.address(limits, "2001:db8:0:8::1", clock.steady()).allow);
}

TEST(Admission, S1_29AndC5NameTheSecondsToWait) {
  rate::Verdict verdict;
  verdict.limit = 60;
  verdict.retry_after = std::chrono::seconds(7);
  EXPECT_EQ(rate_body(verdict), R"({"detail":"Rate limit exceeded. Please try again later.","retry_after":7})");
  const auto headers = rate_headers(verdict, WallTime(std::chrono::seconds(100)));
  ASSERT_EQ(headers.size(), 4U);
  EXPECT_EQ(headers[0], (std::pair<std::string, std::string>("X-RateLimit-Limit", "60")));
  EXPECT_EQ(headers[2].second, "100");
  EXPECT_EQ(headers[3], (std::pair<std::string, std::string>("Retry-After", "7")));
}

TEST(Admission, AnUnknownClassStillHasALimit) {
  SystemRandom random;
  rate::Limiter limiter(random);
  const Admission admission(limiter);
  const FakeClock clock;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i)
    admitted += admission.principal({}, "nothing", "key:a", "", clock.steady()).allow ? 1 : 0;
  EXPECT_EQ(admitted, 110);  // S0-25: 100 and a burst of 10
}

}  // namespace
}  // namespace sallyport
