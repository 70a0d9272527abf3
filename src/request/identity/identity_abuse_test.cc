// Attacks on the identity stage, by name.
#include <gtest/gtest.h>

#include <set>

#include "core/encoding.h"
#include "crypto/jws.h"
#include "crypto/known_secrets.h"
#include "engines/token/key_ring.h"
#include "request/identity/identity_test_support.h"

namespace sallyport {
namespace {

using testing::kNow;

class IdentityAbuse : public ::testing::Test, protected testing::World {
 protected:
  Result<PrincipalPtr> verify(const CredentialView& seen) { return identity_.verify(snapshot_, seen, kNow); }
  std::string refusal(const CredentialView& seen) {
    const auto principal = verify(seen);
    if (principal) return "";
    EXPECT_EQ(principal.error().code, Code::unauthenticated);
    EXPECT_EQ(principal.error().detail.find(key().substr(16)), std::string::npos) << "a secret in the detail";
    return principal.error().detail.substr(0, principal.error().detail.find(' '));
  }
  std::string refusal(std::string_view authorization) {
    return refusal(CredentialView{.authorization = authorization});
  }

  Snapshot snapshot_ = snapshot();
};

TEST_F(IdentityAbuse, NoCredential) { EXPECT_EQ(refusal(CredentialView{}), "identity.no_credential"); }

TEST_F(IdentityAbuse, TwoDifferentCredentialsAtOnce) {
  const std::string good = key();
  const std::string other(crypto::make_api_key(*hash_keys_, random_).key.reveal());
  const std::string field = "Bearer " + good;
  EXPECT_EQ(refusal({.authorization = field, .api_key = other}), "identity.two_credentials");
  EXPECT_EQ(refusal({.authorization = field, .api_key = ""}), "identity.two_credentials");
  EXPECT_EQ(refusal({.authorization = field, .api_key = good}), "") << "twice the same is one";
}

TEST_F(IdentityAbuse, RepeatedFields) {
  const std::string field = "Bearer " + key();
  CredentialView seen;
  seen.see("Authorization", field);
  seen.see("authorization", field);
  EXPECT_EQ(refusal(seen), "identity.repeated_field");
}

// RFC 6750 2.3; requirements C11: query strings are logged.
TEST_F(IdentityAbuse, TokenInTheQuery) {
  const std::string field = "Bearer " + key();
  for (const char* query :
       {"access_token=x", "a=1&ACCESS_TOKEN=x", "api_key=x", "token", "a&apikey=", "X-API-Key=x&b=2"}) {
    EXPECT_EQ(refusal({.query = query}), "identity.token_in_query") << query;
    EXPECT_EQ(refusal({.authorization = field, .query = query}), "identity.token_in_query") << query;
  }
  const std::string query = "q=token&tokens=1&xaccess_token=2&cursor=" + key();
  EXPECT_EQ(refusal({.authorization = field, .query = query}), "");
  EXPECT_EQ(refusal({.query = query}), "identity.no_credential") << "a credential in the query is never taken";
}

TEST_F(IdentityAbuse, OtherSchemesAndForms) {
  const std::string good = key();
  for (const std::string& field :
       {std::string(), std::string("Bearer"), std::string("Bearer "), good, "Basic " + good, "Token " + good,
        "Bearer\t" + good, "Bearer  " + good, "Bearer " + good + " ", "Bearer " + good + "," + good,
        "Bearer \"" + good + "\"", " Bearer " + good, "Bearer " + good + std::string(1, '\0')}) {
    EXPECT_NE(refusal(field), "") << field;
  }
}

TEST_F(IdentityAbuse, HugeCredentials) {
  EXPECT_EQ(refusal("Bearer " + std::string(8'193, 'a')), "identity.credential_size");
  EXPECT_EQ(refusal("Bearer mcp_" + std::string(8'000, 'a')), "identity.credential_form");
}

TEST_F(IdentityAbuse, ATokenInTheFieldForKeys) {
  const std::string text = token();
  EXPECT_EQ(refusal({.api_key = text}), "identity.token_as_key");
}

// C8, S1-7, even where someone stored its hash.
TEST_F(IdentityAbuse, ThePublishedKey_C8) {
  const std::string published(crypto::kPublishedApiKey);
  key_.id = published.substr(4, 12);
  key_.hash = hash_keys_->hash(published);
  snapshot_ = snapshot();
  EXPECT_EQ(refusal("Bearer " + published), "identity.credential_form");
}

TEST_F(IdentityAbuse, TheIdOfAKeyWithAnotherSecret) {
  std::string forged = key().substr(0, 46) + "A";
  if (forged == key().substr(0, 47)) forged.back() = 'Q';
  const crypto::Digest digest = crypto::sha256(forged);
  forged += base64url_encode(std::span(digest).first(5)).substr(0, 6);
  EXPECT_EQ(refusal("Bearer " + forged), "identity.key_wrong");
}

TEST_F(IdentityAbuse, AKeyHashedUnderAnotherMasterKey) {
  const auto other =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("another home"))))).value();
  key_.hash = crypto::HashKeys::first_of(other)->hash(key());
  snapshot_ = snapshot();
  EXPECT_EQ(refusal("Bearer " + key()), "identity.key_wrong");
}

TEST_F(IdentityAbuse, ARefreshTokenAsAccessToken) {
  const std::string good = codec_.issue(ring_.get(), claims()).value();
  std::string payload(
      as_text(*base64url_decode(good.substr(good.find('.') + 1, good.rfind('.') - good.find('.') - 1))));
  for (auto at = payload.find("access"); at != std::string::npos; at = payload.find("access")) {
    payload.replace(at, 6, "refresh");
  }
  const token::RingKey& signer = *ring_->signer();
  const std::string refresh = crypto::jws_sign(*signer.key, token::KeyRing::header_of(signer), payload).value();
  EXPECT_EQ(refusal("Bearer " + refresh), "token.type");
}

TEST_F(IdentityAbuse, ATokenOfAnotherGateway) {
  const token::TokenCodec other({.audience = "staging"});
  EXPECT_EQ(refusal("Bearer " + other.issue(ring_.get(), claims()).value()), "token.audience");
}

TEST_F(IdentityAbuse, EveryRefusalLooksTheSameOutside) {
  std::set<Code> codes;
  for (const std::string& field : {"Bearer " + key() + "x", std::string("Bearer a.b.c"), std::string("Basic x")}) {
    codes.insert(verify({.authorization = field}).error().code);
  }
  EXPECT_EQ(codes, std::set<Code>{Code::unauthenticated});
}

}  // namespace
}  // namespace sallyport
