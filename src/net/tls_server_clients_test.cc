// Client certificates at the handshake (S2-26): who is let in, who comes back by a ticket, and what each bad one is told.
#include "net/tls_server_fixture.h"

namespace sallyport::net {
namespace {

TEST_F(TlsServerTest, NoSessionCrossesClientCertificateRules) {
  const TestCertificate agent(CertificateWish{.name = "agent"}, &ca_);
  const Client client{.certificate = &agent};
  ASSERT_FALSE(meet(made(mutual()), client).resumed);
  EXPECT_TRUE(meet(made(mutual()), client).resumed);
  EXPECT_FALSE(meet(made(mutual(ClientCertificates::optional)), client).resumed) << "another rule";
  TlsMaterial listed = mutual();
  listed.crl = ca_.crl_pem(nullptr);
  EXPECT_FALSE(meet(made(listed), client).resumed) << "another list";
  ASSERT_TRUE(meet(made(listed), client).resumed);
  listed.crl = ca_.crl_pem(&agent);
  const Met revoked = meet(made(listed), client);
  EXPECT_FALSE(revoked.resumed) << "who is revoked does not come back by a ticket";
  EXPECT_EQ(revoked.alert, "certificate revoked");
}

TEST_F(TlsServerTest, AResumedSessionStillKnowsWhoItIs) {
  const TestCertificate agent(CertificateWish{.name = "agent", .names = "URI:spiffe://test/agent"}, &ca_);
  const auto server = made(mutual());
  ASSERT_TRUE(meet(server, {.certificate = &agent}).certificate);
  const Met again = meet(server, {.certificate = &agent});
  EXPECT_TRUE(again.resumed);
  ASSERT_TRUE(again.certificate);
  EXPECT_EQ(again.certificate->uris, std::vector<std::string>{"spiffe://test/agent"});
}

// S2-26: a resumed session has no chain of its own; its ticket says who vouched for the client.
TEST_F(TlsServerTest, S2_26_KnowsTheAuthoritiesAboveAClientInResumedSessionsToo) {
  const TestCertificate middle(CertificateWish{.name = "middle", .names = nullptr, .authority = true}, &ca_);
  const TestCertificate other_ca(authority("another authority"));
  const TestCertificate agent(CertificateWish{.name = "agent"}, &middle);
  TlsMaterial both = mutual();
  both.client_ca = other_ca.pem() + middle.pem() + ca_.pem();
  const auto server = made(both), narrow = made(mutual());
  const std::vector<std::string> above{read_certificate(middle.x509())->spki_sha256,
                                       read_certificate(ca_.x509())->spki_sha256};
  const std::vector<std::string> other{read_certificate(other_ca.x509())->spki_sha256};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    forget_session();
    for (const bool resumed : {false, true, true}) {
      const Met met = meet(server, {.most = version, .certificate = &agent});
      EXPECT_EQ(met.resumed, resumed);
      ASSERT_TRUE(met.certificate);
      EXPECT_EQ(met.certificate->authorities, above);
    }
  }
  EXPECT_EQ(server->client_authorities(), 3U);
  EXPECT_EQ(narrow->client_authorities(), 1U);
  EXPECT_EQ(made(material())->client_authorities(), 0U);
  EXPECT_EQ(server->standing({}, above), Standing::good);
  EXPECT_EQ(server->standing({}, other), Standing::good);
  EXPECT_EQ(narrow->standing({}, above), Standing::good);
  EXPECT_EQ(narrow->standing({}, other), Standing::untrusted) << "taken out of tls.client_ca";
  EXPECT_EQ(narrow->standing({}, {}), Standing::untrusted);
}

// S2-26: open connections, resumed ones too, are held to what a new handshake would say of their whole chain.
TEST_F(TlsServerTest, S2_26_AnAuthorityInBetweenThatIsRevokedTakesItsClientsWithIt) {
  const TestCertificate middle(CertificateWish{.name = "middle", .names = nullptr, .authority = true}, &ca_);
  const TestCertificate agent(CertificateWish{.name = "agent"}, &middle),
      beside(CertificateWish{.name = "beside"}, &ca_);
  TlsMaterial listed = mutual();
  listed.client_ca = middle.pem() + ca_.pem();
  listed.crl = ca_.crl_pem(nullptr) + middle.crl_pem(nullptr);
  const auto before = made(listed);
  listed.crl = ca_.crl_pem(&middle) + middle.crl_pem(nullptr);
  const auto revoked = made(listed);
  listed.crl = ca_.crl_pem(nullptr);
  const auto unlisted = made(listed);
  for (const bool resumed : {false, true}) {
    const Met met = meet(before, {.certificate = &agent});
    ASSERT_TRUE(met.certificate && met.resumed == resumed);
    const PeerCertificate& open = *met.certificate;
    EXPECT_EQ(open.links.size(), 3 * 32U) << "its own, the intermediate's, the root's";
    EXPECT_EQ(before->standing(open.links, open.authorities), Standing::good);
    EXPECT_EQ(revoked->standing(open.links, open.authorities), Standing::revoked);
    EXPECT_EQ(unlisted->standing(open.links, open.authorities), Standing::list_ended);
  }
  forget_session();
  EXPECT_EQ(meet(revoked, {.certificate = &agent}).alert, "certificate revoked");
  EXPECT_FALSE(meet(unlisted, {.certificate = &agent}).server_done);
  const Met other = meet(revoked, {.certificate = &beside});
  ASSERT_TRUE(other.certificate);
  EXPECT_EQ(revoked->standing(other.certificate->links, other.certificate->authorities), Standing::good);
}

TEST_F(TlsServerTest, S2_26_AListThatEndsEndsWhatIsOpen) {
  const TestCertificate agent(CertificateWish{.name = "agent"}, &ca_);
  TlsMaterial listed = mutual();
  listed.crl = ca_.crl_pem(nullptr, 3600);
  FakeClock clock;
  clock.advance(clock_.wall() - clock.wall());
  const ServerPtr server = TlsServer::make(listed, tickets_, clock).value();
  const Met met = meet(server, {.certificate = &agent});
  ASSERT_TRUE(met.certificate);
  const PeerCertificate& open = *met.certificate;
  EXPECT_EQ(server->standing(open.links, open.authorities), Standing::good);
  const std::size_t turns = server->list_turns();
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(server->standing(open.links, open.authorities), Standing::list_ended);
  EXPECT_NE(server->list_turns(), turns);
}

// What read_certificate() refuses is refused while there is an alert for it, in place of a connection that is dropped.
TEST_F(TlsServerTest, ACertificateBeyondTheLimitsIsRefusedInTheHandshake) {
  std::string names = "DNS:a.example";
  for (int i = 1; i < 64; ++i) names += ",DNS:a.example";
  const TestCertificate most(CertificateWish{.name = "most", .names = names.c_str()}, &ca_);
  names += ",DNS:a.example";
  const TestCertificate more(CertificateWish{.name = "more", .names = names.c_str()}, &ca_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto rule : {ClientCertificates::required, ClientCertificates::optional}) {
      forget_session();
      EXPECT_TRUE(meet(made(mutual(rule)), {.most = version, .certificate = &most}).certificate);
      forget_session();
      const Met met = meet(made(mutual(rule)), {.most = version, .certificate = &more});
      EXPECT_FALSE(met.server_done);
      EXPECT_EQ(met.alert, "bad certificate");
      EXPECT_EQ(met.refused, "certificate: more than 64 alternative names of one kind");
    }
  }
}

// S2-26, done-when 5 of issue 6: the right alert for each.
TEST_F(TlsServerTest, S2_26_BadClientCertificatesAreRefusedByName) {
  const TestCertificate good(CertificateWish{.name = "agent"}, &ca_);
  const TestCertificate expired(CertificateWish{.name = "late", .from = -7200, .until = -60}, &ca_);
  const TestCertificate revoked(CertificateWish{.name = "gone"}, &ca_);
  const TestCertificate other_ca(authority("another authority"));
  const TestCertificate foreign(CertificateWish{.name = "foreign"}, &other_ca);
  TlsMaterial with_list = mutual();
  with_list.crl = ca_.crl_pem(&revoked);
  const auto server = made(with_list);
  EXPECT_TRUE(meet(server, {.certificate = &good}).server_done);
  struct Case {
    const TestCertificate* certificate;
    const char* alert;
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Case& c :
         {Case{&expired, "certificate expired"}, Case{&revoked, "certificate revoked"}, Case{&foreign, "unknown CA"}}) {
      SSL_SESSION_free(std::exchange(session_, nullptr));
      const Met met = meet(server, {.most = version, .certificate = c.certificate});
      EXPECT_FALSE(met.server_done) << c.alert;
      EXPECT_EQ(met.alert, c.alert);
      EXPECT_NE(met.refused.find("SHA-256 "), std::string::npos) << met.refused;
    }
    const Met none = meet(server, {.most = version});
    EXPECT_FALSE(none.server_done);
    EXPECT_EQ(none.alert, version == TLS1_3_VERSION ? "certificate required" : "handshake failure");
  }
}

// A list is looked into, and its signature checked, for those alone whom an authority of ours did issue: what anybody can write
// would else cost as much as the list is long.
TEST_F(TlsServerTest, AForgedCertificateIsRefusedBeforeAnyListIsLookedAt) {
  const TestCertificate of_the_same_name(authority());
  const TestCertificate forged(CertificateWish{.name = "gone"}, &of_the_same_name);
  TlsMaterial listed = mutual();
  listed.crl = ca_.crl_pem(&forged);
  const auto server = made(listed);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    forget_session();
    const Met met = meet(server, {.most = version, .certificate = &forged});
    EXPECT_FALSE(met.server_done);
    EXPECT_EQ(met.verdict, X509_V_ERR_CERT_SIGNATURE_FAILURE) << X509_verify_cert_error_string(met.verdict);
    EXPECT_NE(met.refused.find("SHA-256 "), std::string::npos) << met.refused;
  }
  listed.crl = ca_.crl_pem(nullptr, -60);
  EXPECT_EQ(meet(made(listed), {.certificate = &forged}).verdict, X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

TEST_F(TlsServerTest, OptionalMayBeLeftOutButNotWrong) {
  const TestCertificate other_ca(authority("another authority"));
  const TestCertificate foreign(CertificateWish{}, &other_ca);
  const auto server = made(mutual(ClientCertificates::optional));
  const Met none = meet(server, {});
  EXPECT_TRUE(none.server_done);
  EXPECT_FALSE(none.certificate);
  forget_session();
  EXPECT_EQ(meet(server, {.certificate = &foreign}).alert, "unknown CA");
}

TEST_F(TlsServerTest, AListThatHasEndedLetsNobodyIn) {
  const TestCertificate agent(CertificateWish{.name = "agent"}, &ca_);
  TlsMaterial listed = mutual();
  listed.crl = ca_.crl_pem(nullptr, -60);
  EXPECT_FALSE(meet(made(listed), {.certificate = &agent}).server_done);
}

// A whole handshake fails then; a ticket must be no way around it.
TEST_F(TlsServerTest, S2_26_AListThatHasEndedLetsNobodyComeBackByATicket) {
  const TestCertificate agent(CertificateWish{.name = "agent"}, &ca_);
  TlsMaterial listed = mutual();
  listed.crl = ca_.crl_pem(nullptr, 3600);
  FakeClock clock;
  clock.advance(clock_.wall() - clock.wall());
  const ServerPtr server = TlsServer::make(listed, tickets_, clock).value();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    forget_session();
    const Client client{.most = version, .certificate = &agent};
    ASSERT_FALSE(meet(server, client).resumed);
    ASSERT_TRUE(meet(server, client).resumed);
    clock.advance(std::chrono::hours(1));
    const Met met = meet(server, client);
    EXPECT_FALSE(met.resumed) << "OpenSSL's own clock, and with it the whole handshake, is where it was";
    EXPECT_TRUE(met.server_done && met.certificate);
    EXPECT_FALSE(meet(server, client).resumed);
    clock.advance(-std::chrono::hours(1));
    EXPECT_TRUE(meet(server, client).resumed) << "one that was given meanwhile is good again with the list";
  }
}

}  // namespace
}  // namespace sallyport::net
