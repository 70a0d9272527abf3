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

// One caller asks `count` times, with the keys "0", "1", ..., and is answered.
void ask(Idempotency& kept, const std::string& who, std::size_t count, const RestAnswer& answer) {
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_FALSE(kept.begin(who, std::to_string(i), "post x", kNow).value()) << who << ' ' << i;
    kept.end(who, std::to_string(i), answer);
  }
}

TEST(IdempotencyAbuse, OfOneCallerTheOldestGoesFirst) {
  Idempotency kept;
  ask(kept, "user:a", Idempotency::kCallerEntriesMax + 1, made());
  EXPECT_TRUE(kept.begin("user:a", "1", "post x", kNow).value());
  EXPECT_TRUE(kept.begin("user:a", std::to_string(Idempotency::kCallerEntriesMax), "post x", kNow).value());
  EXPECT_FALSE(kept.begin("user:a", "0", "post x", kNow).value());
}

TEST(IdempotencyAbuse, NoCallerPushesOutAnothersKeys) {
  Idempotency kept;
  ask(kept, "user:small", 3, made());
  ask(kept, "user:loud", Idempotency::kEntriesMax + 1, made());
  for (int i = 0; i < 20; ++i) ask(kept, "key:" + std::to_string(i), Idempotency::kCallerEntriesMax, made());
  for (const char* key : {"0", "1", "2"}) EXPECT_TRUE(kept.begin("user:small", key, "post x", kNow).value()) << key;
}

TEST(IdempotencyAbuse, ManyCallersAreBoundedToo) {
  Idempotency kept;
  for (std::size_t i = 0; i <= Idempotency::kEntriesMax; ++i) ask(kept, "user:" + std::to_string(i), 1, made());
  std::size_t known = 0;
  for (std::size_t i = 0; i <= Idempotency::kEntriesMax; ++i) {
    const std::string who = "user:" + std::to_string(i);
    if (const auto before = kept.begin(who, "0", "post x", kNow).value()) ++known;
    else kept.end(who, "0", std::nullopt);
  }
  EXPECT_LE(known, Idempotency::kEntriesMax);
  EXPECT_GE(known, Idempotency::kEntriesMax / 2);
}

TEST(IdempotencyAbuse, WhatRunsIsNotForgotten) {
  Idempotency kept;
  EXPECT_FALSE(kept.begin("user:a", "runs", "post x", kNow).value());
  ask(kept, "user:a", 2 * Idempotency::kCallerEntriesMax, made());
  EXPECT_EQ(kept.begin("user:a", "runs", "post x", kNow).error().code, Code::conflict);
  Idempotency busy;
  for (std::size_t i = 0; i < Idempotency::kCallerEntriesMax; ++i) {
    EXPECT_FALSE(busy.begin("user:a", std::to_string(i), "post x", kNow).value());
  }
  EXPECT_EQ(busy.begin("user:a", "one more", "post x", kNow).error().code, Code::rate_limited);
  EXPECT_FALSE(busy.begin("user:b", "0", "post x", kNow).value());
  busy.end("user:a", "0", made());
  EXPECT_FALSE(busy.begin("user:a", "one more", "post x", kNow).value());
}

// Long answers go before their keys do: what was asked is not done twice.
TEST(IdempotencyAbuse, TheBytesOfAnswersAreBounded) {
  RestAnswer longest = made();
  longest.body.assign(Idempotency::kAnswerBytesMax, 'x');
  constexpr std::size_t kFit = Idempotency::kCallerBytesMax / Idempotency::kAnswerBytesMax;
  Idempotency kept;
  ask(kept, "user:a", kFit + 1, longest);
  EXPECT_EQ(kept.begin("user:a", "0", "post x", kNow).error().code, Code::conflict);
  EXPECT_TRUE(kept.begin("user:a", "1", "post x", kNow).value());
  ask(kept, "user:small", 1, longest);
  constexpr std::size_t kCallers = Idempotency::kBytesMax / Idempotency::kCallerBytesMax;
  for (std::size_t i = 0; i < kCallers; ++i) ask(kept, "key:" + std::to_string(i), kFit, longest);
  std::size_t answers = 0;
  for (std::size_t i = 0; i < kCallers; ++i) {
    for (std::size_t j = 0; j < kFit; ++j) {
      const auto before = kept.begin("key:" + std::to_string(i), std::to_string(j), "post x", kNow);
      answers += before && *before ? 1 : 0;
    }
  }
  EXPECT_LT(answers * Idempotency::kAnswerBytesMax, Idempotency::kBytesMax);
  EXPECT_GT(answers * Idempotency::kAnswerBytesMax, Idempotency::kBytesMax / 2);
  EXPECT_TRUE(kept.begin("user:small", "0", "post x", kNow).value());
}

}  // namespace
}  // namespace sallyport::api
