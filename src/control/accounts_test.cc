#include "control/accounts.h"

#include <gtest/gtest.h>

#include "control/accounts_test_support.h"

namespace sallyport::control {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::kNow;
using testing::kPassword;

constexpr std::string_view kNewPassword = "Another-horse-battery-8";

class AccountsTest : public ::testing::Test, protected testing::World {};

// S0-1, S1-9, C2: 30 minutes, and `expires_in` tells the truth.
TEST_F(AccountsTest, ALoginGivesATokenThatVerifies_S0_1_S1_9_C2) {
  const auto answer = login(kPassword);
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->token_type, "bearer");
  EXPECT_EQ(answer->expires_in, seconds(1800));
  const auto claims = tokens.verify(testing::ring().get(), answer->access_token, kNow);
  ASSERT_TRUE(claims.has_value()) << claims.error().detail;
  EXPECT_EQ(claims->user_id, store.user().id);
  EXPECT_EQ(claims->roles, store.user().roles);
  EXPECT_TRUE(tokens.verify(testing::ring().get(), answer->access_token, kNow + answer->expires_in - microseconds(1))
                  .has_value());
  EXPECT_FALSE(tokens.verify(testing::ring().get(), answer->access_token, kNow + answer->expires_in).has_value());
}

TEST_F(AccountsTest, ExpiresInIsTheLifeThatTheTokenNames_S1_9) {
  const WallTime now = kNow + microseconds(900'000);
  const auto answer = login(kPassword, "admin-alice", now).value();
  EXPECT_EQ(answer.expires_in, seconds(1800));
  EXPECT_TRUE(
      tokens.verify(testing::ring().get(), answer.access_token, now + answer.expires_in - seconds(1)).has_value());
}

// The password was reset while the clock was three hours ahead; now it is right.
TEST_F(AccountsTest, ALoginAfterTheClockWasSetBackGivesATokenThatIsGood) {
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + std::chrono::hours(3);
  store.put(user);
  ASSERT_TRUE(login(kPassword).has_value());
  EXPECT_EQ(store.user().tokens_valid_from, kNow);
  EXPECT_EQ(store.saves, 1);
  ASSERT_TRUE(login(kPassword, "admin-alice", kNow + seconds(1)).has_value());
  EXPECT_EQ(store.saves, 1) << "nothing to mend";
}

TEST_F(AccountsTest, ALoginAfterTheClockWasSetBackRevivesNoSession) {
  const std::string ended = login(kPassword, "admin-alice", kNow + std::chrono::hours(1))->session;
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + std::chrono::hours(3);
  store.put(user);
  const std::string fresh = login(kPassword)->session;
  EXPECT_EQ(published->find(ended), nullptr);
  EXPECT_NE(published->find(fresh), nullptr);
}

// Tokens carry microseconds, and Identity holds them to tokens_valid_from.
TEST_F(AccountsTest, ATokenOfAClockThatWasSetBackIsNotOlderThanTokensValidFrom) {
  const WallTime now = kNow + microseconds(123'456);
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + std::chrono::hours(3) + microseconds(7);
  store.put(user);
  const auto answer = login(kPassword, "admin-alice", now);
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->clock_set_back);
  const auto claims = tokens.verify(testing::ring().get(), answer->access_token, now);
  ASSERT_TRUE(claims.has_value()) << claims.error().detail;
  EXPECT_EQ(claims->issued_at, now);
  EXPECT_GE(claims->issued_at, store.user().tokens_valid_from);
  EXPECT_FALSE(login(kPassword, "admin-alice", now)->clock_set_back);
}

// The login waited four seconds for its turn, and an admin ended the tokens meanwhile. The clock is right.
TEST_F(AccountsTest, ALoginThatWaitedTakesNoEndingBack_S1_10) {
  asio::io_context io;
  std::string answered;
  asio::co_spawn(io.get_executor(),
                 accounts.login("admin-alice", Secret(std::string(kPassword)), ClientMark{"192.0.2.1", {}}, kNow),
                 [&](const std::exception_ptr&, const Result<TokenAnswer>& done) { answered = done.error().detail; });
  const WallTime ended = kNow + seconds(3);
  asio::post(io, [&] {  // after the login has begun, and before its password is verified
    UserRecord user = store.user();
    user.tokens_valid_from = ended;
    store.put(user);
    clock.advance(seconds(4));
  });
  io.run();
  EXPECT_EQ(answered, "login.changed_meanwhile");
  EXPECT_EQ(store.user().tokens_valid_from, ended);
  EXPECT_EQ(store.saves, 0);
  EXPECT_TRUE(published->by_id.empty());
}

// Its request came a second before the ending, and the record was read after it.
TEST_F(AccountsTest, ALoginOfAMomentBeforeAnEndingIsNoSignOfAClockSetBack) {
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + seconds(2);
  store.put(user);
  EXPECT_EQ(login(kPassword).error().detail, "login.changed_meanwhile");
  EXPECT_EQ(store.user().tokens_valid_from, kNow + seconds(2));
  clock.advance(seconds(60));
  user.tokens_valid_from = kNow + seconds(59);
  store.put(user);
  EXPECT_EQ(login(kPassword).error().detail, "login.changed_meanwhile") << "however long it waited";
  EXPECT_EQ(store.saves, 0);
}

TEST_F(AccountsTest, WhoWasEndedWhileItWasHashedChangesNoPassword) {
  asio::io_context io;
  Code answered = Code::internal;
  asio::co_spawn(io.get_executor(),
                 accounts.change_password(principal(), Secret(std::string(kPassword)),
                                          Secret(std::string(kNewPassword)), "192.0.2.1", kNow),
                 [&](const std::exception_ptr&, const Result<void>& done) { answered = done.error().code; });
  asio::post(io, [&] {  // after the change has begun, and before its first hash is answered
    UserRecord user = store.user();
    user.tokens_valid_from = kNow + std::chrono::hours(48);
    store.put(user);
  });
  io.run();
  EXPECT_EQ(answered, Code::unauthenticated);
  EXPECT_EQ(store.saves, 0);
}

TEST_F(AccountsTest, ATokenCarriesItsSession_S1_9) {
  const auto answer = login(kPassword).value();
  EXPECT_EQ(tokens.verify(testing::ring().get(), answer.access_token, kNow)->session_id, answer.session);
  EXPECT_TRUE(published->by_id.contains(answer.session));
  EXPECT_FALSE(tokens.verify(testing::ring().get(), answer.refresh_token.reveal(), kNow).has_value())
      << "no refresh token is an access token";
}

TEST_F(AccountsTest, ARefreshAnswersAsALoginDoes_S1_9) {
  const auto first = login(kPassword).value();
  const auto second = refresh(first.refresh_token.reveal()).value();
  EXPECT_EQ(second.expires_in, seconds(1800));
  EXPECT_EQ(second.session, first.session);
  EXPECT_NE(tokens.verify(testing::ring().get(), second.access_token, kNow)->id,
            tokens.verify(testing::ring().get(), first.access_token, kNow)->id);
  EXPECT_FALSE(refresh(first.access_token).has_value());
}

TEST_F(AccountsTest, AnAccessTokenNeverOutlivesItsSession) {
  const WallTime late = kNow + std::chrono::minutes(40);
  SessionRules rules;
  rules.lifetime = std::chrono::minutes(50);
  desk.load({}, rules);
  const auto first = login(kPassword).value();
  EXPECT_EQ(refresh(first.refresh_token.reveal(), late)->expires_in, std::chrono::minutes(10));
}

TEST_F(AccountsTest, ADisabledUserRefreshesNothing) {
  const auto first = login(kPassword).value();
  UserRecord user = store.user();
  user.enabled = false;
  store.put(user);
  EXPECT_EQ(refresh(first.refresh_token.reveal()).error().code, Code::unauthenticated);
  EXPECT_TRUE(published->by_id.empty());
}

TEST_F(AccountsTest, OnlyAKeyItselfLogsInByKey_S1_12) {
  auto key = std::make_shared<Principal>();
  key->id = "key:abcdefghijkl";
  key->kind = PrincipalKind::key;
  key->session_id = "of a token minted before";
  EXPECT_EQ(await(accounts.login_by_key(key, {}, kNow)).error().code, Code::unauthenticated);
  EXPECT_EQ(await(accounts.login_by_key(principal(), {}, kNow)).error().code, Code::unauthenticated);
}

TEST_F(AccountsTest, TwoLoginsHaveTwoTokenIds) {
  const auto first = tokens.verify(testing::ring().get(), login(kPassword)->access_token, kNow);
  const auto second = tokens.verify(testing::ring().get(), login(kPassword)->access_token, kNow);
  EXPECT_NE(first->id, second->id);
}

TEST_F(AccountsTest, SaysThatThePasswordMustBeChanged) {
  UserRecord user = store.user();
  user.must_change_password = true;
  store.put(user);
  EXPECT_TRUE(login(kPassword)->must_change_password);
}

TEST_F(AccountsTest, AWeakHashIsReplacedAtLogin) {
  UserRecord user = store.user();
  user.password_hash = crypto::hash_password(kPassword, {.passes = 1, .memory_bytes = 8U << 10}).value();
  store.put(user);
  ASSERT_TRUE(login(kPassword).has_value());
  EXPECT_EQ(store.saves, 1);
  EXPECT_FALSE(crypto::needs_rehash(store.user().password_hash));
  EXPECT_TRUE(login(kPassword).has_value());
  EXPECT_EQ(store.saves, 1);
}

// S1-10.
TEST_F(AccountsTest, ChangingThePasswordEndsOlderTokensAndTheDuty_S1_10) {
  UserRecord user = store.user();
  user.must_change_password = true;
  store.put(user);
  const WallTime later = kNow + microseconds(5);
  ASSERT_TRUE(change(kPassword, kNewPassword, later).has_value());
  EXPECT_FALSE(store.user().must_change_password);
  EXPECT_EQ(store.user().tokens_valid_from, later);
  EXPECT_FALSE(login(kPassword, "admin-alice", later).has_value());
  EXPECT_TRUE(login(kNewPassword, "admin-alice", later).has_value());
}

TEST_F(AccountsTest, AChangeEndsTheSessionsThatThereAreThen_S1_10) {
  ASSERT_TRUE(login(kPassword, "admin-alice", kNow + std::chrono::seconds(1))
                  .has_value());  // opened while the change was hashing
  ASSERT_TRUE(change(kPassword, kNewPassword, kNow).has_value());
  EXPECT_TRUE(published->by_id.empty());
}

TEST_F(AccountsTest, StrangersWhoFailDoNotKeepTheOwnerFromAChange_S2_39) {
  ASSERT_TRUE(login(kPassword).has_value());
  for (int i = 0; i < 8; ++i) {
    (void)login("Wrong-Password-1", "admin-alice", kNow, "198.51.100." + std::to_string(i));
  }
  ASSERT_EQ(login(kPassword, "admin-alice", kNow, "198.51.100.9").error().code, Code::rate_limited);
  EXPECT_TRUE(change(kPassword, kNewPassword).has_value());
}

TEST_F(AccountsTest, AChangeWantsTheOldPassword) {
  EXPECT_EQ(change("not-it", kNewPassword).error().code, Code::access_denied);
  EXPECT_EQ(store.saves, 0);
}

TEST_F(AccountsTest, AChangeWantsAPasswordByTheRules_S2_35) {
  EXPECT_EQ(change(kPassword, "short").error().code, Code::validation);
  EXPECT_EQ(change(kPassword, kPassword).error().code, Code::validation);
  UserRecord bob;
  bob.name = "bob";
  EXPECT_EQ(await(accounts.hash_new_password(bob, Secret("admin"))).error().code, Code::validation);
  EXPECT_TRUE(await(accounts.hash_new_password(bob, Secret(std::string(kNewPassword)))).has_value());
}

TEST_F(AccountsTest, TheLastFivePasswordsDoNotComeAgain_S2_37) {
  std::string current(kPassword);
  const auto next = [](int i) { return "Vkcdqfgzij-" + std::to_string(i); };
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(change(current, next(i)).has_value()) << i;
    current = next(i);
    EXPECT_EQ(change(current, kPassword).error().code, Code::validation) << i;
    EXPECT_EQ(await(accounts.hash_new_password(store.user(), Secret(std::string(kPassword)))).error().code,
              Code::validation);
  }
  ASSERT_TRUE(change(current, next(5)).has_value());
  EXPECT_TRUE(change(next(5), kPassword).has_value()) << "five others lie between";
}

TEST_F(AccountsTest, APasswordPastItsAgeOpensNothingButItsChange_S2_36) {
  const WallTime later = kNow + std::chrono::days(91);
  EXPECT_FALSE(login(kPassword)->must_change_password);
  EXPECT_TRUE(login(kPassword, "admin-alice", later)->must_change_password);
  EXPECT_TRUE(store.user().must_change_password) << "the record says so: its tokens are held to it";
  ASSERT_TRUE(change(kPassword, kNewPassword, later).has_value());
  EXPECT_FALSE(login(kNewPassword, "admin-alice", later)->must_change_password);
}

TEST_F(AccountsTest, ALoginWhoseDutyCannotBeStoredFails) {
  store.fails = true;
  EXPECT_EQ(login(kPassword, "admin-alice", kNow + std::chrono::days(91)).error().code, Code::storage);
}

TEST_F(AccountsTest, ProfileNistKnowsNoAge_C21) {
  Accounts nist(store, desk, tokens, pool, factors, random, clock, {.passwords = PasswordProfile::nist});
  const auto answer = await(nist.login("admin-alice", Secret(std::string(kPassword)), ClientMark{"192.0.2.1", {}},
                                       kNow + std::chrono::days(4'000)));
  EXPECT_FALSE(answer->must_change_password);
}

TEST_F(AccountsTest, AFailingStoreIsToldToTheCaller) {
  store.fails = true;
  EXPECT_EQ(change(kPassword, kNewPassword).error().code, Code::storage);
}

TEST_F(AccountsTest, OnlyAUserHasAPassword) {
  auto key = std::make_shared<Principal>(*principal());
  key->kind = PrincipalKind::key;
  const auto changed =
      await(accounts.change_password(key, Secret(std::string(kPassword)), Secret("x"), "192.0.2.1", kNow));
  EXPECT_EQ(changed.error().code, Code::access_denied);
}

}  // namespace
}  // namespace sallyport::control
