#include "request/identity/identity.h"

#include <gtest/gtest.h>

#include "request/identity/identity_test_support.h"

namespace sallyport {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::kNow;

class IdentityStage : public ::testing::Test, protected testing::World {
 protected:
  Result<PrincipalPtr> bearer(const std::string& credential, WallTime now = kNow) {
    const std::string field = "Bearer " + credential;
    CredentialView seen;
    seen.authorization = field;
    return identity_.verify(snapshot_, seen, now);
  }
  // Why it is refused, without the names that follow; "" where it is accepted.
  std::string refusal(const std::string& credential, WallTime now = kNow) {
    const auto principal = bearer(credential, now);
    if (principal) return "";
    EXPECT_EQ(principal.error().code, Code::unauthenticated);
    return principal.error().detail.substr(0, principal.error().detail.find(' '));
  }
  void publish() { snapshot_ = snapshot(); }

  Snapshot snapshot_ = snapshot();
};

// S1-13, C6: a key without roles is an agent.
TEST_F(IdentityStage, AKeyBecomesItsPrincipal) {
  key_.permissions = {Permission::tool_read, Permission::tool_execute};
  key_.grants = {{Permission::tool_execute, "gmail", "send_*"}};
  key_.dotted = {"gmail.send"};
  publish();
  const PrincipalPtr principal = bearer(key()).value();
  EXPECT_EQ(principal->id, "key:" + made_.id);
  EXPECT_EQ(principal->kind, PrincipalKind::key);
  EXPECT_EQ(principal->name, "ci");
  EXPECT_EQ(principal->roles, std::vector<std::string>{"agent"});
  EXPECT_EQ(principal->permissions, key_.permissions);
  EXPECT_EQ(principal->grants, key_.grants);
  EXPECT_EQ(principal->dotted, key_.dotted);
  EXPECT_EQ(principal->auth_type, "api_key");
  EXPECT_EQ(principal->credential_id, made_.id);
}

TEST_F(IdentityStage, AKeyKeepsTheRolesItWasGiven) {
  key_.roles = {"readonly"};
  publish();
  EXPECT_EQ(bearer(key()).value()->roles, std::vector<std::string>{"readonly"});
}

TEST_F(IdentityStage, XApiKeyIsTheOtherFieldForAKey) {
  const std::string text = key();
  CredentialView seen;
  seen.see("x-API-key", text);
  EXPECT_TRUE(identity_.verify(snapshot_, seen, kNow).has_value());
}

TEST_F(IdentityStage, TheSchemeHasNoCase) {
  const std::string field = "bEARER " + key();
  CredentialView seen;
  seen.see("AUTHORIZATION", field);
  seen.see("Host", "gw.example");
  EXPECT_TRUE(identity_.verify(snapshot_, seen, kNow).has_value());
}

TEST_F(IdentityStage, ATokenBecomesItsUser) {
  const PrincipalPtr principal = bearer(token()).value();
  EXPECT_EQ(principal->id, "user:00112233aabbccdd");
  EXPECT_EQ(principal->name, "alice");
  EXPECT_EQ(principal->auth_type, "jwt");
  EXPECT_EQ(principal->credential_id, "jti-1");
  EXPECT_FALSE(principal->must_change_password);
}

TEST_F(IdentityStage, RolesComeFromTheRecordNotTheToken) {
  token::TokenClaims claims = World::claims();
  claims.roles = {"admin"};
  EXPECT_EQ(bearer(token(claims)).value()->roles, std::vector<std::string>{"user"});
}

TEST_F(IdentityStage, SaysThatThePasswordMustBeChanged) {
  user_.must_change_password = true;
  publish();
  EXPECT_TRUE(bearer(token()).value()->must_change_password);
}

TEST_F(IdentityStage, TheSecondTimeComesFromTheCache) {
  const PrincipalPtr first = bearer(key()).value();
  EXPECT_EQ(bearer(key()).value(), first);
  EXPECT_EQ(identity_.cached(), 1U);
}

TEST_F(IdentityStage, ARefusalIsNotCached) {
  EXPECT_NE(refusal("nonsense"), "");
  EXPECT_EQ(identity_.cached(), 0U);
}

// Each begins with a cached success and ends at the very next request.
TEST_F(IdentityStage, RevokingAKeyHoldsAtTheNextRequest) {
  ASSERT_EQ(refusal(key()), "");
  key_.enabled = false;
  publish();
  EXPECT_EQ(refusal(key()), "identity.key_disabled");
  snapshot_.principals = std::make_shared<const Principals>();
  EXPECT_EQ(refusal(key()), "identity.key_unknown");
}

TEST_F(IdentityStage, AKeyDiesWithItsOwner) {
  key_.owner_user_id = user_.id;
  publish();
  ASSERT_EQ(refusal(key()), "");
  user_.enabled = false;
  publish();
  EXPECT_EQ(refusal(key()), "identity.key_owner_disabled");
  key_.owner_user_id = "ffffffffffffffff";
  publish();
  EXPECT_EQ(refusal(key()), "identity.key_owner_disabled");
}

// Requirements, section 7: S1's disabled users kept valid tokens.
TEST_F(IdentityStage, DisablingAUserHoldsAtTheNextRequest) {
  ASSERT_EQ(refusal(token()), "");
  user_.enabled = false;
  publish();
  EXPECT_EQ(refusal(token()), "identity.user_disabled");
  snapshot_.principals = std::make_shared<const Principals>();
  EXPECT_EQ(refusal(token()), "identity.user_unknown");
}

// Requirements, section 7: S2's logout stored the jti and compared the whole token.
TEST_F(IdentityStage, LogoutHoldsAtTheNextRequest) {
  ASSERT_EQ(refusal(token()), "");
  revoked_["jti-1"] = kNow + minutes(30);
  publish();
  EXPECT_EQ(refusal(token()), "identity.token_revoked");
}

TEST_F(IdentityStage, TokensOfBeforeAPasswordChangeAreDead) {
  ASSERT_EQ(refusal(token()), "");
  user_.tokens_valid_from = kNow + std::chrono::microseconds(1);
  publish();
  EXPECT_EQ(refusal(token()), "identity.token_superseded");
  user_.tokens_valid_from = kNow;
  publish();
  EXPECT_EQ(refusal(token()), "") << "one issued at that very moment is new";
}

// Ending a session ends its tokens, cached or not, without a change of the principals.
TEST_F(IdentityStage, ATokenEndsWithItsSession) {
  ASSERT_EQ(refusal(token()), "");
  change_sessions([](LoginSessions& all) { all.by_id.erase("sid-1"); });
  publish();
  EXPECT_EQ(refusal(token()), "identity.session_ended");
  EXPECT_EQ(refusal(minted()), "") << "another's goes on";
}

TEST_F(IdentityStage, ASessionOfAnotherOwnerIsNone) {
  token::TokenClaims claims = World::claims();
  claims.session_id = "sid-2";
  EXPECT_EQ(refusal(token(claims)), "identity.session_ended");
}

// S2-3: 60 minutes without a use. Each use counts from the next second on.
TEST_F(IdentityStage, AnUnusedSessionIsOver_S2_3) {
  change_sessions([](LoginSessions& all) { all.idle = minutes(10); });
  publish();
  EXPECT_EQ(refusal(token(), kNow + minutes(9)), "");
  EXPECT_EQ(refusal(token(), kNow + minutes(18)), "");
  EXPECT_EQ(refusal(token(), kNow + minutes(28)), "identity.session_over");
}

TEST_F(IdentityStage, ABoundSessionIsRefusedFromElsewhere) {
  change_sessions([](LoginSessions& all) { all.binding = SessionBinding::both; });
  publish();
  const std::string field = "Bearer " + token();
  const auto from = [&](std::string_view address, std::string_view agent) {
    return identity_.verify(snapshot_, {.authorization = field, .address = address, .user_agent = agent}, kNow)
        .has_value();
  };
  EXPECT_TRUE(from("192.0.2.1", "agent/1"));
  EXPECT_FALSE(from("192.0.2.2", "agent/1"));
  EXPECT_FALSE(from("192.0.2.1", "agent/2"));
}

TEST_F(IdentityStage, AnInspectedTokenIsNotUsed) {
  change_sessions([](LoginSessions& all) { all.binding = SessionBinding::both; });
  const WallTime later = kNow + std::chrono::minutes(20);
  const Snapshot now = snapshot();
  EXPECT_EQ(identity_.inspect(now, token(), later).value()->id, "user:00112233aabbccdd");
  EXPECT_EQ(now.sessions->find("sid-1")->last_used(), kNow);
  EXPECT_EQ(identity_.cached(), 0U);
  change_sessions([](LoginSessions& all) { all.by_id.erase("sid-1"); });
  const auto ended = identity_.inspect(snapshot(), token(), later);
  ASSERT_FALSE(ended.has_value());
  EXPECT_TRUE(ended.error().detail.starts_with("identity.session_ended")) << ended.error().detail;
}

// S1-24: the old secret for a while, the new one at once.
TEST_F(IdentityStage, ARotatedKeyHasTwoSecretsUntilTheGraceIsOver_S1_24) {
  const std::string old = key(), token_of_old = minted();
  crypto::NewApiKey fresh = crypto::renew_api_key(*hash_keys_, random_, key_.id);
  key_.previous_hash = std::exchange(key_.hash, fresh.hash);
  key_.previous_until = kNow + minutes(10);
  key_.secret_number = 2;
  publish();
  const std::string now(fresh.key.reveal());
  for (const auto& credential : {old, now, token_of_old}) EXPECT_EQ(refusal(credential), "");
  EXPECT_EQ(bearer(old).value()->expires_at, kNow + minutes(10)) << "what it opens ends with it";
  EXPECT_EQ(bearer(now).value()->expires_at, WallTime::max());
  const WallTime over = kNow + minutes(10);
  EXPECT_EQ(refusal(now, over), "");
  EXPECT_EQ(refusal(old, over), "identity.key_rotated");
  EXPECT_EQ(refusal(token_of_old, over), "identity.key_rotated") << "what it bought ends with it";
  key_.previous_hash.clear();
  publish();
  EXPECT_EQ(refusal(old), "identity.key_wrong");
  EXPECT_EQ(refusal(token_of_old), "identity.key_rotated");
}

TEST_F(IdentityStage, AKeyIsGoodFromItsAddressesAlone) {
  key_.addresses = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("2001:db8::/32")};
  publish();
  for (const auto& credential : {key(), minted()}) {
    const std::string field = "Bearer " + credential;
    const auto from = [&](std::string_view address) {
      const auto seen = identity_.verify(snapshot_, {.authorization = field, .address = address}, kNow);
      return seen ? "" : seen.error().detail.substr(0, seen.error().detail.find(' '));
    };
    EXPECT_EQ(from("10.1.2.3"), "");
    EXPECT_EQ(from("::ffff:10.1.2.3"), "");
    EXPECT_EQ(from("2001:db8::7"), "");
    EXPECT_EQ(from("11.1.2.3"), "identity.key_address") << "though it was seen before";
    EXPECT_EQ(from(""), "identity.key_address");
  }
  EXPECT_EQ(refusal(token()), "") << "people are bound to no key";
}

TEST_F(IdentityStage, ATokenOfAKeyMayWhatTheKeyMay_S1_12) {
  key_.permissions = {Permission::tool_read};
  publish();
  const PrincipalPtr principal = bearer(minted()).value();
  EXPECT_EQ(principal->id, "key:" + key_.id);
  EXPECT_EQ(principal->kind, PrincipalKind::key);
  EXPECT_EQ(principal->auth_type, "jwt");
  EXPECT_EQ(principal->credential_id, "jti-1");
  EXPECT_TRUE(principal->permissions.has(Permission::tool_read));
}

TEST_F(IdentityStage, ATokenOfAKeyDiesWithTheKey_S1_12) {
  ASSERT_EQ(refusal(minted()), "");
  key_.enabled = false;
  publish();
  EXPECT_EQ(refusal(minted()), "identity.key_disabled");
  snapshot_.principals = std::make_shared<const Principals>();
  EXPECT_EQ(refusal(minted()), "identity.key_unknown");
}

TEST_F(IdentityStage, ARoleTakenAwayIsGoneAtTheNextRequest) {
  user_.roles = {"admin", "user"};
  publish();
  ASSERT_EQ(bearer(token()).value()->roles.size(), 2U);
  user_.roles = {"user"};
  publish();
  EXPECT_EQ(bearer(token()).value()->roles, std::vector<std::string>{"user"});
}

TEST_F(IdentityStage, ExpiryIsLookedAtAtEachCachedHit) {
  key_.expires_at = kNow + minutes(1);
  publish();
  ASSERT_EQ(refusal(key()), "");
  EXPECT_EQ(refusal(key(), kNow + seconds(59)), "");
  EXPECT_EQ(refusal(key(), kNow + seconds(60)), "identity.key_expired");
  ASSERT_EQ(refusal(token()), "");
  EXPECT_EQ(refusal(token(), kNow + minutes(30)), "token.expired");
  EXPECT_EQ(identity_.cached(), 0U);
}

TEST(CredentialCache, IsBoundedAndKeepsWhatIsUsed) {
  CredentialCache cache;
  cache.bind(std::make_shared<const Principals>());
  const auto principal = std::make_shared<const Principal>();
  const crypto::Digest used = crypto::sha256("used");
  cache.put(used, principal, WallTime::max());
  for (int i = 0; i < 50'000; ++i) {
    cache.put(crypto::sha256(std::to_string(i)), principal, WallTime::max());
    if (i % 1'000 == 0) ASSERT_TRUE(cache.find(used, kNow)) << i;
    ASSERT_LE(cache.size(), 2 * CredentialCache::kGenerationMax);
  }
  EXPECT_FALSE(cache.find(crypto::sha256("0"), kNow));
}

TEST(CredentialCache, ForgetsEverythingWithItsPrincipals) {
  CredentialCache cache;
  cache.bind(std::make_shared<const Principals>());
  cache.put(crypto::sha256("a"), std::make_shared<const Principal>(), WallTime::max());
  cache.bind(std::make_shared<const Principals>());
  EXPECT_EQ(cache.size(), 0U);
}

TEST(WwwAuthenticate, FollowsRfc6750AndRfc9728) {
  EXPECT_EQ(www_authenticate(false), "Bearer realm=\"sallyport\"");
  EXPECT_EQ(www_authenticate(true, "https://gw.example/.well-known/oauth-protected-resource"),
            "Bearer realm=\"sallyport\", error=\"invalid_token\", "
            "resource_metadata=\"https://gw.example/.well-known/oauth-protected-resource\"");
}

}  // namespace
}  // namespace sallyport
