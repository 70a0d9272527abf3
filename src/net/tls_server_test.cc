// The listener's TLS against OpenSSL clients, in memory: what is spoken, what is refused and with which alert.
#include "net/tls_server_fixture.h"
#include "net/tls_test_ocsp.h"

namespace sallyport::net {
namespace {

TEST_F(TlsServerTest, S2_25_SpeaksTls12And13AndNothingOlder) {
  const auto server = made(material());
  EXPECT_EQ(meet(server, {}).version, "TLSv1.3");
  const Met older = meet(server, {.most = TLS1_2_VERSION});
  EXPECT_TRUE(older.client_done && older.server_done);
  EXPECT_EQ(older.version, "TLSv1.2");
  for (const int version : {TLS1_1_VERSION, TLS1_VERSION, SSL3_VERSION}) {
    const Met refused = meet(server, {.least = version, .most = version});
    EXPECT_FALSE(refused.client_done || refused.server_done) << version;
  }
  EXPECT_EQ(meet(server, {.least = TLS1_1_VERSION, .most = TLS1_1_VERSION}).alert, "protocol version");
}

TEST_F(TlsServerTest, ModernIsTls13Alone) {
  TlsMaterial modern = material();
  modern.profile = TlsProfile::modern;
  const auto server = made(modern);
  EXPECT_TRUE(meet(server, {}).server_done);
  EXPECT_EQ(meet(server, {.most = TLS1_2_VERSION}).alert, "protocol version");
}

TEST_F(TlsServerTest, S2_28_OnlyEcdheWithAead) {
  const auto server = made(material());
  for (const char* bad : {"AES128-GCM-SHA256", "AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256",
                          "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-CCM", "aNULL:eNULL:@SECLEVEL=0"}) {
    const Met refused = meet(server, {.most = TLS1_2_VERSION, .suites = bad});
    EXPECT_FALSE(refused.server_done) << bad << " gave " << refused.suite;
  }
  const Met chosen =
      meet(server, {.most = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_EQ(chosen.suite, "ECDHE-ECDSA-AES128-GCM-SHA256") << "Mozilla's order, not the client's";
  forget_session();
  const Met poor =
      meet(server, {.most = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_EQ(poor.suite, "ECDHE-ECDSA-CHACHA20-POLY1305") << "who puts it first has no AES in hardware";
}

TEST_F(TlsServerTest, CurvesOfTheGuideline) {
  const auto server = made(material());
  EXPECT_EQ(meet(server, {.most = TLS1_2_VERSION, .groups = "P-384:P-256:X25519"}).group, "X25519");
  EXPECT_EQ(meet(server, {.groups = "P-384"}).group, "secp384r1");
  EXPECT_FALSE(meet(server, {.groups = "P-521:X448"}).server_done);
}

TEST_F(TlsServerTest, AnRsaCertificateWorksToo) {
  const TestCertificate rsa(CertificateWish{.key = "RSA"}, &ca_);
  TlsMaterial other = material();
  other.chain = rsa.pem();
  other.key = Secret(rsa.key_pem());
  const auto server = made(other);
  EXPECT_EQ(meet(server, {.most = TLS1_2_VERSION}).suite.substr(0, 10), "ECDHE-RSA-");
  EXPECT_TRUE(meet(server, {}).server_done);
}

// RFC 7301 3.2
TEST_F(TlsServerTest, AlpnIsHttp11OrNothing) {
  const auto server = made(material());
  EXPECT_EQ(meet(server, {.alpn = "\x02h2\x08http/1.1"}).alpn, "http/1.1");
  EXPECT_TRUE(meet(server, {.alpn = ""}).server_done) << "who offers nothing is served";
  const Met refused = meet(server, {.alpn = "\x02h2"});
  EXPECT_FALSE(refused.server_done);
  EXPECT_EQ(refused.alert, "no application protocol");
}

TEST_F(TlsServerTest, TicketsResumeOnEachWorkerAndAcrossARotation) {
  const auto server = made(material());
  EXPECT_FALSE(meet(server, {}).resumed);
  EXPECT_TRUE(meet(server, {}).resumed);
  EXPECT_TRUE(meet(made(material()), {}).resumed) << "another context with the same keys: a reload, or another worker";
  const auto second = tickets_->next(random_);
  EXPECT_TRUE(meet(server->with_tickets(second), {}).resumed) << "the former key still opens";
  EXPECT_TRUE(meet(server->with_tickets(second->next(random_)), {}).resumed) << "and what it opened was sealed anew";
  const auto far = second->next(random_)->next(random_)->next(random_);
  EXPECT_FALSE(meet(server->with_tickets(far), {}).resumed) << "two keys are kept, no more";
}

TEST_F(TlsServerTest, TicketsOfTls12ResumeToo) {
  const auto server = made(material());
  const Client older{.most = TLS1_2_VERSION};
  EXPECT_FALSE(meet(server, older).resumed);
  EXPECT_TRUE(meet(server, older).resumed);
  EXPECT_FALSE(meet(server->with_tickets(TicketKeys::fresh(random_)), older).resumed);
}

TEST_F(TlsServerTest, StaplesAnOcspResponseWhileItHolds) {
  TlsMaterial stapled = material();
  stapled.ocsp = ocsp_response(ca_, server_);
  EXPECT_TRUE(meet(made(stapled), {.wants_staple = true}).stapled);
  EXPECT_FALSE(meet(made(stapled), {}).stapled) << "who does not ask gets none";
  stapled.ocsp = ocsp_response(ca_, server_, V_OCSP_CERTSTATUS_GOOD, -60);
  const auto ended = made(stapled);
  EXPECT_FALSE(meet(ended, {.wants_staple = true}).stapled);
  EXPECT_LT(*ended->ocsp_until(), clock_.wall());
}

TEST_F(TlsServerTest, RefusesOcspOfAnotherCertificateOrThatSaysRevoked) {
  TlsMaterial stapled = material();
  stapled.ocsp = ocsp_response(ca_, ca_);
  EXPECT_NE(why_not(stapled).find("does not say that tls.certificate is good"), std::string::npos);
  stapled.ocsp = ocsp_response(ca_, server_, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_NE(why_not(stapled).find("is revoked"), std::string::npos);
  stapled.ocsp = "no DER";
  EXPECT_NE(why_not(stapled).find("no response in DER"), std::string::npos);
}

TEST_F(TlsServerTest, ServesTheChainItWasGiven) {
  const TestCertificate middle(CertificateWish{.name = "middle", .names = nullptr, .authority = true}, &ca_);
  const TestCertificate leaf(CertificateWish{}, &middle);
  TlsMaterial chained = material();
  chained.chain = leaf.pem() + middle.pem();
  chained.key = Secret(leaf.key_pem());
  EXPECT_TRUE(meet(made(chained), {}).server_done);
  chained.chain = leaf.pem() + ca_.pem();
  EXPECT_NE(why_not(chained).find("did not issue the one before it"), std::string::npos);
}

// S0-29: what must not be served is refused at the start, with the fix.
TEST_F(TlsServerTest, S0_29_RefusesWhatMustNotBeServed) {
  struct Case {
    const char* what;
    CertificateWish wanted;
    const char* why;
  };
  for (const Case& c : {Case{"short RSA", {.key = "RSA", .bits = 1024}, "RSA of 1024 bits is too short"},
                        Case{"Ed25519", {.key = "ED25519"}, "neither RSA nor EC on P-256 or P-384"},
                        Case{"P-521", {.key = "P-521"}, "neither RSA nor EC on P-256 or P-384"},
                        Case{"expired", {.from = -7200, .until = -60}, "expired at"},
                        Case{"too early", {.from = 3600, .until = 7200}, "not valid before"}}) {
    const TestCertificate bad(c.wanted, &ca_);
    TlsMaterial other;
    other.chain = bad.pem();
    other.key = Secret(bad.key_pem());
    const std::string why = why_not(other);
    EXPECT_NE(why.find(c.why), std::string::npos) << c.what << ": " << why;
    EXPECT_NE(why.find("; fix: "), std::string::npos) << why;
  }
}

TEST_F(TlsServerTest, RefusesWhatDoesNotBelongTogether) {
  TlsMaterial other = material();
  other.key = Secret(ca_.key_pem());
  EXPECT_NE(why_not(other).find("is not the key of tls.certificate"), std::string::npos);
  other.key = Secret("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_NE(why_not(other).find("without a passphrase"), std::string::npos);
  other = material();
  other.chain = "nothing";
  EXPECT_NE(why_not(other).find("no certificate in PEM"), std::string::npos);
  other.chain = server_.pem().substr(0, 200);
  EXPECT_NE(why_not(other).find("no certificate in PEM"), std::string::npos);
  other = mutual();
  other.client_ca = server_.pem();
  EXPECT_NE(why_not(other).find("is no authority's"), std::string::npos);
  other = mutual();
  other.crl = "nothing";
  EXPECT_NE(why_not(other).find("tls.crl"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::net
