// Attacks on the login, by name.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>

#include "control/accounts_test_support.h"

namespace sallyport::control {
namespace {

using std::chrono::seconds;
using testing::kNow;
using testing::kPassword;

class AccountsAbuse : public ::testing::Test, protected testing::World {
 protected:
  // Processor time of the whole process for one login: the pool's thread included, waiting excluded.
  double cost(const std::string& name) {
    timespec before{};
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    (void)login("wrong", name, kNow, "192.0.2." + std::to_string(++address_));
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) +
           static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9;
  }
  int address_ = 0;
};

TEST_F(AccountsAbuse, UnknownDisabledAndWrongHaveOneAnswer) {
  const auto wrong = login("wrong");
  const auto unknown = login("wrong", "nobody");
  UserRecord user = store.user();
  user.enabled = false;
  store.put(user);
  const auto disabled = login(kPassword);
  EXPECT_EQ(wrong.error().code, Code::unauthenticated);
  EXPECT_EQ(unknown.error().code, wrong.error().code);
  EXPECT_EQ(disabled.error().code, wrong.error().code);
}

TEST_F(AccountsAbuse, AnUnknownNameCostsAsMuchAsAKnownOne) {
  double known = 1e9;
  double unknown = 1e9;
  for (int i = 0; i < 4; ++i) {
    known = std::min(known, cost("admin-alice"));
    unknown = std::min(unknown, cost("nobody"));
  }
  EXPECT_LT(std::max(known, unknown) / std::min(known, unknown), 1.5) << known << " s and " << unknown << " s";
}

TEST_F(AccountsAbuse, AdminAdminNeverWorks_C8) {
  EXPECT_FALSE(login("admin", "admin").has_value());
  UserRecord admin;
  admin.name = "admin";
  EXPECT_FALSE(await(accounts.hash_new_password(admin, Secret("admin"))).has_value());
}

TEST_F(AccountsAbuse, GuessingIsDelayed_S2_39) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(login("guess").error().code, Code::unauthenticated);
  const auto sixth = login(kPassword);
  ASSERT_FALSE(sixth.has_value());
  EXPECT_EQ(sixth.error().code, Code::rate_limited);
  EXPECT_TRUE(sixth.error().detail.starts_with("retry_after=1 ")) << sixth.error().detail;
  EXPECT_TRUE(login(kPassword, "admin-alice", kNow + seconds(1)).has_value());
}

// Sixteen at once, none of which knows yet that another failed; each from an address of its own, or all from the owner's.
TEST_F(AccountsAbuse, GuessesSideBySideCostWhatTheyCostOneByOne_S2_39) {
  PasswordPool wide({.threads = 1, .queued_max = 64});
  for (const bool trusted : {false, true}) {
    Accounts fresh(store, desk, tokens, wide, factors, random, clock);
    const auto start = [&](std::string_view password, int i) {
      return fresh.login("admin-alice", Secret(std::string(password)),
                         ClientMark{trusted ? "192.0.2.1" : "198.51.100." + std::to_string(i), {}}, kNow);
    };
    if (trusted) {
      ASSERT_TRUE(await(start(kPassword, 0)).has_value());
    }
    asio::io_context io;
    int wrong = 0;
    int told_to_wait = 0;
    for (int i = 0; i < 16; ++i) {
      asio::co_spawn(io.get_executor(), start("guess", i), [&](const std::exception_ptr&, Result<TokenAnswer> answer) {
        wrong += answer.error().code == Code::unauthenticated ? 1 : 0;
        told_to_wait += answer.error().detail.starts_with("retry_after=1 ") ? 1 : 0;
      });
    }
    io.run();
    EXPECT_EQ(wrong, 5) << trusted;
    EXPECT_EQ(told_to_wait, 11) << trusted;
  }
}

// The owner's logins, from new addresses too: what was right is no guess.
TEST_F(AccountsAbuse, RightPasswordsAreGivenBack_S2_39) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(login(kPassword, "admin-alice", kNow, "192.0.2.9").has_value()) << i;
}

// Whoever is refused since the queue is full was not looked at.
TEST_F(AccountsAbuse, AFullQueueCountsAgainstNobody_S2_39) {
  for (int i = 0; i < 4; ++i) (void)login("wrong");
  pool.stop();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(login(kPassword).error().detail, "password queue is full") << i;
}

TEST_F(AccountsAbuse, UnknownNamesAreDelayedLikeKnownOnes) {
  for (int i = 0; i < 5; ++i) (void)login("guess", "nobody");
  EXPECT_EQ(login("guess", "nobody").error().code, Code::rate_limited);
}

TEST_F(AccountsAbuse, AStolenTokenCannotGuessThePassword) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(change("guess", "Another-horse-battery-8").error().code, Code::access_denied);
  EXPECT_EQ(change(kPassword, "Another-horse-battery-8").error().code, Code::rate_limited);
}

TEST_F(AccountsAbuse, HugeNamesAndPasswords) {
  EXPECT_EQ(login("x", std::string(1'000'000, 'n')).error().code, Code::unauthenticated);
  EXPECT_EQ(login(std::string(1'000'000, 'p')).error().code, Code::unauthenticated);
  EXPECT_EQ(login("x", std::string("admin-alice\0x", 13)).error().code, Code::unauthenticated);
  EXPECT_EQ(login("", "").error().code, Code::unauthenticated);
}

// The store holds a hash that is none: an imported plain text must not log in by itself.
TEST_F(AccountsAbuse, APlainTextInTheStoreIsNoPassword) {
  for (const std::string& stored : {std::string(), std::string("admin"), std::string(kPassword)}) {
    UserRecord user = store.user();
    user.password_hash = stored;
    store.put(user);
    EXPECT_FALSE(login(stored, "admin-alice", kNow, "198.51.100." + std::to_string(stored.size())).has_value());
  }
}

}  // namespace
}  // namespace sallyport::control
