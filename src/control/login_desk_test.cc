#include "control/login_desk.h"

#include <gtest/gtest.h>

#include "control/accounts_test_support.h"

namespace sallyport::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::kNow;

const std::string kOwner = "user:00112233aabbccdd";
const ClientMark kClient{"192.0.2.1", "agent/1"};

class LoginDeskTest : public ::testing::Test, protected testing::World {
 protected:
  OpenSession open(const std::string& owner = kOwner, WallTime now = kNow) {
    return await(desk.open(owner, kClient, now)).value();
  }
  Result<OpenSession> renew(std::string_view token, WallTime now = kNow, ClientMark client = kClient) {
    return await(desk.renew(Secret(std::string(token)), std::move(client), now, principals));
  }
  std::string refusal(std::string_view token, WallTime now = kNow, ClientMark client = kClient) {
    const auto renewed = renew(token, now, std::move(client));
    if (renewed) return "";
    EXPECT_EQ(renewed.error().code, Code::unauthenticated);
    const bool told = !token.empty() && renewed.error().detail.find(token) != std::string::npos;
    EXPECT_FALSE(told) << "a secret in the detail";
    return renewed.error().detail.substr(0, renewed.error().detail.find(' '));
  }
  [[nodiscard]] bool lives(const OpenSession& opened) const { return published->by_id.contains(opened.session->id); }
  std::shared_ptr<const Principals> principals = std::make_shared<const Principals>();
  Result<void> sweep(WallTime now) { return await(desk.sweep(*store.snapshot()->principals, now)); }
};

TEST_F(LoginDeskTest, AnOpenedSessionIsKnownToTheWorkersAndStored) {
  const auto opened = open();
  ASSERT_TRUE(lives(opened));
  EXPECT_EQ(published->ended, 0U);
  EXPECT_EQ(published->by_id.at(opened.session->id)->owner, kOwner);
  ASSERT_EQ(kept.hashes.size(), 1U);
  // Hashed at rest, and no part of the token stands in the hash.
  EXPECT_EQ(kept.hashes.begin()->second.size(), 64U);
  EXPECT_EQ(opened.refresh_token.reveal().find(kept.hashes.begin()->second), std::string::npos);
}

TEST_F(LoginDeskTest, AStoreThatFailsOpensNothing) {
  kept.fails = true;
  EXPECT_EQ(await(desk.open(kOwner, kClient, kNow)).error().code, Code::storage);
  EXPECT_TRUE(published->by_id.empty());
}

TEST_F(LoginDeskTest, ARefreshTokenIsExchangedOnce_S1_9) {
  const auto opened = open();
  const auto second = renew(opened.refresh_token.reveal()).value();
  EXPECT_EQ(second.session->id, opened.session->id);
  EXPECT_NE(second.refresh_token.reveal(), opened.refresh_token.reveal());
  EXPECT_TRUE(renew(second.refresh_token.reveal()).has_value());
}

// RFC 9700 4.14.2.
TEST_F(LoginDeskTest, AUsedRefreshTokenEndsItsFamily) {
  const auto opened = open();
  const auto other = open();
  const auto second = renew(opened.refresh_token.reveal()).value();
  EXPECT_EQ(refusal(opened.refresh_token.reveal()), "refresh.reused");
  EXPECT_FALSE(lives(opened));
  EXPECT_EQ(published->ended, 1U);
  EXPECT_EQ(refusal(second.refresh_token.reveal()), "refresh.session_ended");
  EXPECT_FALSE(kept.hashes.contains(opened.session->id));
  EXPECT_TRUE(lives(other)) << "another login of the same user is another family";
}

// Who knows a session's id (it stands in each access token) must not be able to end it by a made-up refresh token.
TEST_F(LoginDeskTest, AForgedTokenEndsNothing) {
  const auto opened = open();
  const std::string good(opened.refresh_token.reveal());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(refusal(bad), "refresh.unknown") << i;
  }
  for (const std::string& bad : {std::string(), good.substr(1), good + "x", std::string(1'000'000, 'a')}) {
    EXPECT_EQ(refusal(bad), "refresh.unknown");
  }
  EXPECT_EQ(refusal(good), "");
}

TEST_F(LoginDeskTest, ParallelExchangesOfOneTokenYieldOne) {
  const std::string token(open().refresh_token.reveal());
  asio::io_context io;
  int good = 0;
  for (int i = 0; i < 8; ++i) {
    asio::co_spawn(io.get_executor(), desk.renew(Secret(token), kClient, kNow, principals),
                   [&good](const std::exception_ptr&, const Result<OpenSession>& renewed) { good += renewed ? 1 : 0; });
  }
  io.run();
  EXPECT_EQ(good, 1);
}

TEST_F(LoginDeskTest, AStoreThatFailsExchangesNothing) {
  const auto opened = open();
  kept.fails = true;
  EXPECT_EQ(renew(opened.refresh_token.reveal()).error().code, Code::storage);
  kept.fails = false;
  EXPECT_TRUE(renew(opened.refresh_token.reveal()).has_value());
}

TEST_F(LoginDeskTest, ASessionEndsEvenWhereTheStoreFails) {
  const auto opened = open();
  kept.fails = true;
  EXPECT_EQ(await(desk.end({opened.session->id})).error().code, Code::storage);
  EXPECT_FALSE(lives(opened));
}

// S2-3: 60 minutes idle, 12 hours in all.
TEST_F(LoginDeskTest, IdleAndOldSessionsAreOver_S2_3) {
  const auto idle = open();
  EXPECT_EQ(refusal(idle.refresh_token.reveal(), kNow + minutes(60)), "refresh.session_over");
  auto busy = open();
  WallTime now = kNow;
  for (; now + minutes(50) < kNow + hours(12); now += minutes(50)) {
    busy = renew(busy.refresh_token.reveal(), now).value();
  }
  EXPECT_EQ(refusal(busy.refresh_token.reveal(), kNow + hours(12)), "refresh.session_over");
  EXPECT_TRUE(published->by_id.empty());
}

TEST_F(LoginDeskTest, TheSixthSessionEndsTheOldest) {
  std::vector<OpenSession> opened;
  for (int i = 0; i < 6; ++i) opened.push_back(open(kOwner, kNow + seconds(i)));
  EXPECT_FALSE(lives(opened[0]));
  for (std::size_t i = 1; i < 6; ++i) EXPECT_TRUE(lives(opened[i])) << i;
  (void)open("user:another", kNow + seconds(9));
  EXPECT_TRUE(lives(opened[1])) << "each user has five";
}

TEST_F(LoginDeskTest, AKeyMayServeMoreProcessesThanAPerson) {
  for (int i = 0; i < 101; ++i) (void)open("key:abcdefghijkl", kNow + seconds(i));
  EXPECT_EQ(published->by_id.size(), 100U);
}

TEST_F(LoginDeskTest, EndingAllOfOneOwnerLeavesTheOthers) {
  (void)open();
  (void)open();
  const auto other = open("user:another");
  EXPECT_EQ(await(desk.end_all_of(kOwner)).value(), 2U);
  EXPECT_EQ(published->by_id.size(), 1U);
  EXPECT_TRUE(lives(other));
}

TEST_F(LoginDeskTest, ASweepEndsWhatIsOverOrHasLostItsOwner) {
  const auto good = open();
  const auto orphan = open("user:deleted");
  const auto of_key = open("key:deleted");
  ASSERT_TRUE(sweep(kNow + minutes(1)).has_value());
  EXPECT_TRUE(lives(good));
  EXPECT_FALSE(lives(orphan));
  EXPECT_FALSE(lives(of_key));
  ASSERT_TRUE(sweep(kNow + minutes(61)).has_value());
  EXPECT_FALSE(lives(good));
}

TEST_F(LoginDeskTest, ALogoutOfEverywhereReachesOlderSessions) {
  const auto opened = open();
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + seconds(1);
  store.put(user);
  ASSERT_TRUE(sweep(kNow + seconds(2)).has_value());
  EXPECT_FALSE(lives(opened));
}

// A call must not cost a transaction: only what was used since the last sweep is written, once.
TEST_F(LoginDeskTest, TheLastUseIsWrittenBehind) {
  const auto opened = open();
  (void)open();
  ASSERT_TRUE(sweep(kNow).has_value());
  EXPECT_EQ(kept.touched, 0U);
  for (int i = 0; i < 1000; ++i) opened.session->touch(kNow + seconds(2));
  ASSERT_TRUE(sweep(kNow + seconds(5)).has_value());
  ASSERT_TRUE(sweep(kNow + seconds(10)).has_value());
  EXPECT_EQ(kept.touched, 1U);
}

TEST_F(LoginDeskTest, ABoundSessionIsNotRenewedFromElsewhere) {
  SessionRules rules;
  rules.binding = SessionBinding::both;
  desk.load({}, rules);
  const auto opened = open();
  EXPECT_EQ(refusal(opened.refresh_token.reveal(), kNow, {"192.0.2.9", "agent/1"}), "refresh.other_client");
  EXPECT_EQ(refusal(opened.refresh_token.reveal(), kNow, {"192.0.2.1", "agent/2"}), "refresh.other_client");
  EXPECT_EQ(refusal(opened.refresh_token.reveal()), "") << "and the stranger has not spent it";
}

TEST_F(LoginDeskTest, StoredSessionsGoOnAfterARestart) {
  const auto opened = open();
  LoginDesk restarted(kept, keys, random, [](auto) -> Task<Result<void>> { co_return Result<void>(); });
  restarted.load({{opened.session, kept.hashes[opened.session->id]}}, {});
  EXPECT_TRUE(await(restarted.renew(opened.refresh_token.clone(), kClient, kNow, principals)).has_value());
}

TEST_F(LoginDeskTest, ALongUserAgentIsCut) {
  const auto opened = await(desk.open(kOwner, {"192.0.2.1", std::string(9000, 'a')}, kNow)).value();
  EXPECT_EQ(opened.session->client.user_agent.size(), LoginSession::kUserAgentMax);
}

}  // namespace
}  // namespace sallyport::control
