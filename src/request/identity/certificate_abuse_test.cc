// Client certificates as a proof of who calls (S2-26): whom they make their bearer, and each way of passing for somebody else.
#include <gtest/gtest.h>

#include "request/identity/identity_test_support.h"

namespace sallyport {
namespace {

using testing::kNow;

class CertificateIdentity : public ::testing::Test, protected testing::World {
 protected:
  void map(const std::string& name, const std::string& principal, const std::string& issuer = {}) {
    auto next = std::make_shared<CertificateMappings>(*certificates_);
    next->put(std::make_shared<const CertificateMapping>(
        CertificateMapping{"of " + name + issuer, name, principal, "local:0", kNow, issuer}));
    certificates_ = next;
  }
  [[nodiscard]] std::string whose_user() const { return "user:" + user_.id; }
  [[nodiscard]] std::string whose_key() const { return "key:" + key_.id; }
  [[nodiscard]] ShownCertificate shown() const {
    return {fingerprint_, uris_,       dns_,   emails_,      not_after_,
            revoked_,     list_ended_, links_, authorities_, one_authority_};
  }

  Result<PrincipalPtr> verify(CredentialView seen, bool with = true) {
    Snapshot now = snapshot();
    now.certificates = certificates_;
    const ShownCertificate certificate = shown();
    if (with) seen.certificate = &certificate;
    return Identity(codec_, rules_).verify(now, seen, kNow);
  }
  // Why it is refused, without what follows; the principal's id where it is accepted.
  std::string said(const CredentialView& seen = {}, bool with = true) {
    const auto principal = verify(seen, with);
    if (principal) return (*principal)->id;
    EXPECT_EQ(principal.error().code, Code::unauthenticated);
    return principal.error().detail.substr(0, principal.error().detail.find(' '));
  }
  std::string with_bearer(const std::string& credential, bool with = true) {
    const std::string field = "Bearer " + credential;
    CredentialView seen;
    seen.authorization = field;
    return said(seen, with);
  }

  CertificateRules rules_{CertificateUse::beside, {}};
  std::shared_ptr<const CertificateMappings> certificates_ = std::make_shared<const CertificateMappings>();
  std::string fingerprint_ = std::string(64, 'a');
  std::vector<std::string> uris_{"spiffe://prod.example/agent"}, dns_{"agent.example"}, emails_{"ada@example.com"};
  WallTime not_after_ = kNow + std::chrono::hours(1);
  bool revoked_ = false, list_ended_ = false, one_authority_ = true;
  std::string links_ = std::string("leaf\0intermediate", 17);
  std::vector<std::string> authorities_{std::string(64, '1'), std::string(64, '2')};  // an intermediate and its root
};

TEST_F(CertificateIdentity, EachKindOfNameMakesItsBearer) {
  for (const std::string& name :
       {"sha256:" + fingerprint_, "uri:" + uris_[0], "dns:" + dns_[0], "email:" + emails_[0]}) {
    certificates_ = std::make_shared<const CertificateMappings>();
    map(name, whose_user());
    const PrincipalPtr principal = verify({}).value();
    EXPECT_EQ(principal->id, whose_user());
    EXPECT_EQ(principal->roles, std::vector<std::string>{"user"});
    EXPECT_EQ(principal->auth_type, "client_certificate");
    EXPECT_EQ(principal->credential_id, "of " + name);
    EXPECT_EQ(principal->certificate_id, "of " + name);
    ASSERT_NE(principal->certificate, nullptr) << "what it opens ends with a list that revokes it";
    EXPECT_EQ(principal->certificate->links, links_);
    EXPECT_EQ(principal->certificate->authorities, authorities_);
    EXPECT_EQ(principal->expires_at, not_after_);
  }
}

TEST_F(CertificateIdentity, AKeysPrincipalMayWhatTheKeyMay) {
  map("dns:agent.example", whose_key());
  const PrincipalPtr principal = verify({}).value();
  EXPECT_EQ(principal->kind, PrincipalKind::key);
  EXPECT_EQ(principal->roles, std::vector<std::string>{"agent"});
  EXPECT_NE(principal->key, nullptr);
}

TEST_F(CertificateIdentity, OneThatIsMappedToNobodyIsNobody) {
  map("dns:other.example", whose_user());
  EXPECT_EQ(said(), "identity.certificate_unknown");
  EXPECT_EQ(said({}, false), "identity.no_credential");
}

TEST_F(CertificateIdentity, OffItSaysNothing) {
  map("dns:agent.example", whose_user());
  rules_.use = CertificateUse::off;
  EXPECT_EQ(said(), "identity.no_credential");
  EXPECT_EQ(with_bearer(key()), whose_key());
}

TEST_F(CertificateIdentity, BesideAKeyDecidesWhereOneIsShown) {
  map("dns:agent.example", whose_user());
  EXPECT_EQ(with_bearer(key()), whose_key());
  EXPECT_EQ(with_bearer(key(), false), whose_key());
}

TEST_F(CertificateIdentity, OnlyCertificatesCountWhereThatIsSaid) {
  map("dns:agent.example", whose_user());
  rules_.use = CertificateUse::only;
  EXPECT_EQ(said(), whose_user());
  EXPECT_EQ(with_bearer(key()), "identity.certificate_only");
  EXPECT_EQ(with_bearer(key(), false), "identity.certificate_only");
  EXPECT_EQ(said({}, false), "identity.no_certificate");
}

TEST_F(CertificateIdentity, BothAreNeededWhereThatIsSaid) {
  map("dns:agent.example", whose_key());
  rules_.use = CertificateUse::required;
  EXPECT_EQ(with_bearer(key()), whose_key());
  EXPECT_EQ(with_bearer(key(), false), "identity.no_certificate");
  EXPECT_EQ(said(), "identity.no_credential");
  EXPECT_EQ(with_bearer(minted()), whose_key());
  const std::string text = key();
  const PrincipalPtr both = verify({.api_key = text}).value();
  EXPECT_EQ(both->auth_type, "api_key");
  EXPECT_EQ(both->certificate_id, "of dns:agent.example") << "what it opens ends with the mapping";
  ASSERT_NE(both->certificate, nullptr);
  EXPECT_EQ(both->certificate->links, links_);
}

TEST_F(CertificateIdentity, ThePersonBehindAKeyMayShowTheirOwn) {
  key_.owner_user_id = user_.id;
  map("dns:agent.example", whose_user());
  rules_.use = CertificateUse::required;
  EXPECT_EQ(with_bearer(key()), whose_key());
}

TEST_F(CertificateIdentity, RevocationHoldsAtTheNextRequestOfAnOpenConnection) {
  map("dns:agent.example", whose_user());
  ASSERT_EQ(said(), whose_user());
  certificates_ = std::make_shared<const CertificateMappings>();
  EXPECT_EQ(said(), "identity.certificate_unknown");
  map("dns:agent.example", whose_user());
  user_.enabled = false;
  EXPECT_EQ(said(), "identity.user_disabled");
  user_.enabled = true;
  not_after_ = kNow;
  EXPECT_EQ(said(), "identity.certificate_expired");
  not_after_ = kNow + std::chrono::hours(1);
  revoked_ = true;
  EXPECT_EQ(said(), "identity.certificate_revoked");
}

TEST_F(CertificateIdentity, S2_26_WithoutAListInForceAnOpenConnectionIsRefusedToo) {
  map("dns:agent.example", whose_user());
  list_ended_ = true;
  EXPECT_EQ(said(), "identity.certificate_list_ended");
  for (const auto use : {CertificateUse::off, CertificateUse::beside, CertificateUse::required, CertificateUse::only}) {
    rules_.use = use;
    EXPECT_EQ(with_bearer(key()), "identity.certificate_list_ended");
  }
}

// What a key or token opens over a connection that showed a certificate, mapped or not, ends with that one.
TEST_F(CertificateIdentity, S2_26_AKeyIsHeldToTheCertificateOfItsConnection) {
  const std::string text = key();
  for (const auto use : {CertificateUse::off, CertificateUse::beside}) {
    rules_.use = use;
    const PrincipalPtr over = verify({.api_key = text}).value(), without = verify({.api_key = text}, false).value();
    EXPECT_EQ(over->id, without->id);
    EXPECT_EQ(over->certificate_id, "");
    ASSERT_NE(over->certificate, nullptr);
    EXPECT_EQ(over->certificate->links, links_);
    EXPECT_EQ(over->expires_at, not_after_);
    EXPECT_EQ(without->certificate, nullptr);
  }
}

TEST_F(CertificateIdentity, ANameMayComeWithAnyAuthorityAboveIt) {
  for (const std::string& issuer : authorities_) {
    certificates_ = std::make_shared<const CertificateMappings>();
    map("dns:agent.example", whose_user(), issuer);
    for (const bool one : {true, false}) {
      one_authority_ = one;
      EXPECT_EQ(said(), whose_user());
    }
  }
}

// --- attacks

// tls.client_ca trusts two authorities: one of them issues the name that belongs to the other's.
TEST_F(CertificateIdentity, AnotherAuthorityClaimsTheName) {
  map("dns:agent.example", whose_user(), std::string(64, '3'));
  EXPECT_EQ(said(), "identity.certificate_unknown");
  one_authority_ = false;
  EXPECT_EQ(said(), "identity.certificate_unknown");
  authorities_.clear();  // nobody says who vouched for it
  EXPECT_EQ(said(), "identity.certificate_unknown");
}

TEST_F(CertificateIdentity, AMappingWithoutAnIssuerWhereSeveralAuthoritiesAreTrusted) {
  for (const std::string& name : {"uri:" + uris_[0], "dns:" + dns_[0], "email:" + emails_[0]}) {
    certificates_ = std::make_shared<const CertificateMappings>();
    map(name, whose_user());
    one_authority_ = true;
    EXPECT_EQ(said(), whose_user());
    one_authority_ = false;
    EXPECT_EQ(said(), "identity.certificate_issuer_unnamed");
  }
  map("sha256:" + fingerprint_, whose_user());
  EXPECT_EQ(said(), whose_user()) << "that is one certificate, whoever issued it";
}

TEST_F(CertificateIdentity, NamesOfTwoAuthoritiesThatStandForTwo) {
  map("dns:agent.example", whose_user(), authorities_[0]);
  map("dns:agent.example", whose_key(), authorities_[1]);
  EXPECT_EQ(said(), "identity.certificate_ambiguous");
}

// The TLS layer let it in while it was good: a key shown over such a connection is no better than the connection.
TEST_F(CertificateIdentity, AGoodKeyOverARevokedCertificate) {
  revoked_ = true;
  for (const auto use : {CertificateUse::off, CertificateUse::beside, CertificateUse::required, CertificateUse::only}) {
    rules_.use = use;
    EXPECT_EQ(with_bearer(key()), "identity.certificate_revoked");
  }
}

TEST_F(CertificateIdentity, ABadKeyIsNotMadeGoodByACertificate) {
  map("dns:agent.example", whose_user());
  EXPECT_EQ(with_bearer("nonsense"), "identity.credential_form");
  EXPECT_EQ(said({.authorization = "Basic YWRhOnB3"}), "identity.not_bearer");
  EXPECT_EQ(said({.api_key = ""}), "identity.credential_size");
}

TEST_F(CertificateIdentity, ATokenInTheQueryBesideACertificate) {
  map("dns:agent.example", whose_user());
  EXPECT_EQ(said({.query = "access_token=x"}), "identity.token_in_query");
}

TEST_F(CertificateIdentity, ACertificateOfAnotherAsTheSecondProof) {
  map("dns:agent.example", "user:ffffffffffffffff");
  rules_.use = CertificateUse::required;
  EXPECT_EQ(with_bearer(key()), "identity.certificate_of_another");
  EXPECT_EQ(with_bearer(token()), "identity.certificate_of_another");
}

TEST_F(CertificateIdentity, AStolenKeyWithAnUnmappedCertificate) {
  rules_.use = CertificateUse::required;
  EXPECT_EQ(with_bearer(key()), "identity.certificate_unknown");
}

// Headers by which proxies speak of certificates (nginx, Apache, HAProxy, Envoy, RFC 9440): nobody here reads them.
TEST_F(CertificateIdentity, AForgedHeaderOfAProxy) {
  map("dns:agent.example", whose_user());
  map("sha256:" + fingerprint_, whose_user());
  for (const char* name :
       {"X-SSL-Client-Cert", "X-SSL-Client-Verify", "X-SSL-Client-S-DN", "X-Client-Cert", "SSL_CLIENT_CERT",
        "X-Forwarded-Client-Cert", "Client-Cert", "X-ARR-ClientCert", "X-Sallyport-Certificate"}) {
    CredentialView seen;
    seen.see(name, "Hash=" + fingerprint_ + ";URI=spiffe://prod.example/agent;DNS=agent.example");
    EXPECT_EQ(said(seen, false), "identity.no_credential") << name;
  }
}

TEST_F(CertificateIdentity, AFingerprintAsABearerToken) {
  map("sha256:" + fingerprint_, whose_user());
  ASSERT_EQ(said(), whose_user());
  for (const std::string& text : {fingerprint_, "sha256:" + fingerprint_, "of sha256:" + fingerprint_}) {
    EXPECT_EQ(with_bearer(text, false), "identity.credential_form") << text;
  }
}

// A URI that reads like another kind of name, and the like.
TEST_F(CertificateIdentity, ANameOfOneKindIsNeverOneOfAnother) {
  map("dns:agent.example", whose_user());
  map("email:ada@example.com", whose_user());
  map("sha256:" + std::string(64, 'b'), whose_user());
  uris_ = {"dns:agent.example", "agent.example", "email:ada@example.com", "sha256:" + std::string(64, 'b')};
  dns_ = {"dns:agent.example", "ada@example.com", std::string(64, 'b')};
  emails_ = {"agent.example"};
  EXPECT_EQ(said(), "identity.certificate_unknown");
}

TEST_F(CertificateIdentity, AWildcardCertificateIsNotEverybody) {
  map("dns:agent.example", whose_user());
  dns_ = {"*.example", "*", "*.agent.example"};
  EXPECT_EQ(said(), "identity.certificate_unknown");
}

TEST_F(CertificateIdentity, ALongerOrShorterNameIsAnother) {
  map("uri:spiffe://prod.example/agent", whose_user());
  for (const char* other :
       {"spiffe://prod.example/agent/", "spiffe://prod.example/agen", "spiffe://prod.example/agent/x",
        "SPIFFE://prod.example/agent", "spiffe://prod.example/Agent", "spiffe://prod.example//agent"}) {
    uris_ = {other};
    EXPECT_EQ(said(), "identity.certificate_unknown") << other;
  }
}

// An authority that writes what the client asks for: a second name is no way to choose whom to be.
TEST_F(CertificateIdentity, TwoNamesOfTwoPrincipals) {
  map("uri:" + uris_[0], whose_user());
  map("dns:" + dns_[0], whose_key());
  EXPECT_EQ(said(), "identity.certificate_ambiguous");
  rules_.use = CertificateUse::required;
  EXPECT_EQ(with_bearer(key()), "identity.certificate_ambiguous");
}

TEST_F(CertificateIdentity, TwoNamesOfOnePrincipalAreOne) {
  map("uri:" + uris_[0], whose_user());
  map("dns:" + dns_[0], whose_user());
  EXPECT_EQ(said(), whose_user());
}

// One proof in place of two.
TEST_F(CertificateIdentity, ACertificateIsNoWayAroundTheSecondFactor) {
  map("dns:agent.example", whose_user());
  user_.second_factor.confirmed = true;
  EXPECT_EQ(said(), "identity.certificate_is_no_second_factor");
  user_.second_factor = {};
  user_.second_factor.due = true;
  EXPECT_EQ(said(), "identity.certificate_is_no_second_factor");
  user_.second_factor = {};
  rules_.factor_roles = {"user"};
  EXPECT_EQ(said(), "identity.certificate_is_no_second_factor");
  rules_.use = CertificateUse::required;  // beside a login that asked for it, it is what it is
  EXPECT_EQ(with_bearer(token()), whose_user());
}

TEST_F(CertificateIdentity, AKeyThatIsGoodNoMoreIsNotMadeGoodByItsCertificate) {
  map("dns:agent.example", whose_key());
  key_.enabled = false;
  EXPECT_EQ(said(), "identity.key_disabled");
  key_.enabled = true;
  key_.expires_at = kNow;
  EXPECT_EQ(said(), "identity.key_expired");
  key_.expires_at.reset();
  key_.addresses = {*Cidr::parse("10.0.0.0/8")};
  EXPECT_EQ(said({.address = "192.0.2.1"}), "identity.key_address");
  EXPECT_EQ(said({.address = "10.1.2.3"}), whose_key());
  key_.owner_user_id = user_.id;
  user_.enabled = false;
  EXPECT_EQ(said({.address = "10.1.2.3"}), "identity.key_owner_disabled");
}

TEST_F(CertificateIdentity, AMappingOfWhoIsGoneOpensNothing) {
  map("dns:agent.example", "user:ffffffffffffffff");
  EXPECT_EQ(said(), "identity.user_unknown");
  certificates_ = std::make_shared<const CertificateMappings>();
  map("dns:agent.example", "key:gone");
  EXPECT_EQ(said(), "identity.key_unknown");
  certificates_ = std::make_shared<const CertificateMappings>();
  map("dns:agent.example", "local:0");
  EXPECT_EQ(said(), "identity.key_unknown");
}

TEST_F(CertificateIdentity, EveryRefusalLooksTheSameOutside) {
  EXPECT_EQ(verify({}).error().code, Code::unauthenticated);
  revoked_ = true;
  EXPECT_EQ(verify({}).error().code, Code::unauthenticated);
}

}  // namespace
}  // namespace sallyport
