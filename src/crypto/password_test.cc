#include "crypto/password.h"

#include <gtest/gtest.h>

namespace sallyport::crypto {
namespace {

// S1-26; threats.md, section 4: m=19 MiB t=2 p=1 or better.
TEST(Password, IsArgon2idInPhcFormatWithOwaspCost) {
  const std::string hash = hash_password("Correct-horse-7").value();
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(verify_password(hash, "Correct-horse-7"));
  EXPECT_FALSE(verify_password(hash, "Correct-horse-8"));
  EXPECT_FALSE(verify_password(hash, ""));
  EXPECT_NE(hash, hash_password("Correct-horse-7").value()) << "no salt";
}

TEST(Password, RefusesWhatIsNoArgon2idHash) {
  for (const char* hash :
       {"", "admin", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$YWFh$YWFh"}) {
    EXPECT_FALSE(verify_password(hash, "admin")) << hash;
    EXPECT_TRUE(needs_rehash(hash)) << hash;
  }
  EXPECT_FALSE(verify_password("$argon2id$" + std::string(100'000, 'a'), "admin"));
}

TEST(Password, CapsItsInput) {
  EXPECT_TRUE(hash_password(std::string(kPasswordBytesMax, 'x')).has_value());
  EXPECT_EQ(hash_password(std::string(kPasswordBytesMax + 1, 'x')).error().code, Code::limit);
}

TEST(Password, CheaperHashesNeedAnotherHashing) {
  const std::string cheap = hash_password("x", {.passes = 1, .memory_bytes = 8U << 10}).value();
  EXPECT_TRUE(verify_password(cheap, "x"));
  EXPECT_TRUE(needs_rehash(cheap));
}

// Else an unknown user would answer sooner or later than a known one.
TEST(Password, TheDummyHashCostsWhatARealOneCosts) { EXPECT_FALSE(needs_rehash(dummy_password_hash())); }

}  // namespace
}  // namespace sallyport::crypto
