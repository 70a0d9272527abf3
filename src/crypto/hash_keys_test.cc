// S2-11: generations of the API keys' hash key.
#include "crypto/hash_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kKey = "mcp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq123456";

class Generations : public ::testing::Test {
 protected:
  [[nodiscard]] HashKeys up_to(std::uint32_t newest, std::uint32_t oldest = 1) {
    while (made_.size() < newest) {
      made_.push_back({static_cast<std::uint32_t>(made_.size() + 1),
                       {},
                       std::make_shared<const LockedKey>(LockedKey::random(random_))});
    }
    return HashKeys({made_.begin() + oldest - 1, made_.begin() + newest}, fresh_);
  }

  SystemRandom random_;
  KeyStore store_ = KeyStore::from_master(Secret(std::string(as_text(sha256("hash keys test"))))).value();
  std::vector<HashKey> made_{HashKeys::first_key(store_)};
  std::shared_ptr<FreshHashes> fresh_ = std::make_shared<FreshHashes>();
};

// What was stored before there were generations stays good: the form and the key of the first are as they were.
TEST_F(Generations, TheFirstIsWhatKeysWereHashedUnderBefore_C9) {
  const std::string before = hex_encode(hmac_sha256(store_.key(Purpose::key_hashing), kKey));
  EXPECT_EQ(HashKeys::first_of(store_)->hash(kKey), before);
  EXPECT_TRUE(up_to(3).matches(kKey, before));
}

TEST_F(Generations, AnEarlierHashIsGoodWhileItsGenerationIsThere_S2_11) {
  std::vector<std::string> stored;
  for (std::uint32_t newest = 1; newest <= 12; ++newest) stored.push_back(up_to(newest).hash(kKey));
  EXPECT_EQ(std::set(stored.begin(), stored.end()).size(), stored.size());
  const HashKeys all = up_to(12), later = up_to(12, 5);
  for (std::uint32_t number = 1; number <= 12; ++number) {
    const std::string& hash = stored[number - 1];
    EXPECT_EQ(HashKeys::generation_of(hash), number);
    EXPECT_TRUE(all.matches(kKey, hash)) << number;
    EXPECT_EQ(later.matches(kKey, hash), number >= 5) << number;
    EXPECT_FALSE(all.matches(std::string(kKey) + "x", hash)) << number;
  }
}

TEST_F(Generations, AHashIsNotGoodUnderAnotherGenerationsNumber) {
  const std::string second = up_to(2).hash(kKey);
  const HashKeys all = up_to(3);
  EXPECT_FALSE(all.matches(kKey, "3" + second.substr(1)));
  EXPECT_FALSE(all.matches(kKey, second.substr(2))) << "as one of the first";
  for (const std::string& other :
       {std::string(), "2." + second, "02" + second.substr(1), second + "0", second.substr(0, 65),
        "1." + up_to(1).hash(kKey), "4294967298" + second.substr(1), "-2" + second.substr(1)}) {
    EXPECT_FALSE(all.matches(kKey, other)) << other;
  }
}

TEST_F(Generations, AKeyThatIsShownLeavesItsHashUnderTheNewestOnce) {
  const std::string first = up_to(1).hash(kKey);
  const HashKeys now = up_to(2);
  now.shown("id", kKey, now.hash(kKey));
  EXPECT_TRUE(fresh_->take().empty()) << "it has that already";
  now.shown("id", kKey, first);
  const auto left = fresh_->take();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, "id");
  EXPECT_EQ(left[0].former, first);
  EXPECT_EQ(left[0].hash, now.hash(kKey));
  EXPECT_TRUE(fresh_->take().empty());
}

TEST_F(Generations, WhatManyThreadsLeaveIsBoundedAndNothingIsLost) {
  for (int round = 0; round < 2; ++round) {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 1'000; ++i) fresh_->add({std::to_string(thread * 1'000 + i), "", ""});
      });
    }
    std::set<std::string> ids;
    while (ids.size() < 2'000) {
      for (const auto& one : fresh_->take()) ids.insert(one.id);
    }
    threads.clear();
    for (const auto& one : fresh_->take()) ids.insert(one.id);
    EXPECT_EQ(ids.size(), 4'000U);
  }
  for (std::size_t i = 0; i < FreshHashes::kMax + 100; ++i) fresh_->add({"x", "", ""});
  EXPECT_EQ(fresh_->take().size(), FreshHashes::kMax);
  fresh_->add({"x", "", ""});
  EXPECT_EQ(fresh_->take().size(), 1U) << "and it goes on";
}

}  // namespace
}  // namespace sallyport::crypto
