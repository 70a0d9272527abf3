#include "control/one_time_reveals.h"

#include <gtest/gtest.h>

#include "control/vault_test_support.h"
#include "engines/rbac/rbac.h"

namespace sallyport::control {
namespace {

using testing::key_store_of;
using testing::MemoryVault;

class OneTimeLinks : public ::testing::Test {
 protected:
  OneTimeLinks() {
    EXPECT_TRUE(vault_.load({}));
    ada_.id = "00112233aabbccdd";
    ada_.roles = {"admin"};
    key_.id = "abcdefabcdef";
    key_.owner_user_id = ada_.id;
    key_.permissions.add(Permission::vault_read);
  }
  Result<VaultSecret> put(const std::string& name, const std::string& value, const std::string& owner = "") {
    VaultPut order;
    order.where = {owner, name};
    order.value = Secret(value);
    order.author = "user:1";
    return vault_.put(std::move(order));
  }
  [[nodiscard]] bool may_read(std::string_view principal, const VaultName& where) const {
    Snapshot newest;
    auto principals = std::make_shared<Principals>();
    if (exists_) principals->users[ada_.id] = std::make_shared<const UserRecord>(ada_);
    if (exists_) principals->keys[key_.id] = std::make_shared<const KeyRecord>(key_);
    newest.principals = std::move(principals);
    newest.roles = std::make_shared<const Roles>(rbac::builtin_roles());
    return may_read_still(newest, principal, where, clock_.wall());
  }
  Result<OneTimeReveal> offered(const std::string& author, const VaultName& where = {"", "mail"}) {
    return once_.make(where, {}, std::chrono::seconds(60), author);
  }
  Code taken(const Result<OneTimeReveal>& made) {
    const auto shown = once_.take(made->token);
    return shown ? kShown : shown.error().code;
  }

  static constexpr Code kShown = Code::internal;  // none of those that a refusal has
  crypto::KeyStore keys_ = key_store_of("one-time links");
  SystemRandom random_;
  FakeClock clock_;
  MemoryVault store_;
  Vault vault_{store_, keys_, random_, clock_};
  UserRecord ada_;
  KeyRecord key_;
  bool exists_ = true;
  OneTimeReveals once_{vault_, random_, clock_, [this](std::string_view principal, const VaultName& where) {
                         return principal == "user:1" || may_read(principal, where);
                       }};
};

TEST_F(OneTimeLinks, AOneTimeTokenShowsOnce) {
  ASSERT_TRUE(put("mail", "1"));
  const auto made = once_.make({"", "mail"}, {}, std::chrono::seconds(60), "user:1").value();
  EXPECT_FALSE(once_.take("guess"));
  EXPECT_EQ(once_.take(made.token)->value.value.reveal(), "1");
  EXPECT_EQ(once_.take(made.token).error().code, Code::not_found);
  const auto late = once_.make({"", "mail"}, {}, std::chrono::seconds(60), "user:1").value();
  clock_.advance(std::chrono::seconds(60));
  EXPECT_EQ(once_.take(late.token).error().code, Code::not_found);
}

TEST_F(OneTimeLinks, AOneTimeTokenIsNotForALaterSecretOfThatName) {
  ASSERT_TRUE(put("mail", "1"));
  const auto made = once_.make({"", "mail"}, {}, std::chrono::seconds(60), "user:1").value();
  ASSERT_TRUE(vault_.remove({"", "mail"}));
  ASSERT_TRUE(put("mail", "another"));
  EXPECT_EQ(once_.take(made.token).error().code, Code::not_found);
}

// A link is worth what its author may when it is used, not when it was made.
TEST_F(OneTimeLinks, EndWithTheRightsOfTheirAuthor) {
  ASSERT_TRUE(put("mail", "1"));
  const std::string ada = "user:" + ada_.id, key = "key:" + key_.id;
  EXPECT_EQ(taken(offered(ada)), kShown);
  EXPECT_EQ(taken(offered(key)), kShown);
  const auto by_ada = offered(ada), by_key = offered(key), local = offered("local:0");
  exists_ = false;
  EXPECT_EQ(taken(by_ada), Code::not_found);
  EXPECT_EQ(taken(by_key), Code::not_found);
  EXPECT_EQ(taken(local), kShown);
  exists_ = true;
  EXPECT_EQ(taken(by_ada), Code::not_found) << "it is used up";
}

TEST_F(OneTimeLinks, EndWhereTheirAuthorIsDisabledOrMayReadNoMore) {
  ASSERT_TRUE(put("mail", "1"));
  const std::string ada = "user:" + ada_.id, key = "key:" + key_.id;
  const auto disabled = offered(ada), of_its_key = offered(key);
  ada_.enabled = false;
  EXPECT_EQ(taken(disabled), Code::not_found);
  EXPECT_EQ(taken(of_its_key), Code::not_found);
  ada_.enabled = true;
  const auto demoted = offered(ada), off = offered(key), weaker = offered(key), expired = offered(key);
  ada_.roles = {"user"};
  EXPECT_EQ(taken(demoted), Code::not_found);
  key_.enabled = false;
  EXPECT_EQ(taken(off), Code::not_found);
  key_.enabled = true;
  key_.expires_at = clock_.wall();
  EXPECT_EQ(taken(expired), Code::not_found);
  key_.expires_at.reset();
  key_.permissions = {};
  EXPECT_EQ(taken(weaker), Code::not_found);
}

TEST_F(OneTimeLinks, OnesOwnSecretNeedsNoPermission) {
  const std::string ada = "user:" + ada_.id;
  ada_.roles = {"user"};
  ASSERT_TRUE(put("mail", "1", ada));
  ASSERT_TRUE(put("mail", "1", "user:2"));
  EXPECT_EQ(taken(offered(ada, {ada, "mail"})), kShown);
  EXPECT_EQ(taken(offered(ada, {"user:2", "mail"})), Code::not_found);
}

TEST_F(OneTimeLinks, FiftyOfAnAuthorAreOpenAtMost) {
  ASSERT_TRUE(put("mail", "1"));
  const std::string ada = "user:" + ada_.id;
  for (std::size_t i = 0; i < OneTimeReveals::kMostOfOne; ++i) ASSERT_TRUE(offered(ada)) << i;
  EXPECT_EQ(offered(ada).error().code, Code::conflict);
  EXPECT_EQ(taken(offered("user:1")), kShown) << "that is nobody else's limit";
  clock_.advance(std::chrono::seconds(60));
  EXPECT_TRUE(offered(ada)) << "they have run out";
}

}  // namespace
}  // namespace sallyport::control
