#include "api/idempotency.h"

#include <gtest/gtest.h>

namespace sallyport::api {
namespace {

const WallTime kNow{std::chrono::seconds(1'790'000'000)};

RestAnswer made() {
  RestAnswer answer;
  answer.status = 201;
  answer.body = R"({"id":"1"})";
  return answer;
}

TEST(Idempotency, TheSecondIsAnsweredAsTheFirst) {
  Idempotency kept;
  EXPECT_FALSE(kept.begin("user:a", "k", "post x", kNow).value());
  EXPECT_EQ(kept.begin("user:a", "k", "post x", kNow).error().code, Code::conflict);  // still running
  kept.end("user:a", "k", made());
  EXPECT_EQ(kept.begin("user:a", "k", "post x", kNow).value()->body, made().body);
  EXPECT_EQ(kept.begin("user:a", "k", "post y", kNow).error().code, Code::conflict);
  EXPECT_FALSE(kept.begin("user:b", "k", "post x", kNow).value());
}

TEST(Idempotency, AnotherCacheControlIsNoSecret) {
  Idempotency kept;
  RestAnswer open = made();
  open.headers.emplace_back("Cache-Control", "max-age=300");
  EXPECT_FALSE(kept.begin("user:a", "k", "post x", kNow).value());
  kept.end("user:a", "k", open);
  EXPECT_EQ(kept.begin("user:a", "k", "post x", kNow).value()->body, made().body);
}

TEST(Idempotency, ARefusalIsForgottenAndADayToo) {
  Idempotency kept;
  RestAnswer refused = made();
  refused.status = 400;
  EXPECT_FALSE(kept.begin("user:a", "k", "post x", kNow).value());
  kept.end("user:a", "k", refused);
  EXPECT_FALSE(kept.begin("user:a", "k", "post x", kNow).value());
  kept.end("user:a", "k", made());
  EXPECT_FALSE(kept.begin("user:a", "k", "post x", kNow + std::chrono::hours(25)).value());
}

TEST(IdempotencyAbuse, WhatWasCutOffOrSecretOrLongIsNotDoneAgain) {
  Idempotency kept;
  RestAnswer secret = made();
  secret.headers.emplace_back("Cache-Control", "no-store");
  RestAnswer long_one = made();
  long_one.body.assign(Idempotency::kAnswerBytesMax + 1, 'x');
  for (const auto& [key, answer] : std::initializer_list<std::pair<std::string, std::optional<RestAnswer>>>{
           {"cut off", std::nullopt}, {"secret", secret}, {"long", long_one}}) {
    EXPECT_FALSE(kept.begin("user:a", key, "post x", kNow).value());
    kept.end("user:a", key, answer);
    EXPECT_EQ(kept.begin("user:a", key, "post x", kNow).error().code, Code::conflict) << key;
  }
}

TEST(IdempotencyAbuse, TheOldestGoesFirst) {
  Idempotency kept;
  for (std::size_t i = 0; i <= Idempotency::kEntriesMax; ++i) {
    EXPECT_FALSE(kept.begin("user:a", std::to_string(i), "post x", kNow).value());
    kept.end("user:a", std::to_string(i), made());
  }
  EXPECT_TRUE(kept.begin("user:a", std::to_string(Idempotency::kEntriesMax), "post x", kNow).value());
  EXPECT_FALSE(kept.begin("user:a", "0", "post x", kNow).value());
}

}  // namespace
}  // namespace sallyport::api
