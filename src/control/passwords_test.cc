#include "control/passwords.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "control/accounts_test_support.h"

namespace sallyport::control {
namespace {

using testing::kPassword;

TEST(PasswordPool, HashesAndVerifies) {
  PasswordPool pool;
  const std::string hash = await(pool.hash(Secret(std::string(kPassword)))).value();
  EXPECT_TRUE(await(pool.verify(hash, Secret(std::string(kPassword)))).value());
  EXPECT_FALSE(await(pool.verify(hash, Secret("wrong"))).value());
}

TEST(PasswordPool, AnUnknownUserNeverVerifies) {
  PasswordPool pool;
  EXPECT_FALSE(await(pool.verify("", Secret("anything"))).value());
  EXPECT_FALSE(await(pool.verify("", Secret(""))).value());
}

Task<Result<bool>> on_own_thread(PasswordPool& pool, std::thread::id& resumed) {
  auto right = co_await pool.verify(testing::stored_hash(), Secret(std::string(kPassword)));
  resumed = std::this_thread::get_id();
  co_return right;
}

TEST(PasswordPool, ResumesTheCallerOnItsOwnExecutor) {
  PasswordPool pool;
  std::thread::id resumed;
  EXPECT_TRUE(await(on_own_thread(pool, resumed)).value());
  EXPECT_EQ(resumed, std::this_thread::get_id());
}

// Twenty at once: one is worked on, four wait, the rest are told at once.
TEST(PasswordPool, AFullQueueSaysSo) {
  PasswordPool pool({.threads = 1, .queued_max = 4});
  asio::io_context io;
  int done = 0;
  int full = 0;
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(io.get_executor(), pool.verify("", Secret("x")), [&](const std::exception_ptr&, Result<bool> right) {
      if (right) ++done;
      if (!right && right.error().code == Code::rate_limited) ++full;
    });
  }
  io.run();
  EXPECT_GE(done, 4);
  EXPECT_LE(done, 6);
  EXPECT_EQ(done + full, 20);
}

// One pool thread, verifications that are put in at once, and what became of each.
class PasswordTurns : public ::testing::Test {
 protected:
  void put(const std::string& who, PasswordTurn turn) {
    asio::co_spawn(io_.get_executor(), pool_.verify("", Secret("x"), std::move(turn)),
                   [this, who](const std::exception_ptr&, Result<bool> right) {
                     if (right) done_.push_back(who);
                     if (!right && right.error().code == Code::rate_limited) refused_.push_back(who);
                   });
  }
  PasswordPool pool_{{.threads = 1, .queued_max = 4}};
  asio::io_context io_;
  std::vector<std::string> done_;
  std::vector<std::string> refused_;
};

// Forty strangers of forty addresses fill their own queue; whoever is known is heard, and first.
TEST_F(PasswordTurns, AFloodOfStrangersDelaysTheKnownByOneVerification_S2_39) {
  for (int i = 0; i < 40; ++i) put("stranger", {.stranger = true, .address = "192.0.2." + std::to_string(i)});
  put("admin", {});
  io_.run();
  const auto admin = std::ranges::find(done_, "admin");
  ASSERT_NE(admin, done_.end()) << "refused, though its queue was empty";
  EXPECT_GT(done_.end() - admin, 1) << "strangers went first";
  EXPECT_GE(refused_.size(), 30U);
}

TEST_F(PasswordTurns, AnAddressOfStrangersHasOneJobWaiting) {
  for (int i = 0; i < 4; ++i) put("known", {});  // go first, so that strangers wait
  for (int i = 0; i < 3; ++i) put("many", {.stranger = true, .address = "2001:db8::" + std::to_string(i)});
  put("other", {.stranger = true, .address = "192.0.2.2"});
  io_.run();
  EXPECT_EQ(std::ranges::count(done_, "many"), 1);
  EXPECT_EQ(std::ranges::count(done_, "other"), 1);
  EXPECT_EQ(std::ranges::count(refused_, "many"), 2);
}

// An insider with many addresses, each trusted, beside another user and an admin who sets somebody's password.
TEST_F(PasswordTurns, AnAccountHasAShareOfTheQueueOfTheKnown_S2_39) {
  PasswordPool wide({.threads = 1, .queued_max = 16});
  std::string refused;
  const auto start = [&](char who, PasswordTurn turn) {
    asio::co_spawn(io_.get_executor(), wide.verify("", Secret("x"), std::move(turn)),
                   [&refused, who](const std::exception_ptr&, const Result<bool>& right) {
                     if (!right) refused += who;
                   });
  };
  for (int i = 0; i < 30; ++i) start('i', {.account = "insider"});
  for (int i = 0; i < 5; ++i) start('u', {.account = "user"});
  for (int i = 0; i < 5; ++i) start('a', {});
  io_.run();
  EXPECT_GE(refused.size(), 10U);
  EXPECT_EQ(refused, std::string(refused.size(), 'i'));
}

TEST(PasswordPool, StoppingAnswersWhatIsQueued) {
  PasswordPool pool({.threads = 1, .queued_max = 16});
  asio::io_context io;
  int answered = 0;
  int draining = 0;
  for (int i = 0; i < 8; ++i) {
    asio::co_spawn(io.get_executor(), pool.verify("", Secret("x")), [&](const std::exception_ptr&, Result<bool> right) {
      ++answered;
      if (!right && right.error().code == Code::draining) ++draining;
    });
  }
  io.poll();
  pool.stop();
  pool.stop();
  io.run();
  EXPECT_EQ(answered, 8);
  EXPECT_GE(draining, 6);
  EXPECT_EQ(await(pool.verify("", Secret("x"))).error().code, Code::rate_limited);
}

}  // namespace
}  // namespace sallyport::control
