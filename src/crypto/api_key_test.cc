#include "crypto/api_key.h"

#include <gtest/gtest.h>

#include <set>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/known_secrets.h"

namespace sallyport::crypto {
namespace {

std::shared_ptr<const HashKeys> store(char salt) {
  return HashKeys::first_of(
      KeyStore::from_master(Secret(std::string(as_text(sha256(std::string("api key test ") + salt))))).value());
}

std::string with_checksum(std::string body) {
  const Digest digest = sha256(body);
  return body + base64url_encode(std::span(digest).first(5)).substr(0, 6);
}

class ApiKeys : public ::testing::Test {
 protected:
  SystemRandom random_;
  std::shared_ptr<const HashKeys> keys_ = store('a');
  NewApiKey made_ = make_api_key(*keys_, random_);
  std::string text_{made_.key.reveal()};
};

TEST_F(ApiKeys, HaveThePromisedForm_S1_14) {
  EXPECT_EQ(text_.size(), kApiKeyBytes);
  EXPECT_TRUE(text_.starts_with("mcp_"));
  EXPECT_EQ(api_key_id(text_), made_.id);
  EXPECT_EQ(made_.id, text_.substr(4, 12));
  EXPECT_EQ(with_checksum(text_.substr(0, 47)), text_) << "a scanner computes the checksum without us";
}

TEST_F(ApiKeys, MatchTheirStoredHashOnly_C9) {
  EXPECT_TRUE(keys_->matches(text_, made_.hash));
  EXPECT_EQ(made_.hash.find(text_.substr(4, 43)), std::string::npos);
  EXPECT_FALSE(keys_->matches(text_, make_api_key(*keys_, random_).hash));
  EXPECT_FALSE(store('b')->matches(text_, made_.hash)) << "a stolen database is of no use without the key file";
  EXPECT_FALSE(keys_->matches(text_, ""));
  EXPECT_FALSE(keys_->matches(text_, made_.hash.substr(0, 63)));
  EXPECT_FALSE(keys_->matches(text_, hex_encode(sha256(text_)))) << "a plain hash must not do";
}

TEST_F(ApiKeys, NeverRepeatAndNeverStartTheIdWithADash) {
  std::set<std::string> ids;
  for (int i = 0; i < 2'000; ++i) {
    const NewApiKey key = make_api_key(*keys_, random_);
    ASSERT_TRUE(api_key_id(key.key.reveal()).has_value());
    EXPECT_NE(key.id.front(), '-');
    ids.insert(key.id);
  }
  EXPECT_EQ(ids.size(), 2'000U);
}

TEST_F(ApiKeys, KeepTheirIdWhenTheyAreRenewed) {
  const NewApiKey fresh = renew_api_key(*keys_, random_, made_.id);
  const std::string text(fresh.key.reveal());
  EXPECT_EQ(fresh.id, made_.id);
  EXPECT_EQ(api_key_id(text), made_.id);
  EXPECT_NE(text, text_);
  EXPECT_TRUE(keys_->matches(text, fresh.hash));
  EXPECT_FALSE(keys_->matches(text, made_.hash));
  EXPECT_FALSE(keys_->matches(text_, fresh.hash));
}

TEST_F(ApiKeys, WithAnyOtherCharacterAreNotLookedUp) {
  for (std::size_t at = 0; at < text_.size(); ++at) {
    for (const char c : {'A', 'B', '.', ' ', '\0', '=', '\n', '\x80'}) {
      std::string changed = text_;
      if (changed[at] == c) continue;
      changed[at] = c;
      EXPECT_FALSE(api_key_id(changed).has_value()) << at;
    }
  }
}

TEST_F(ApiKeys, OfAnotherLengthAreNotLookedUp) {
  EXPECT_FALSE(api_key_id("").has_value());
  EXPECT_FALSE(api_key_id("mcp_").has_value());
  EXPECT_FALSE(api_key_id(text_ + "A").has_value());
  EXPECT_FALSE(api_key_id(" " + text_).has_value());
  EXPECT_FALSE(api_key_id(text_.substr(0, 47)).has_value()) << "43 characters without checksum";
}

// C8, S1-7: the key of the public guide is dead for ever, in its own form and dressed up with a right checksum.
TEST_F(ApiKeys, ThePublishedKeyIsRefusedForEver_C8) {
  EXPECT_FALSE(api_key_id(kPublishedApiKey).has_value());
  EXPECT_FALSE(api_key_id(with_checksum(std::string(kPublishedApiKey))).has_value());
  EXPECT_EQ(kPublishedApiKey, "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak");
}

}  // namespace
}  // namespace sallyport::crypto
