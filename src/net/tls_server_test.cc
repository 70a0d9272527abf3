// The listener's TLS against OpenSSL clients, in memory: what is spoken, what is refused and with which alert.
#include "net/tls_server.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_test_ocsp.h"
#include "net/tls_test_support.h"

namespace sallyport::net {
namespace {

using ServerPtr = std::shared_ptr<const TlsServer>;

struct Met {
  bool client_done = false, server_done = false;
  std::string version, suite, alpn, group;
  std::string alert;  // what the client was told
  bool resumed = false, stapled = false;
  long verdict = X509_V_OK;  // the server's about the client
  std::string refused;
  std::shared_ptr<const PeerCertificate> certificate;
};

class TlsServerTest : public testing::Test {
 protected:
  SystemClock clock_;
  SystemRandom random_;
  TestCertificate ca_{authority()};
  TestCertificate server_{CertificateWish{}, &ca_};
  std::shared_ptr<const TicketKeys> tickets_ = TicketKeys::fresh(random_);
  SSL_SESSION* session_ = nullptr;

  ~TlsServerTest() override { SSL_SESSION_free(session_); }

  void forget_session() { SSL_SESSION_free(std::exchange(session_, nullptr)); }
  [[nodiscard]] TlsMaterial material() const {
    TlsMaterial out;
    out.chain = server_.pem();
    out.key = Secret(server_.key_pem());
    return out;
  }
  [[nodiscard]] TlsMaterial mutual(ClientCertificates mode = ClientCertificates::required) const {
    TlsMaterial out = material();
    out.client_ca = ca_.pem();
    out.client_certificates = mode;
    return out;
  }
  ServerPtr made(const TlsMaterial& material) {
    auto server = TlsServer::make(material, tickets_, clock_);
    EXPECT_TRUE(server) << server.error().detail;
    return server ? *server : nullptr;
  }
  [[nodiscard]] std::string why_not(const TlsMaterial& material) const {
    const auto server = TlsServer::make(material, tickets_, clock_);
    return server ? "it was made" : server.error().detail;
  }

  struct Client {
    int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
    const char* suites = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
    const char* groups = nullptr;
    std::string alpn = "\x08http/1.1";
    const TestCertificate* certificate = nullptr;
    bool wants_staple = false;
  };

  static void on_client(const SSL* ssl, int where, int value) {
    if (where != SSL_CB_READ_ALERT) return;
    auto& alert = static_cast<Met*>(SSL_get_app_data(ssl))->alert;
    alert = SSL_alert_desc_string_long(value);
    if ((value & 0xFF) == SSL_AD_CERTIFICATE_REQUIRED) alert = "certificate required";  // OpenSSL 3.0 has no word for it
  }
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto& kept = *static_cast<SSL_SESSION**>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
  }

  // A handshake between `server` and a client in this thread; sessions are kept in session_, and resumed from there.
  Met meet(const ServerPtr& server, const Client& wanted) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, wanted.least);
    SSL_CTX_set_max_proto_version(context, wanted.most);
    SSL_CTX_set_cipher_list(context, wanted.suites);
    if (wanted.groups != nullptr) SSL_CTX_set1_groups_list(context, wanted.groups);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context, &session_);
    SSL_CTX_sess_set_new_cb(context, on_session);
    if (wanted.certificate != nullptr) {
      SSL_CTX_use_certificate(context, wanted.certificate->x509());
      SSL_CTX_use_PrivateKey(context, wanted.certificate->key());
    }
    const SslPtr client(SSL_new(context));
    const auto ours = server->session();
    Met met;
    SSL_set_app_data(client.get(), &met);
    SSL_set_info_callback(client.get(), on_client);
    if (!wanted.alpn.empty()) {
      SSL_set_alpn_protos(client.get(), reinterpret_cast<const unsigned char*>(wanted.alpn.data()),
                          static_cast<unsigned>(wanted.alpn.size()));
    }
    if (wanted.wants_staple) SSL_set_tlsext_status_type(client.get(), TLSEXT_STATUSTYPE_ocsp);
    if (session_ != nullptr) SSL_set_session(client.get(), session_);
    shake(client.get(), ours->get(), met);
    learn(client.get(), ours->get(), met);
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else its session counts as broken
    SSL_CTX_free(context);
    ERR_clear_error();
    return met;
  }
  static void shake(SSL* client, SSL* server, Met& met) {
    BIO *a = nullptr, *b = nullptr;
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    char byte = 0;
    for (int turn = 0; turn < 10; ++turn) {
      met.client_done = met.client_done || SSL_do_handshake(client) == 1;
      met.server_done = met.server_done || SSL_do_handshake(server) == 1;
      if (met.client_done) SSL_read(client, &byte, 1);  // tickets, or the alert of TLS 1.3 that comes after it was done
    }
    ERR_clear_error();
  }
  static void learn(SSL* client, SSL* server, Met& met) {
    met.version = SSL_get_version(client);
    met.suite = SSL_get_cipher_name(client);
    const unsigned char* alpn = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client, &alpn, &size);
    met.alpn.assign(reinterpret_cast<const char*>(alpn), size);
    if (met.server_done) met.group = OBJ_nid2sn(static_cast<int>(SSL_get_negotiated_group(server)));
    met.resumed = SSL_session_reused(client) == 1;
    const unsigned char* staple = nullptr;
    met.stapled = SSL_get_tlsext_status_ocsp_resp(client, &staple) > 0;
    met.verdict = SSL_get_verify_result(server);
    met.refused = refused_certificate_of(server);
    if (met.server_done) met.certificate = peer_certificate_of(server, SystemClock().wall()).value_or(nullptr);
  }
};

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
  EXPECT_TRUE(server->trusts(above) && server->trusts(other) && narrow->trusts(above));
  EXPECT_FALSE(narrow->trusts(other)) << "taken out of tls.client_ca";
  EXPECT_FALSE(narrow->trusts({}));
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
