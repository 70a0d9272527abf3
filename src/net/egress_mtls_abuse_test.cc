// TLS to an upstream with authorities, pins and a client certificate of its own (S2-26, S2-25): what is let through, and each
// way of being deceived, refused by its name.
#include "net/blocking_server_test_support.h"
#include "net/loopback_fixture.h"
#include "net/tls_client.h"

namespace sallyport::net {
namespace {

using made::BlockingServer;
using made::Issued;
using made::ServerTls;
using made::Wanted;

TlsTermsPtr terms(std::string ca, std::vector<std::string> pins = {}, const Issued* own = nullptr) {
  TlsParts parts{.ca_pem = std::move(ca), .pins = std::move(pins)};
  if (own != nullptr) {
    parts.certificate_pem = own->pem();
    parts.key_pem = Secret(own->key_pem());
  }
  auto made = TlsTerms::make(std::move(parts));
  EXPECT_TRUE(made) << made.error().detail;
  return made ? *made : nullptr;
}

class EgressMtls : public Loopback {
 protected:
  const Issued ca_{Wanted{.common_name = "ca", .alt_names = "", .authority = true}};
  const Issued other_ca_{Wanted{.common_name = "other ca", .alt_names = "", .authority = true}};
  const Issued server_{Wanted{.common_name = "server", .issuer = &ca_}};
  const Issued client_{Wanted{.common_name = "gateway", .alt_names = "", .issuer = &ca_}};
  const Issued stranger_{Wanted{.common_name = "stranger", .alt_names = "", .issuer = &other_ca_}};
  int accepted_connections_ = 0;
  std::vector<std::string> shown_;

  // One GET with each terms in turn; what came back, or "error: " and why.
  std::vector<std::string> ask(const ServerTls& tls, const std::vector<TlsTermsPtr>& all_terms,
                               const std::string& host = "127.0.0.1") {
    acceptor_.native_non_blocking(false);
    std::vector<std::string> said;
    {
      BlockingServer server(acceptor_.native_handle(), tls);
      EgressClient client(io_.get_executor(), sweep_);
      sweep_.start();
      asio::co_spawn(io_, gets(client, all_terms, host, said), [](const std::exception_ptr&) {});
      io_.run_for(std::chrono::seconds{20});
      client.drop_idle();
      accepted_connections_ = server.accepted();
      shown_ = server.shown();
    }
    return said;
  }
  std::string ask_once(const ServerTls& tls, const TlsTermsPtr& one, const std::string& host = "127.0.0.1") {
    const auto said = ask(tls, {one}, host);
    return said.size() == 1 ? said[0] : "no answer";
  }

 private:
  Task<void> gets(EgressClient& client, std::vector<TlsTermsPtr> all_terms, std::string host,
                  std::vector<std::string>& said) {
    for (const auto& one : all_terms) {
      const auto target =
          EgressTarget::make("https://" + host + ":" + std::to_string(port()) + "/", {.allow_private = true}, {}, one);
      EgressRequest request{.target = target.value(), .method = "GET", .deadline = soon()};
      const auto answer = co_await client.fetch(std::move(request));
      said.push_back(answer ? answer->body : "error: " + answer.error().detail);
    }
    client.drop_idle();
    sweep_.stop();
  }
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
#define EXPECT_SAYS(text, part) EXPECT_PRED2(says, text, part)

TEST_F(EgressMtls, AnAuthorityOfItsOwnIsTrustedInPlaceOfTheSystems) {
  EXPECT_EQ(ask_once({server_}, terms(ca_.pem())), "nobody");
}

TEST_F(EgressMtls, AServerOfAnotherAuthorityIsAnUnknownCa) {
  EXPECT_SAYS(ask_once({server_}, terms(other_ca_.pem())), "unknown CA");
}

TEST_F(EgressMtls, WithoutTermsAPrivateAuthorityIsAnUnknownCa) {
  EXPECT_SAYS(ask_once({server_}, nullptr), "unknown CA");
}

TEST_F(EgressMtls, AnotherNameIsANameMismatch) {
  const Issued elsewhere(Wanted{.alt_names = "DNS:elsewhere.example", .issuer = &ca_});
  EXPECT_SAYS(ask_once({elsewhere}, terms(ca_.pem())), "name mismatch");
}

// RFC 9525 6.4.4.
TEST_F(EgressMtls, ANameInTheSubjectAloneIsNoName) {
  const Issued old(Wanted{.common_name = "localhost", .alt_names = "", .issuer = &ca_});
  EXPECT_SAYS(ask_once({old}, terms(ca_.pem()), "localhost"), "name mismatch");
}

TEST_F(EgressMtls, AnExpiredServerIsCalledExpired) {
  const Issued over(Wanted{.issuer = &ca_, .valid_from = -7200, .valid_to = -60});
  EXPECT_SAYS(ask_once({over}, terms(ca_.pem())), "expired");
}

TEST_F(EgressMtls, APinOfTheLeafOrOfItsAuthorityFits) {
  EXPECT_EQ(ask_once({server_}, terms(ca_.pem(), {other_ca_.pin(), server_.pin()})), "nobody");
}

TEST_F(EgressMtls, APinOfTheAuthorityFitsForEveryLeafOfIt) {
  EXPECT_EQ(ask_once({server_}, terms(ca_.pem(), {ca_.pin()})), "nobody");
}

TEST_F(EgressMtls, AValidChainWithoutThePinnedKeyIsAPinMismatch) {
  const std::string said = ask_once({server_}, terms(ca_.pem(), {client_.pin()}));
  EXPECT_SAYS(said, "pin mismatch");
}

// A pin is no trust anchor: it stands beside the chain, never in place of it.
TEST_F(EgressMtls, APinnedKeyOfAnUnknownAuthorityIsRefused) {
  EXPECT_SAYS(ask_once({server_}, terms(other_ca_.pem(), {server_.pin()})), "unknown CA");
}

// Certificates are public: whoever has one from our authority could send the pinned one along.
TEST_F(EgressMtls, ThePinnedCertificateSentAlongIsNoProofOfIt) {
  const Issued impostor(Wanted{.common_name = "impostor", .issuer = &ca_});
  EXPECT_SAYS(ask_once({.certificate = impostor, .extra = {&server_}}, terms(ca_.pem(), {server_.pin()})),
              "pin mismatch");
}

TEST_F(EgressMtls, WhoHasNotThePinnedKeyNeverSeesOurCertificate) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_};
  EXPECT_SAYS(ask_once(tls, terms(ca_.pem(), {other_ca_.pin()}, &client_)), "pin mismatch");
  EXPECT_EQ(shown_, std::vector<std::string>{});
}

TEST_F(EgressMtls, AClientCertificateIsShown) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_};
  EXPECT_EQ(ask_once(tls, terms(ca_.pem(), {}, &client_)), "gateway");
}

TEST_F(EgressMtls, AClientCertificateIsShownInTls12) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_, .max_version = TLS1_2_VERSION};
  EXPECT_EQ(ask_once(tls, terms(ca_.pem(), {server_.pin()}, &client_)), "gateway");
}

TEST_F(EgressMtls, AServerThatWantsACertificateSaysSo) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_};
  EXPECT_SAYS(ask_once(tls, terms(ca_.pem())), "client certificate refused");
}

TEST_F(EgressMtls, ACertificateOfAnotherAuthorityIsRefusedByTheServer) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_};
  EXPECT_SAYS(ask_once(tls, terms(ca_.pem(), {}, &stranger_)), "client certificate refused");
}

TEST_F(EgressMtls, ACertificateOfAnotherAuthorityIsRefusedByTheServerInTls12) {
  const ServerTls tls{.certificate = server_, .client_authority = &ca_, .max_version = TLS1_2_VERSION};
  EXPECT_SAYS(ask_once(tls, terms(ca_.pem(), {}, &stranger_)), "client certificate refused");
}

TEST_F(EgressMtls, AConnectionIsNeverUsedUnderOtherTerms) {
  const Issued second(Wanted{.common_name = "second", .alt_names = "", .issuer = &ca_});
  const ServerTls tls{.certificate = server_, .client_authority = &ca_};
  const auto first = terms(ca_.pem(), {}, &client_), twin = terms(ca_.pem(), {}, &client_);
  const auto said = ask(tls, {first, terms(ca_.pem(), {}, &second), twin, terms(ca_.pem())});
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0], "gateway");
  EXPECT_EQ(said[1], "second");
  EXPECT_EQ(said[2], "gateway");
  EXPECT_SAYS(said[3], "client certificate refused");
  EXPECT_EQ(accepted_connections_, 3) << "the twin, equal to the byte, goes on with the connection of the first";
}

TEST_F(EgressMtls, TermsWithoutTlsAreRefused) {
  EXPECT_FALSE(EgressTarget::make("http://127.0.0.1/", {.allow_private = true}, {}, terms(ca_.pem())));
}

TEST_F(EgressMtls, ContextsAreBounded) {
  TlsClients clients("");
  const auto first = terms(ca_.pem());
  ASSERT_TRUE(clients.of(first));
  const auto kept = clients.of(first).value();
  for (int i = 0; i < 300; ++i) {
    TlsParts parts{.ca_pem = ca_.pem()};
    parts.ca_pem += std::string(static_cast<std::size_t>(i) + 1, '\n');  // another text, the same authority
    ASSERT_TRUE(clients.of(TlsTerms::make(std::move(parts)).value()));
    ASSERT_EQ(clients.of(first).value(), kept) << "what is used stays";
  }
  EXPECT_EQ(clients.size(), TlsClients::kMost);
}

TEST(TlsTermsOf, TheKeyIsThatOfTheCertificate) {
  const Issued a(Wanted{}), b(Wanted{});
  const auto made = TlsTerms::make({.certificate_pem = a.pem(), .key_pem = Secret(b.key_pem())});
  ASSERT_FALSE(made);
  EXPECT_SAYS(made.error().detail, "not that of");
}

TEST(TlsTermsOf, NobodyIsAskedForAPassphrase) {
  const Issued a(Wanted{});
  const auto made = TlsTerms::make({.certificate_pem = a.pem(), .key_pem = Secret(a.key_pem("secret"))});
  ASSERT_FALSE(made);
  EXPECT_SAYS(made.error().detail, "without a passphrase");
}

TEST(TlsTermsOf, HalfAPairIsRefused) {
  const Issued a(Wanted{});
  EXPECT_FALSE(TlsTerms::make({.certificate_pem = a.pem()}));
  EXPECT_FALSE(TlsTerms::make({.key_pem = Secret(a.key_pem())}));
}

TEST(TlsTermsOf, AuthoritiesAreReadToTheirEnd) {
  const std::string good = Issued(Wanted{}).pem();
  EXPECT_TRUE(TlsTerms::make({.ca_pem = good + good}));
  for (const std::string& bad : {std::string("nothing"), good.substr(0, good.size() / 2),
                                 good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_FALSE(TlsTerms::make({.ca_pem = bad})) << bad;
  }
}

TEST(TlsTermsOf, PinsAreInTheFormOfRfc7469) {
  // The example of RFC 7469 2.4 is of a real key; this one is the SHA-256 of nothing.
  const std::string good = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  ASSERT_TRUE(read_pin(good));
  EXPECT_EQ(*read_pin(good), crypto::sha256(""));
  for (const std::string& bad :
       {std::string(), std::string("sha256/"), good.substr(0, 50), good + "=", "sha1" + good.substr(6),
        "SHA256" + good.substr(6), "sha256:" + good.substr(7),
        std::string("sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="),  // base64url
        std::string("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="),  // bits behind the end
        std::string("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=="), " " + good.substr(1)}) {
    EXPECT_FALSE(read_pin(bad)) << bad;
  }
}

TEST(TlsTermsOf, PemIsTextOrAFileAtAnAbsolutePath) {
  const std::string pem = Issued(Wanted{}).pem();
  EXPECT_EQ(pem_of(pem, "ca").value(), pem);
  const std::string path = ::testing::TempDir() + "sp_pem_" + std::to_string(::getpid()) + ".pem";
  FILE* file = std::fopen(path.c_str(), "w");
  std::fputs(pem.c_str(), file);
  std::fclose(file);
  EXPECT_EQ(pem_of(path, "ca").value(), pem);
  ::unlink(path.c_str());
  for (const std::string& bad :
       {path, std::string("ca.pem"), std::string("/"), std::string("/dev/zero"), std::string()}) {
    EXPECT_FALSE(pem_of(bad, "ca")) << bad;
  }
}

}  // namespace
}  // namespace sallyport::net
