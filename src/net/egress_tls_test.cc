// HTTPS of the egress client against a blocking OpenSSL server on a thread: the name and the authority are checked.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "net/loopback_fixture.h"
#include "net/tls_workshop.h"

namespace sallyport::net {
namespace {

struct Certificate {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();

  explicit Certificate(const char* alt_name) {
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    for (const auto& [nid, value] :
         {std::pair{NID_subject_alt_name, alt_name}, {NID_basic_constraints, "critical,CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(x509, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(x509, key, EVP_sha256());
  }
  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  void write(const std::string& path) const {
    BIO* bio = BIO_new_file(path.c_str(), "w");
    PEM_write_bio_X509(bio, x509);
    BIO_free(bio);
  }
};

class EgressTls : public Loopback {
 protected:
  std::string ca_ = testing::TempDir() + "sp_ca_" + std::to_string(::getpid()) + ".pem";

  TlsWorkshop* workshop_ = nullptr;

  // Serves connections one after another; each answers requests until it ends.
  static void serve_blocking(int listener, const Certificate& certificate, int max_version, int connections) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(context, max_version);
    SSL_CTX_use_certificate(context, certificate.x509);
    SSL_CTX_use_PrivateKey(context, certificate.key);
    for (int i = 0; i < connections; ++i) {
      const int fd = ::accept(listener, nullptr, nullptr);
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      if (SSL_accept(ssl) == 1) {
        char buffer[4096];
        while (SSL_read(ssl, buffer, sizeof buffer) > 0) {
          static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";
          SSL_write(ssl, kAnswer.data(), static_cast<int>(kAnswer.size()));
        }
      }
      SSL_free(ssl);
      ::close(fd);
    }
    SSL_CTX_free(context);
  }

  // The outcome of `fetches` GETs to `host` against a server with a certificate for `alt_name`.
  std::vector<Result<EgressResponse>> ask(const char* alt_name, const char* host, bool trusted, int max_version,
                                          int fetches) {
    const Certificate certificate(alt_name), other(alt_name);
    (trusted ? certificate : other).write(ca_);
    acceptor_.native_non_blocking(false);
    std::thread server([&, fd = acceptor_.native_handle()] { serve_blocking(fd, certificate, max_version, 1); });
    std::vector<Result<EgressResponse>> answers;
    EgressClient client(io_.get_executor(), sweep_, {.ca_file = ca_, .workshop = workshop_});
    const auto target = EgressTarget::make("https://" + std::string(host) + ":" + std::to_string(port()) + "/",
                                           {.allow_private = true});
    sweep_.start();
    asio::co_spawn(
        io_,
        [](auto& self, auto& c, auto t, auto& out, int n) -> Task<void> {
          for (int i = 0; i < n; ++i) {
            EgressRequest request{.target = t, .method = "GET", .deadline = self.soon()};
            out.push_back(co_await c.fetch(std::move(request)));
          }
          c.drop_idle();
          self.sweep_.stop();
        }(*this, client, *target, answers, fetches),
        [](const std::exception_ptr&) {});
    io_.run_for(std::chrono::seconds{10});
    server.join();
    ::unlink(ca_.c_str());
    return answers;
  }
};

TEST_F(EgressTls, SpeaksToWhomItTrustsAndReusesTheConnection) {
  const auto answers = ask("IP:127.0.0.1", "127.0.0.1", true, TLS1_3_VERSION, 3);
  ASSERT_EQ(answers.size(), 3U);
  for (const auto& answer : answers)
    EXPECT_TRUE(answer && answer->body == "secure") << (answer ? "" : answer.error().detail);
}

TEST_F(EgressTls, ChecksANameToo) {
  const auto answers = ask("DNS:localhost", "localhost", true, TLS1_2_VERSION, 1);
  EXPECT_TRUE(answers.at(0)) << answers.at(0).error().detail;
}

TEST_F(EgressTls, RefusesAnotherName) {
  const auto answers = ask("DNS:other.example", "localhost", true, TLS1_3_VERSION, 1);
  ASSERT_FALSE(answers.at(0));
  EXPECT_NE(answers.at(0).error().detail.find("mismatch"), std::string::npos) << answers.at(0).error().detail;
}

TEST_F(EgressTls, RefusesAnUnknownAuthority) {
  EXPECT_FALSE(ask("IP:127.0.0.1", "127.0.0.1", false, TLS1_3_VERSION, 1).at(0));
}

// No worker reads authorities or makes a context: the workshop's thread does, once for all of them.
TEST_F(EgressTls, AWorkshopMakesTheContext) {
  TlsWorkshop workshop;
  workshop_ = &workshop;
  const auto answers = ask("IP:127.0.0.1", "127.0.0.1", true, TLS1_3_VERSION, 2);
  ASSERT_EQ(answers.size(), 2U);
  for (const auto& answer : answers) EXPECT_TRUE(answer) << answer.error().detail;
}

TEST_F(EgressTls, RefusesTls11) { EXPECT_FALSE(ask("IP:127.0.0.1", "127.0.0.1", true, TLS1_1_VERSION, 1).at(0)); }

}  // namespace
}  // namespace sallyport::net
