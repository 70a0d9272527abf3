#include "control/second_factor.h"

#include <gtest/gtest.h>

#include "control/accounts_test_support.h"
#include "crypto/one_time_code.h"

namespace sallyport::control {
namespace {

using std::chrono::seconds;
using testing::kNow;
using testing::kPassword;

constexpr std::string_view kAddress = "192.0.2.1";

class SecondFactorTest : public ::testing::Test, protected testing::World {
 protected:
  // What an app does with the typed secret.
  static std::string unbase32(std::string_view text) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    std::uint32_t buffer = 0;
    unsigned bits = 0;
    for (const char c : text) {
      buffer = buffer << 5U | static_cast<std::uint32_t>(kAlphabet.find(c));
      bits += 5;
      if (bits >= 8) out += static_cast<char>(buffer >> (bits -= 8) & 255U);
    }
    return out;
  }
  std::string code(int steps = 0, WallTime now = kNow) const {
    return crypto::one_time_code(secret_, crypto::one_time_step(now) + static_cast<std::uint64_t>(steps));
  }
  void enroll() { secret_ = unbase32(await(factors.enroll(store.user().id))->secret.reveal()); }
  Result<RecoveryCodes> confirm(std::string_view given, WallTime now = kNow) {
    return await(factors.confirm(store.user().id, Secret(std::string(given)), now));
  }
  RecoveryCodes set_up() {
    enroll();
    return confirm(code(-1)).value();
  }
  Result<void> check(std::string_view given, WallTime now = kNow, std::string_view address = kAddress) {
    return await(factors.check(store.user().id, Secret(std::string(given)), std::string(address), now));
  }

  std::string secret_;
};

TEST_F(SecondFactorTest, IsInForceOnceACodeWasShown_S3_23) {
  enroll();
  EXPECT_FALSE(store.user().second_factor.confirmed);
  EXPECT_EQ(check(code()).error().code, Code::conflict);
  EXPECT_EQ(confirm("000000").error().code, Code::validation);
  EXPECT_EQ(confirm(code())->size(), 10U);
  EXPECT_TRUE(store.user().second_factor.confirmed);
  EXPECT_EQ(confirm(code()).error().code, Code::conflict);
  EXPECT_EQ(await(factors.enroll(store.user().id)).error().code, Code::conflict);
}

TEST_F(SecondFactorTest, TheSecretIsSealedForItsUser) {
  enroll();
  const auto sealed = store.user().second_factor.sealed_secret;
  EXPECT_EQ(base64url_decode(sealed)->size(), 12U + 20U + 16U);
  UserRecord other = store.user();
  other.id = "ffeeddccbbaa0011";
  store.put(other);
  EXPECT_EQ(confirm(code()).error().code, Code::crypto) << "another user's record does not open it";
}

TEST_F(SecondFactorTest, TheUriIsWhatAppsRead) {
  UserRecord user = store.user();
  user.name = "ann & bob";
  store.put(user);
  const auto made = await(factors.enroll(user.id));
  EXPECT_EQ(made->uri.reveal(),
            "otpauth://totp/Sallyport:ann%20%26%20bob?secret=" + std::string(made->secret.reveal()) +
                "&issuer=Sallyport&algorithm=SHA1&digits=6&period=30");
}

TEST_F(SecondFactorTest, ACodeIsGoodOnceAndThoseBeforeItAreNot) {
  set_up();
  EXPECT_EQ(check(code(-1)).error().code, Code::unauthenticated) << "confirming used it up";
  EXPECT_TRUE(check(code(1)));
  for (const int steps : {-1, 0, 1}) EXPECT_EQ(check(code(steps)).error().code, Code::unauthenticated) << steps;
  EXPECT_TRUE(check(code(0, kNow + seconds(60)), kNow + seconds(60)));
}

// A login while the clock was an hour ahead; now it is right: the owner gets in at once, and that code is no code when its
// time comes.
TEST_F(SecondFactorTest, AClockThatIsSetBackLocksNobodyOutAndMakesNoCodeGoodAgain) {
  set_up();
  const WallTime ahead = kNow + std::chrono::hours(1);
  EXPECT_TRUE(check(code(0, ahead), ahead));
  EXPECT_TRUE(check(code()));
  EXPECT_FALSE(check(code())) << "once";
  for (WallTime now = kNow + seconds(60); now <= ahead + seconds(30); now += seconds(30)) {
    const bool good = check(code(0, now), now).has_value();
    // The codes around the one that was used, as around every other: for a minute and a half at most.
    EXPECT_EQ(good, now < ahead - seconds(30) || now > ahead) << (ahead - now).count();
  }
}

// More codes ahead than are remembered one by one: all before the oldest of these are used up.
TEST_F(SecondFactorTest, ManyCodesUsedAheadAreNotTakenAgain) {
  const RecoveryCodes codes = set_up();
  SecondFactors patient(store, keys, random, {.lockout = {.account_free = 1000, .address_free = 1000}});
  const auto taken = [&](int i) {
    const WallTime now = kNow + std::chrono::hours(1) + seconds(30 * i);
    return await(patient.check(store.user().id, Secret(code(0, now)), std::string(kAddress), now));
  };
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(taken(i)) << i;
  EXPECT_EQ(store.user().second_factor.used_later.size(), 32U);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(taken(i).error().code, Code::unauthenticated) << i;
  EXPECT_EQ(check(code()).error().code, Code::unauthenticated) << "before those that are forgotten";
  EXPECT_TRUE(check(codes[0])) << "a recovery code gets in";
}

TEST_F(SecondFactorTest, AStepUpEndsWithTheClockSetBack) {
  factors.mark("a session", kNow);
  EXPECT_TRUE(factors.recent("a session", kNow - seconds(1))) << "a request that came a little earlier";
  EXPECT_FALSE(factors.recent("a session", kNow - seconds(60)));
}

TEST_F(SecondFactorTest, ARecoveryCodeIsGoodOnceHoweverItIsTyped) {
  const RecoveryCodes codes = set_up();
  std::string typed = codes[3];
  std::erase(typed, '-');
  for (char& c : typed) c = static_cast<char>(std::tolower(c));
  EXPECT_TRUE(check(typed));
  EXPECT_EQ(check(codes[3]).error().code, Code::unauthenticated);
  EXPECT_TRUE(check(codes[4]));
  EXPECT_EQ(store.user().second_factor.recovery.size(), 8U);
  for (const auto& hash : store.user().second_factor.recovery) EXPECT_EQ(hash.find(codes[0]), std::string::npos);
}

TEST_F(SecondFactorTest, NewRecoveryCodesEndTheOldOnes) {
  const RecoveryCodes old = set_up();
  const RecoveryCodes fresh = await(factors.renew_recovery_codes(store.user().id)).value();
  EXPECT_EQ(check(old[0]).error().code, Code::unauthenticated);
  EXPECT_TRUE(check(fresh[0]));
}

TEST_F(SecondFactorTest, WhatCannotBeStoredIsNotTaken) {
  set_up();
  store.fails = true;
  EXPECT_EQ(check(code()).error().code, Code::storage);
}

TEST_F(SecondFactorTest, GuessingMeetsGrowingDelays) {
  set_up();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(check("000000").error().code, Code::unauthenticated);
  EXPECT_EQ(check(code()).error().code, Code::rate_limited) << "the right code waits as well";
  EXPECT_EQ(check(code(), kNow, "198.51.100.9").error().code, Code::rate_limited) << "from every strange address";
  EXPECT_TRUE(check(code(0, kNow + seconds(2)), kNow + seconds(2)));
}

TEST_F(SecondFactorTest, ItsOwnerMayNotDisableWhatTheRoleRequires) {
  set_up();
  UserRecord user = store.user();
  user.roles = {"auditor"};
  store.put(user);
  EXPECT_EQ(await(factors.disable(user.id)).error().code, Code::conflict);
  EXPECT_TRUE(await(factors.reset(user.id, kNow)));
  EXPECT_EQ(store.user().second_factor, SecondFactor{});
  EXPECT_EQ(store.user().tokens_valid_from, kNow);
}

TEST_F(SecondFactorTest, AShortPasswordMustChangeWhereItLeanedOnTheFactor_C21) {
  SecondFactors nist(store, keys, random, {.password_leans_on_it = true});
  set_up();
  EXPECT_TRUE(await(nist.disable(store.user().id)));
  EXPECT_TRUE(store.user().must_change_password);
}

TEST_F(SecondFactorTest, ALoginTakesTwoSteps) {
  set_up();
  const auto half = login(kPassword);
  ASSERT_TRUE(half.has_value());
  EXPECT_TRUE(half->access_token.empty());
  const auto second = [&](const std::string& step, const std::string& given, WallTime now = kNow) {
    return await(accounts.login_second_step(step, Secret(given), ClientMark{std::string(kAddress), {}}, now));
  };
  EXPECT_EQ(second(half->second_step_token, "000000").error().code, Code::unauthenticated);
  const auto whole = second(half->second_step_token, code());
  ASSERT_TRUE(whole.has_value()) << whole.error().detail;
  EXPECT_TRUE(tokens.verify(testing::ring().get(), whole->access_token, kNow).has_value());
  EXPECT_TRUE(factors.recent(whole->session, kNow + seconds(599)));
  EXPECT_FALSE(factors.recent(whole->session, kNow + seconds(600)));
  EXPECT_FALSE(factors.recent("another", kNow));
  EXPECT_EQ(second(half->second_step_token, code()).error().code, Code::unauthenticated) << "the code is used up";
}

// Tokens had been ended while the clock was three hours ahead; now it is right.
TEST_F(SecondFactorTest, BothStepsGoWellAfterTheClockWasSetBack) {
  set_up();
  UserRecord user = store.user();
  user.tokens_valid_from = kNow + std::chrono::hours(3) + std::chrono::microseconds(7);
  store.put(user);
  const WallTime now = kNow + std::chrono::microseconds(123'456);
  const auto half = login(kPassword, "admin-alice", now);
  EXPECT_TRUE(half->clock_set_back);
  const auto whole =
      await(accounts.login_second_step(half->second_step_token, Secret(code()), {std::string(kAddress), {}}, now));
  ASSERT_TRUE(whole.has_value()) << whole.error().detail;
  EXPECT_EQ(store.user().tokens_valid_from, now);
  const auto claims = tokens.verify(testing::ring().get(), whole->access_token, now);
  ASSERT_TRUE(claims.has_value()) << claims.error().detail;
  EXPECT_GE(claims->issued_at, store.user().tokens_valid_from) << "as Identity holds it";
}

TEST_F(SecondFactorTest, AFirstStepLeadsToOneLogin) {
  const RecoveryCodes codes = set_up();
  const std::string step = login(kPassword)->second_step_token;
  const auto second = [&](const std::string& given) {
    return await(accounts.login_second_step(step, Secret(given), ClientMark{std::string(kAddress), {}}, kNow));
  };
  ASSERT_TRUE(second(codes[0]).has_value());
  EXPECT_EQ(second(codes[1]).error().detail, "login.second_step_used");
}

TEST_F(SecondFactorTest, ABetterHashDoesNotVoidTheFirstStep) {
  set_up();
  UserRecord user = store.user();
  user.password_hash = crypto::hash_password(kPassword, {.passes = 1, .memory_bytes = 8U << 10}).value();
  store.put(user);
  const auto half = login(kPassword);
  ASSERT_TRUE(half.has_value());
  EXPECT_FALSE(crypto::needs_rehash(store.user().password_hash));
  EXPECT_TRUE(factors.open_second_step(half->second_step_token, kNow).has_value());
}

TEST_F(SecondFactorTest, ConfirmingEndsWhatThePasswordAloneOpened_S3_23) {
  const std::string thief = login(kPassword)->session;
  const std::string own = login(kPassword)->session;
  enroll();
  ASSERT_TRUE(await(accounts.confirm_factor(store.user().id, Secret(code()), own, kNow)).has_value());
  EXPECT_FALSE(published->by_id.contains(thief));
  EXPECT_TRUE(published->by_id.contains(own));
}

TEST_F(SecondFactorTest, TheFirstStepDiesWithTimeWithThePasswordAndWithTheUser) {
  set_up();
  const std::string step = login(kPassword)->second_step_token;
  EXPECT_TRUE(factors.open_second_step(step, kNow + seconds(299)));
  EXPECT_EQ(factors.open_second_step(step, kNow + seconds(300)).error().detail, "login.second_step_late");
  for (const std::string& bad :
       {std::string(), step.substr(1), step + "A", std::string(600, 'A'), std::string("!!!")}) {
    EXPECT_EQ(factors.open_second_step(bad, kNow).error().code, Code::unauthenticated);
  }
  UserRecord user = store.user();
  user.enabled = false;
  store.put(user);
  EXPECT_FALSE(factors.open_second_step(step, kNow));
  user.enabled = true;
  user.password_hash += "x";
  store.put(user);
  EXPECT_EQ(factors.open_second_step(step, kNow).error().detail, "login.second_step_void");
}

TEST_F(SecondFactorTest, ARoleThatRequiresOneOpensNothingElse) {
  UserRecord user = store.user();
  user.roles = {"user", "auditor"};
  store.put(user);
  EXPECT_TRUE(login(kPassword)->must_enroll);
  EXPECT_TRUE(store.user().second_factor.due);
  set_up();
  EXPECT_FALSE(store.user().second_factor.due);
}

}  // namespace
}  // namespace sallyport::control
