#include "control/token_keys.h"

#include <gtest/gtest.h>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control {
namespace {

using crypto::JwsAlgorithm;
using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kNow{std::chrono::seconds{1'790'000'000}};

crypto::KeyStore store_of(std::string_view name) {
  return crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256(name))))).value();
}

class KeysOfTokens : public ::testing::TestWithParam<JwsAlgorithm> {
 protected:
  [[nodiscard]] TokenKeys keys(TokenKeyRules rules) { return {store_, random_, rules}; }
  [[nodiscard]] TokenKeys keys() { return keys({.algorithm = GetParam()}); }
  [[nodiscard]] TokenKeySet first() { return keys().maintained({}, kNow).value().value(); }

  crypto::KeyStore store_ = store_of("token keys tests");
  SystemRandom random_;
};

TEST_P(KeysOfTokens, BeginWithOneThatSigns) {
  const TokenKeySet set = first();
  ASSERT_EQ(set.size(), 1U);
  EXPECT_EQ(keys().ring(set).value()->signer()->id, set[0].stored.id);
  EXPECT_FALSE(keys().maintained(set, kNow).value().has_value()) << "nothing is due";
}

TEST_P(KeysOfTokens, OpenWhatTheyStored) {
  const TokenKeySet set = keys().rotated(first(), kNow + hours(1), false).value();
  const TokenKeySet again = keys().open(rows_of(set)).value();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_TRUE(again[0].key->can_sign());
  EXPECT_TRUE(again[0].key->verify("x", set[0].key->sign("x").value()));
  EXPECT_EQ(again[1].stored.id, set[1].stored.id);
}

TEST_P(KeysOfTokens, KeepNoPrivateHalfOfARetiredKey) {
  if (GetParam() == JwsAlgorithm::hs256) GTEST_SKIP() << "a symmetric key has one half";
  const TokenKeySet set = keys().rotated(first(), kNow, false).value();
  EXPECT_FALSE(set[1].key->can_sign());
  EXPECT_FALSE(keys().open(rows_of(set)).value()[1].key->can_sign());
}

TEST_P(KeysOfTokens, RotateByAgeAndForgetWhenTheLastTokenHasExpired) {
  TokenKeySet set = first();
  EXPECT_FALSE(keys().maintained(set, kNow + hours(90 * 24) - minutes(1)).value().has_value());
  const WallTime turn = kNow + hours(90 * 24);
  set = keys().maintained(set, turn).value().value();
  ASSERT_EQ(set.size(), 2U);
  const std::string old = set[1].stored.id;
  const auto ring = keys().ring(set).value();
  EXPECT_NE(ring->signer()->id, old);
  EXPECT_GE(ring->keys()[1].verifies_until, turn + minutes(30)) << "a token of the last moment still lives";
  EXPECT_FALSE(keys().maintained(set, turn + minutes(30)).value().has_value());
  set = keys().maintained(set, turn + minutes(32)).value().value();
  ASSERT_EQ(set.size(), 1U);
  EXPECT_NE(set[0].stored.id, old);
}

TEST_P(KeysOfTokens, AreNoOlderAndNoYoungerForAClockThatWasAhead) {
  const WallTime ahead = kNow + hours(1000 * 24);
  TokenKeySet set = keys().rotated(keys().maintained({}, ahead).value().value(), ahead, false).value();
  set = keys().maintained(set, kNow).value().value();
  const auto ring = keys().ring(set).value();
  EXPECT_EQ(ring->signer()->rotates_at, kNow + hours(90 * 24));
  EXPECT_EQ(ring->keys()[1].verifies_until, kNow + minutes(31)) << "tokens of before the leap still live";
  EXPECT_FALSE(keys().maintained(set, kNow).value().has_value());
  EXPECT_EQ(keys().maintained(set, kNow + minutes(31)).value().value().size(), 1U);
}

TEST_P(KeysOfTokens, RevokeWhatCameBefore) {
  const TokenKeySet set = keys().rotated(first(), kNow, true).value();
  const auto ring = keys().ring(set).value();
  EXPECT_TRUE(ring->revoked(set[1].stored.id));
  EXPECT_LE(ring->keys()[1].verifies_until, kNow);
  EXPECT_FALSE(ring->revoked(set[0].stored.id));
}

TEST_P(KeysOfTokens, RefuseARowOfAnotherMasterKeyOrPlace) {
  const TokenKeySet set = first();
  const crypto::KeyStore other = store_of("another home");
  EXPECT_EQ(TokenKeys(other, random_, {}).open(rows_of(set)).error().code, Code::crypto);
  auto rows = rows_of(set);
  rows[0].id = "another-id";
  EXPECT_EQ(keys().open(rows).error().code, Code::crypto);
  rows = rows_of(set);
  rows[0].algorithm = rows[0].algorithm == "HS256" ? "ES256" : "HS256";
  const auto confused = keys().open(rows);
  ASSERT_FALSE(confused.has_value());
  EXPECT_NE(confused.error().detail.find("fix:"), std::string::npos);
}

TEST_P(KeysOfTokens, StoreNothingInTheClear) {
  const TokenKeySet set = first();
  const auto secret = set[0].key->private_bytes().value();
  const auto stored = base64url_decode(set[0].stored.sealed).value();
  EXPECT_EQ(as_text(stored).find(secret.reveal()), std::string_view::npos);
  EXPECT_EQ(set[0].stored.sealed.find(base64url_encode(as_bytes(secret.reveal()))), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, KeysOfTokens,
                         ::testing::Values(JwsAlgorithm::hs256, JwsAlgorithm::es256, JwsAlgorithm::eddsa),
                         [](const auto& info) { return std::string(crypto::name_of(info.param)); });

class TokenKeyRulesTest : public ::testing::Test {
 protected:
  crypto::KeyStore store_ = store_of("token keys tests");
  SystemRandom random_;
};

TEST_F(TokenKeyRulesTest, AnotherAlgorithmIsAnotherSignerWithOverlap) {
  const TokenKeys before(store_, random_, {.algorithm = JwsAlgorithm::es256});
  const TokenKeys after(store_, random_, {.algorithm = JwsAlgorithm::eddsa});
  const TokenKeySet set = after.maintained(before.maintained({}, kNow).value().value(), kNow).value().value();
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set[0].stored.algorithm, "EdDSA");
  EXPECT_GT(after.ring(set).value()->keys()[1].verifies_until, kNow + minutes(29));
}

// S0-3: the operator's secret signs, is never rotated, and what was ours before retires.
TEST_F(TokenKeyRulesTest, TheOperatorsSecretIsTheirs) {
  const TokenKeys before(store_, random_, {});
  const TokenKeys theirs(store_, random_, {.operator_secret = true});
  const TokenKeySet set = theirs.maintained(before.maintained({}, kNow).value().value(), kNow).value().value();
  EXPECT_TRUE(set.at(0).stored.retired_at.has_value());
  EXPECT_EQ(theirs.ring(set).value()->signer()->id, "");
  EXPECT_EQ(theirs.rotated(set, kNow, false).error().code, Code::conflict);
  EXPECT_FALSE(theirs.maintained(set, kNow + minutes(1)).value().has_value());
}

TEST_F(TokenKeyRulesTest, ALongerTokenLifeAfterARestartIsCovered) {
  const TokenKeys before(store_, random_, {});
  const TokenKeys after(store_, random_, {.token_lifetime = hours(24)});
  TokenKeySet set = after.maintained(before.maintained({}, kNow).value().value(), kNow).value().value();
  set = after.rotated(set, kNow, false).value();
  EXPECT_GE(after.ring(set).value()->keys()[1].verifies_until, kNow + hours(24));
}

}  // namespace
}  // namespace sallyport::control
