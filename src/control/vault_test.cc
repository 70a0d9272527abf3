#include "control/vault.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/vault_test_support.h"
#include "control/wrapped_rows.h"

namespace sallyport::control {
namespace {

using testing::key_store_of;
using testing::MemoryVault;

class OfTheVault : public ::testing::Test {
 protected:
  OfTheVault() {
    EXPECT_TRUE(vault_.load({.secrets = 5, .per_owner = 2, .versions = 3}));
    vault_.on_changed(
        [this](const VaultName& where, bool gone) { changed_.push_back(where.name + (gone ? " gone" : "")); });
  }
  Result<VaultSecret> put(const std::string& name, const std::string& value, const std::string& owner = "") {
    VaultPut order;
    order.where = {owner, name};
    order.value = Secret(value);
    order.author = "user:1";
    return vault_.put(std::move(order));
  }
  std::string shown(const VaultName& where, std::optional<std::uint32_t> version = {}) {
    auto value = vault_.reveal(where, version);
    return value ? std::string(value->value.reveal()) : "error " + std::string(info(value.error().code).name);
  }
  void seal() { keys_.wrapping().replace({}); }

  crypto::KeyStore keys_ = key_store_of("vault tests");
  SystemRandom random_;
  FakeClock clock_;
  MemoryVault store_;
  Vault vault_{store_, keys_, random_, clock_};
  std::vector<std::string> changed_;
};

// S2-10
TEST_F(OfTheVault, KeepsVersionsAndRollsBack) {
  EXPECT_EQ(put("mail", "one")->current, 1U);
  EXPECT_EQ(put("mail", "two")->current, 2U);
  EXPECT_EQ(shown({"", "mail"}), "two");
  EXPECT_EQ(shown({"", "mail"}, 1), "one");
  EXPECT_EQ(vault_.roll_back({"", "mail"}, 1)->current, 1U);
  EXPECT_EQ(shown({"", "mail"}), "one");
  EXPECT_EQ(put("mail", "three")->current, 3U) << "no number is given twice";
  EXPECT_EQ(changed_, (std::vector<std::string>{"mail", "mail", "mail", "mail"}));
}

// S2-40
TEST_F(OfTheVault, StoresNothingInTheClear) {
  ASSERT_TRUE(put("mail", "correct horse battery"));
  for (const auto& [where, row] : store_.rows) {
    EXPECT_EQ((row.wrapped_key + row.ciphertext).find("horse"), std::string::npos);
  }
}

// S2-13: each version has a key of its own, bound to its place.
TEST_F(OfTheVault, AMovedCiphertextDoesNotOpen) {
  const auto one = put("one", "1")->id;
  const auto two = put("two", "2")->id;
  ASSERT_TRUE(put("one", "1b"));
  const auto first = store_.rows[{one, 1}], second = store_.rows[{one, 2}];
  EXPECT_NE(first.wrapped_key, second.wrapped_key);
  store_.rows[{one, 2}] = first;
  EXPECT_EQ(shown({"", "one"}), "error crypto");
  store_.rows[{two, 1}] = first;
  EXPECT_EQ(shown({"", "two"}), "error crypto");
}

TEST_F(OfTheVault, DestroysTheOldestBeyondThoseThatAreKept) {
  for (const char* value : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(put("mail", value));
  EXPECT_EQ(vault_.find({"", "mail"})->versions.size(), 3U);
  EXPECT_EQ(store_.rows.size(), 3U);
  EXPECT_EQ(shown({"", "mail"}, 2), "error not_found");
  ASSERT_TRUE(vault_.roll_back({"", "mail"}, 3));
  ASSERT_TRUE(put("mail", "6"));
  EXPECT_EQ(shown({"", "mail"}, 4), "4");
}

TEST_F(OfTheVault, TheVersionInForceIsNotDestroyed) {
  ASSERT_TRUE(put("mail", "1"));
  ASSERT_TRUE(put("mail", "2"));
  EXPECT_EQ(vault_.destroy({"", "mail"}, 2).error().code, Code::conflict);
  EXPECT_TRUE(vault_.destroy({"", "mail"}, 1));
  EXPECT_EQ(shown({"", "mail"}, 1), "error gone");
  EXPECT_EQ(vault_.roll_back({"", "mail"}, 1).error().code, Code::gone);
}

TEST_F(OfTheVault, AnExpiredOneIsNotUsed) {
  VaultPut order;
  order.where = {"", "mail"};
  order.value = Secret("1");
  order.expires_at = clock_.wall() + std::chrono::seconds(10);
  ASSERT_TRUE(vault_.put(std::move(order)));
  EXPECT_TRUE(vault_.use({"", "mail"}, {}));
  clock_.advance(std::chrono::seconds(10));
  const auto refused = vault_.use({"", "mail"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "secret mail has expired");
}

TEST_F(OfTheVault, SealedItGivesNothing) {
  ASSERT_TRUE(put("mail", "1"));
  seal();
  EXPECT_TRUE(vault_.sealed());
  EXPECT_EQ(shown({"", "mail"}), "error conflict");
  EXPECT_EQ(vault_.use({"", "mail"}, {}).error().code, Code::conflict);
  EXPECT_EQ(put("mail", "2").error().code, Code::conflict);
  EXPECT_EQ(vault_.find({"", "mail"})->current, 1U) << "a refused one changes nothing";
  keys_.wrapping().replace(*key_store_of("vault tests").wrapping().current());
  EXPECT_EQ(shown({"", "mail"}), "1");
}

TEST_F(OfTheVault, HoldsItsLimits) {
  EXPECT_EQ(put("a", "").error().code, Code::validation);
  EXPECT_EQ(put("a", std::string(kVaultValueBytesMax + 1, 'x')).error().code, Code::validation);
  EXPECT_TRUE(put("a", std::string(kVaultValueBytesMax, 'x')));
  EXPECT_TRUE(put("own", "1", "user:2"));
  EXPECT_TRUE(put("own2", "1", "user:2"));
  EXPECT_EQ(put("own3", "1", "user:2").error().code, Code::conflict);
  EXPECT_TRUE(put("b", "1"));
  EXPECT_TRUE(put("c", "1"));
  EXPECT_EQ(put("d", "1").error().code, Code::conflict) << "five in all";
  EXPECT_TRUE(put("c", "2")) << "one that is there";
}

// An envelope is used up by a put that nothing else refuses: all of it is asked first.
TEST_F(OfTheVault, SaysBeforeTheValueIsKnownWhatItWouldRefuse) {
  const auto refused = [this](VaultPut order) {
    const auto draft = vault_.drafted(order, true);
    return draft ? "" : std::string(info(draft.error().code).name);
  };
  EXPECT_EQ(refused({.where = {"", "a"}}), "");
  EXPECT_EQ(refused({.where = {"", "A"}}), "validation_error");
  EXPECT_EQ(refused({.where = {"", "a"}, .labels = std::vector<std::string>(17, "l")}), "validation_error");
  EXPECT_EQ(refused({.where = {"", "a"}, .description = "two\nlines"}), "validation_error");
  EXPECT_EQ(refused({.where = {"", "a"}, .value = Secret(std::string())}), "validation_error");
  ASSERT_TRUE(put("own", "1", "user:2"));
  ASSERT_TRUE(put("own2", "1", "user:2"));
  EXPECT_EQ(refused({.where = {"user:2", "own3"}}), "conflict") << "no room";
  seal();
  EXPECT_EQ(refused({.where = {"", "a"}}), "conflict");
  EXPECT_EQ(vault_.size(), 2U) << "nothing was stored";
}

TEST_F(OfTheVault, TakesNoOddNames) {
  const std::string_view names[] = {"",   "A",  "a b", "../a",     "a..b", "a//b", "/a",
                                    "a/", "-a", "a\n", "\xC3\xA4", "a}b",  "a@1",  "principal/x"};
  for (const std::string_view name : names) EXPECT_FALSE(check_vault_name(name)) << name;
  for (const std::string_view name : {"a", "team/github-token", "x.y_z-1/2"})
    EXPECT_TRUE(check_vault_name(name)) << name;
  EXPECT_FALSE(check_vault_name(std::string(129, 'a')));
}

TEST_F(OfTheVault, AFailedWriteChangesNothing) {
  ASSERT_TRUE(put("mail", "1"));
  store_.fails = true;
  EXPECT_EQ(put("mail", "2").error().code, Code::storage);
  EXPECT_EQ(vault_.find({"", "mail"})->versions.size(), 1U);
  EXPECT_EQ(shown({"", "mail"}), "1");
}

// The new value is in force and told, whatever becomes of the oldest; that one goes later.
TEST_F(OfTheVault, AnOldVersionThatStaysIsDestroyedLater) {
  for (const char* value : {"1", "2", "3"}) ASSERT_TRUE(put("mail", value));
  store_.erases_nothing = true;
  changed_.clear();
  EXPECT_EQ(put("mail", "4")->current, 4U);
  EXPECT_EQ(shown({"", "mail"}), "4");
  EXPECT_EQ(changed_, (std::vector<std::string>{"mail"}));
  EXPECT_EQ(vault_.erase_rest().error().code, Code::storage);
  EXPECT_EQ(store_.rows.size(), 4U);
  store_.erases_nothing = false;
  EXPECT_TRUE(vault_.erase_rest().value());
  EXPECT_EQ(store_.rows.size(), 3U);
  EXPECT_EQ(shown({"", "mail"}, 1), "error not_found");
  store_.log_read = true;
  EXPECT_FALSE(vault_.erase_rest().value());
}

TEST_F(OfTheVault, ASecretIsDeletedBeforeItsOldVersionIs) {
  for (const char* value : {"1", "2", "3"}) ASSERT_TRUE(put("mail", value));
  store_.erases_nothing = true;
  ASSERT_TRUE(put("mail", "4"));
  ASSERT_TRUE(vault_.remove({"", "mail"}));
  EXPECT_TRUE(vault_.erase_rest().value());
  EXPECT_EQ(changed_.back(), "mail gone");
}

TEST_F(OfTheVault, ADeletedNameBeginsAnew) {
  const auto first = put("mail", "1")->id;
  ASSERT_TRUE(vault_.remove({"", "mail"}));
  EXPECT_EQ(shown({"", "mail"}), "error not_found");
  EXPECT_TRUE(store_.rows.empty());
  EXPECT_NE(put("mail", "2")->id, first);
  EXPECT_EQ(changed_, (std::vector<std::string>{"mail", "mail gone", "mail"}));
}

TEST_F(OfTheVault, WhatBelongsToWhoIsGoneGoes) {
  ASSERT_TRUE(put("own", "1", "user:2"));
  ASSERT_TRUE(put("own", "1", "user:3"));
  ASSERT_TRUE(put("own", "1"));
  EXPECT_EQ(vault_.remove_of_gone([](std::string_view owner) { return owner == "user:3"; }).value(), 1U);
  EXPECT_EQ(vault_.list({}).size(), 2U);
}

TEST_F(OfTheVault, UsesAreCountedAndWrittenBehind) {
  ASSERT_TRUE(put("mail", "1"));
  EXPECT_TRUE(vault_.use({"", "mail"}, {}) && vault_.use({"", "mail"}, 1));
  EXPECT_TRUE(store_.touched.empty());
  ASSERT_TRUE(vault_.write_uses());
  ASSERT_TRUE(vault_.write_uses());
  ASSERT_EQ(store_.touched.size(), 1U);
  EXPECT_EQ(store_.touched[0].count, 2U);
}

// S2-11: a new key-encryption key, a few rows at a time.
TEST_F(OfTheVault, IsRewrappedInSteps) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(put(name, name));
  auto set = *keys_.wrapping().current();
  set.back().retired_at = clock_.wall();
  set.push_back({set.back().id + 1,
                 clock_.wall(),
                 {},
                 std::make_shared<const crypto::LockedKey>(crypto::LockedKey::random(random_))});
  keys_.wrapping().replace(set);
  Vault::Position at;
  int steps = 0;
  for (auto next = vault_.rewrap(at, 2).value(); next; next = vault_.rewrap(at, 2).value(), ++steps) at = *next;
  EXPECT_EQ(steps, 2);
  keys_.wrapping().replace({set.back()});  // the old one is gone
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(shown({"", name}), name);
}

// S2-11: one row that is damaged keeps no other from being wrapped anew; it is named, it stays, and so does the key it may need.
TEST_F(OfTheVault, IsRewrappedPastWhatIsDamaged) {
  for (const char* name : {"a", "b", "c", "d"}) ASSERT_TRUE(put(name, name));
  std::vector<std::string> ids;
  for (const char* name : {"a", "b", "c", "d"}) ids.push_back(vault_.find({"", name})->id);
  auto set = *keys_.wrapping().current();
  const std::uint32_t old = set.back().id;
  set.back().retired_at = clock_.wall();
  set.push_back(
      {old + 1, clock_.wall(), {}, std::make_shared<const crypto::LockedKey>(crypto::LockedKey::random(random_))});
  keys_.wrapping().replace(set);
  std::string& flipped = store_.rows[{ids[1], 1}].wrapped_key;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  store_.rows[{ids[2], 1}].wrapped_key = "no wrapped key at all";
  const auto before = store_.rows;
  WrappedRows rows = rows_of(vault_, 2);
  rows.begin();
  for (bool more = true; more;) more = rows.step().value();
  EXPECT_EQ((store_.rows[{ids[1], 1}].wrapped_key), (before.at({ids[1], 1}).wrapped_key));
  EXPECT_EQ((store_.rows[{ids[2], 1}].wrapped_key), "no wrapped key at all");
  ASSERT_EQ(vault_.damaged().size(), 2U);
  for (const VaultDamage& one : vault_.damaged()) {
    const std::vector<std::uint32_t> wanted = one.name == "b" ? std::vector{old} : std::vector{old, old + 1};
    EXPECT_EQ(one.keys, wanted) << one.name;
  }
  EXPECT_EQ(rows.damaged().size(), 2U);
  const auto needed = rows.in_use().value();
  EXPECT_NE(std::ranges::find(needed, old), needed.end());
  flipped.back() = static_cast<char>(flipped.back() ^ 1);  // mended, by hand or from a backup
  ASSERT_TRUE(vault_.remove({"", "c"}));
  rows.begin();
  for (bool more = true; more;) more = rows.step().value();
  EXPECT_TRUE(rows.damaged().empty() && rows.in_use()->empty());
  keys_.wrapping().replace({set.back()});  // the old one is gone
  for (const char* name : {"a", "b", "d"}) EXPECT_EQ(shown({"", name}), name);
}

}  // namespace
}  // namespace sallyport::control
