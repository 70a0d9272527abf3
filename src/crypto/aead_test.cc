#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

std::string bytes(std::string_view hex) { return std::string(as_text(hex_decode(hex).value())); }

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string value) : value_(std::move(value)) {}
  void fill(std::span<std::byte> out) noexcept override { std::memcpy(out.data(), value_.data(), out.size()); }

 private:
  std::string value_;
};

struct Vector {
  const char *key, *nonce, *plain, *additional, *cipher, *tag;
};

// NIST's GCM submission (McGrew and Viega), test cases 13, 14 and 16.
constexpr Vector kVectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"}};

TEST(Aead, SealsAndOpensNistVectors) {
  for (const Vector& v : kVectors) {
    FixedRandom random(bytes(v.nonce));
    const std::string key = bytes(v.key);
    const auto sealed = seal(as_bytes(key), bytes(v.plain), bytes(v.additional), random);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(*sealed, bytes(v.nonce) + bytes(v.cipher) + bytes(v.tag));
    const auto opened = open(as_bytes(key), *sealed, bytes(v.additional));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(*opened, bytes(v.plain));
  }
}

class AeadOpen : public ::testing::Test {
 protected:
  SystemRandom random_;
  std::string key_ = std::string(31, 'k') + "K";
  std::string sealed_ = seal(as_bytes(key_), "attack at dawn", "user:1", random_).value();
};

TEST_F(AeadOpen, FindsEveryFlippedBit) {
  for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    std::string changed = sealed_;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(open(as_bytes(key_), changed, "user:1").has_value()) << bit;
  }
}

// Stored values as a table has them: 125 rows of 100 bytes, each bit of each flipped once.
TEST_F(AeadOpen, FindsEachOf100000FlippedBits) {
  std::size_t flips = 0;
  std::size_t opened = 0;
  for (int row = 0; row < 125; ++row) {
    const std::string place = "vault/" + std::to_string(row) + "/value/1";
    std::string sealed = seal(as_bytes(key_), std::string(72, 'x'), place, random_).value();
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit, ++flips) {
      const auto flip = [&] { sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ (1 << (bit % 8))); };
      flip();
      opened += open(as_bytes(key_), sealed, place).has_value() ? 1U : 0U;
      flip();
    }
    EXPECT_TRUE(open(as_bytes(key_), sealed, place).has_value()) << "the unflipped value";
  }
  EXPECT_EQ(flips, 100'000U);
  EXPECT_EQ(opened, 0U);
}

// A ciphertext carried to another row, column or version does not open there.
TEST_F(AeadOpen, MovedValuesDoNotOpen) {
  const std::string places[] = {"vault/1/value/1",
                                "vault/2/value/1",
                                "vault/1/other/1",
                                "vault/1/value/2",
                                "vault/1/value/11",
                                "vault/11/value/1",
                                ""};
  for (const std::string& from : places) {
    const std::string sealed = seal(as_bytes(key_), "attack at dawn", from, random_).value();
    for (const std::string& to : places) {
      EXPECT_EQ(open(as_bytes(key_), sealed, to).has_value(), from == to) << from << " to " << to;
    }
  }
}

TEST_F(AeadOpen, FindsEveryTruncation) {
  for (std::size_t size = 0; size < sealed_.size(); ++size) {
    EXPECT_FALSE(open(as_bytes(key_), sealed_.substr(0, size), "user:1").has_value()) << size;
  }
}

TEST_F(AeadOpen, BindsTheAdditionalData) {
  EXPECT_TRUE(open(as_bytes(key_), sealed_, "user:1").has_value());
  EXPECT_EQ(open(as_bytes(key_), sealed_, "user:2").error().code, Code::crypto);
  EXPECT_FALSE(open(as_bytes(key_), sealed_, "").has_value());
}

TEST_F(AeadOpen, WantsTheSameKeyAndAKeyOf32Bytes) {
  const std::string other(32, 'x');
  EXPECT_FALSE(open(as_bytes(other), sealed_, "user:1").has_value());
  EXPECT_FALSE(open(as_bytes("short"), sealed_, "user:1").has_value());
  EXPECT_FALSE(seal(as_bytes(key_ + "k"), "x", "", random_).has_value());
}

TEST_F(AeadOpen, NeverTakesANonceTwice) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1'000; ++i) nonces.insert(seal(as_bytes(key_), "x", "", random_)->substr(0, kAeadNonceBytes));
  EXPECT_EQ(nonces.size(), 1'000U);
}

}  // namespace
}  // namespace sallyport::crypto
