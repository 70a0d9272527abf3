#include "crypto/sealed_record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

KeyStore store_of(std::string_view name) {
  return KeyStore::from_master(Secret(std::string(as_text(sha256(name))))).value();
}

WrappingKey key_of(std::uint32_t id, Random& random, std::optional<WallTime> retired = std::nullopt) {
  return {id, WallTime{}, retired, std::make_shared<const LockedKey>(LockedKey::random(random))};
}

class SealedRecordTest : public ::testing::Test {
 protected:
  SealedRecord sealed(std::string_view plain) { return seal_record(keys_, plain, place_, random_).value(); }
  [[nodiscard]] std::string opened(const SealedRecord& record, const Binding& place) const {
    const auto plain = open_record(keys_, record, place);
    return plain ? std::string(plain->reveal()) : "error: " + plain.error().detail;
  }

  SystemRandom random_;
  KeyStore keys_ = store_of("sealed record tests");
  Binding place_{"vault_versions", "01HX", "ciphertext", 3};
};

TEST_F(SealedRecordTest, OpensWhatItSealed_S2_8) {
  for (const std::string& plain :
       {std::string(), std::string("hunter2"), std::string("\0\xff\n", 3), std::string(65'536, 'x')}) {
    EXPECT_EQ(opened(sealed(plain), place_), plain);
  }
}

// S2-13: the same value twice has two data keys and shows no likeness.
TEST_F(SealedRecordTest, EachHasADataKeyOfItsOwn_S2_13) {
  const SealedRecord one = sealed("the same");
  const SealedRecord two = sealed("the same");
  EXPECT_NE(one.wrapped_key, two.wrapped_key);
  EXPECT_NE(one.ciphertext, two.ciphertext);
  EXPECT_TRUE(opened({one.wrapped_key, two.ciphertext}, place_).starts_with("error: "));
}

// Done when 3 of issue 6: each of 100,000 single-bit flips is detected. Every bit of every record is tried in turn.
TEST_F(SealedRecordTest, DetectsEachOf100000FlippedBits) {
  std::size_t flips = 0;
  for (std::size_t size = 0; flips < 100'000; size = (size * 7 + 11) % 200) {
    const SealedRecord good = sealed(std::string(size, 's'));
    for (std::string SealedRecord::* half : {&SealedRecord::wrapped_key, &SealedRecord::ciphertext}) {
      for (std::size_t bit = 0; bit < (good.*half).size() * 8 && flips < 100'000; ++bit, ++flips) {
        SealedRecord changed = good;
        char& byte = (changed.*half)[bit / 8];
        byte = static_cast<char>(byte ^ (1 << (bit % 8)));
        const auto plain = open_record(keys_, changed, place_);
        ASSERT_FALSE(plain.has_value()) << "bit " << bit << " of a value of " << size << " bytes";
        ASSERT_EQ(plain.error().code, Code::crypto);
      }
    }
  }
}

TEST_F(SealedRecordTest, OpensNowhereElse) {
  const SealedRecord record = sealed("bound");
  for (const Binding& other :
       {Binding{"other_table", "01HX", "ciphertext", 3}, Binding{"vault_versions", "01HY", "ciphertext", 3},
        Binding{"vault_versions", "01HX", "other", 3}, Binding{"vault_versions", "01HX", "ciphertext", 2},
        Binding{"vault_versions", "01HX", "ciphertext", 3ULL << 32},
                               // The same characters, divided otherwise.
        Binding{"vault_version", "s01HX", "ciphertext", 3}, Binding{"vault_versions01HX", "", "ciphertext", 3}}) {
    EXPECT_TRUE(opened(record, other).starts_with("error: ")) << other.table << other.row << other.column;
  }
  EXPECT_EQ(opened(record, place_), "bound");
}

TEST_F(SealedRecordTest, SwappedRowsDoNotOpen) {
  const Binding second{"vault_versions", "01HZ", "ciphertext", 3};
  const SealedRecord one = sealed("first");
  const SealedRecord two = seal_record(keys_, "second", second, random_).value();
  EXPECT_TRUE(opened(two, place_).starts_with("error: "));
  EXPECT_TRUE(opened(one, second).starts_with("error: "));
  EXPECT_TRUE(opened({one.wrapped_key, two.ciphertext}, place_).starts_with("error: "));
  EXPECT_TRUE(opened({two.wrapped_key, one.ciphertext}, place_).starts_with("error: "));
}

TEST_F(SealedRecordTest, RefusesEveryCut) {
  const SealedRecord good = sealed("to be cut");
  for (std::size_t size = 0; size < good.ciphertext.size(); ++size) {
    EXPECT_TRUE(opened({good.wrapped_key, good.ciphertext.substr(0, size)}, place_).starts_with("error: ")) << size;
  }
  for (std::size_t size = 0; size < good.wrapped_key.size(); ++size) {
    EXPECT_TRUE(opened({good.wrapped_key.substr(0, size), good.ciphertext}, place_).starts_with("error: ")) << size;
  }
}

TEST_F(SealedRecordTest, NamesItsAlgorithmsAndRefusesOthers) {
  const SealedRecord good = sealed("agile");
  EXPECT_TRUE(good.ciphertext.starts_with("sps1.A256GCM."));
  EXPECT_TRUE(good.wrapped_key.starts_with("spw1.HKDF-SHA256+A256GCM.1."));
  SealedRecord other = good;
  other.ciphertext.replace(0, 12, "sps1.A256CBC");
  EXPECT_EQ(opened(other, place_), "error: a sealed value has an unknown form or algorithm");
  other = good;
  other.wrapped_key.replace(0, 4, "spw2");
  EXPECT_EQ(opened(other, place_), "error: a wrapped key has an unknown form or algorithm");
  other = good;
  other.wrapped_key.insert(25, "0");  // "01" is another spelling of 1
  EXPECT_EQ(opened(other, place_), "error: a wrapped key has an unknown form or algorithm");
}

TEST_F(SealedRecordTest, AnotherHomeDoesNotOpenIt) {
  const SealedRecord record = sealed("ours");
  EXPECT_FALSE(open_record(store_of("another home"), record, place_).has_value());
}

TEST_F(SealedRecordTest, ARetiredKeyOpensUntilItIsGoneAndRewrappedRecordsOutliveIt) {
  WrappingKeySet set{key_of(1, random_)};
  keys_.wrapping().replace(set);
  const SealedRecord old = sealed("kept");
  set.front().retired_at = WallTime(std::chrono::seconds(1));
  set.push_back(key_of(2, random_));
  keys_.wrapping().replace(set);
  EXPECT_EQ(opened(old, place_), "kept");
  EXPECT_TRUE(keys_.needs_rewrap(old.wrapped_key));
  const SealedRecord fresh{rewrap_record(keys_, old.wrapped_key, place_, random_).value(), old.ciphertext};
  EXPECT_FALSE(keys_.needs_rewrap(fresh.wrapped_key));
  EXPECT_EQ(keys_.wrapping_key(), 2U);
  set.erase(set.begin());
  keys_.wrapping().replace(set);
  EXPECT_EQ(opened(fresh, place_), "kept");
  EXPECT_EQ(opened(old, place_), "error: a wrapped key names a key-encryption key that is not there");
}

TEST_F(SealedRecordTest, RewrapsNothingThatWasMoved) {
  const SealedRecord record = sealed("bound");
  const Binding other{"vault_versions", "01HY", "ciphertext", 3};
  EXPECT_FALSE(rewrap_record(keys_, record.wrapped_key, other, random_).has_value());
}

TEST_F(SealedRecordTest, SealedNothingOpens) {
  const SealedRecord record = sealed("shut");
  keys_.wrapping().replace({});
  EXPECT_EQ(keys_.wrapping_key(), 0U);
  EXPECT_NE(opened(record, place_).find("the vault is sealed"), std::string::npos);
  EXPECT_FALSE(seal_record(keys_, "new", place_, random_).has_value());
}

}  // namespace
}  // namespace sallyport::crypto
