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

// phc-winner-argon2, src/test.c, but for the vector that takes 256 MiB. RFC 9106's own: rfc9106/vectors_test.cc.
TEST(Password, VerifiesTheReferenceVectorsOfArgon2id) {
  for (const char* hash : {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                           "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
                           "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
                           "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"}) {
    EXPECT_TRUE(verify_password(hash, "password")) << hash;
    EXPECT_FALSE(verify_password(hash, "Password")) << hash;
  }
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
