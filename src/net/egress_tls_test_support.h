// Certificates made for a test, and a blocking TLS server on threads that shows and demands them. Tests only.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/tls_pem.h"

namespace sallyport::net::testing {

struct Issued;

struct Wanted {
  std::string common_name = "test";
  std::string alt_names = "IP:127.0.0.1";  // as OpenSSL writes them; empty: none
  const Issued* issuer = nullptr;          // null: itself
  bool authority = false;
  long valid_from = -3600, valid_to = 3600;  // seconds from now
};

struct Issued {
  X509Ptr x509{X509_new()};
  KeyPtr key{EVP_EC_gen("P-256")};

  explicit Issued(const Wanted& wanted) {
    X509* const x = x509.get();
    static std::atomic<long> serial{1};
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), wanted.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(x), wanted.valid_to);
    X509_set_pubkey(x, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
    const Issued& issuer = wanted.issuer != nullptr ? *wanted.issuer : *this;
    X509_set_issuer_name(x, X509_get_subject_name(issuer.x509.get()));
    extend(NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wanted.alt_names.empty()) extend(NID_subject_alt_name, wanted.alt_names.c_str());
    X509_sign(x, issuer.key.get(), EVP_sha256());
  }
  [[nodiscard]] std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509.get());
    return text_of(bio);
  }
  [[nodiscard]] std::string key_pem(const char* passphrase = nullptr) const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), passphrase != nullptr ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                             const_cast<char*>(passphrase));
    return text_of(bio);
  }
  // By OpenSSL's own base64, not by the code under test.
  [[nodiscard]] std::string pin() const {
    const auto digest = spki_digest(*x509);
    std::string text(45, '\0');
    text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                         reinterpret_cast<const unsigned char*>(digest.data()), 32)));
    return "sha256/" + text;
  }

 private:
  void extend(int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
};

struct ServerTls {
  const Issued& certificate;
  std::vector<const Issued*> extra = {};    // sent behind it
  const Issued* client_authority = nullptr;  // a client shows one of its certificates
  int max_version = TLS1_3_VERSION;
};

// Serves `listener` (blocking) until it is destroyed: each request is answered with the common name of the client.
class BlockingServer {
 public:
  BlockingServer(int listener, ServerTls tls) : listener_(listener), context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_max_proto_version(context_, tls.max_version);
    SSL_CTX_use_certificate(context_, tls.certificate.x509.get());
    SSL_CTX_use_PrivateKey(context_, tls.certificate.key.get());
    for (const Issued* one : tls.extra) SSL_CTX_add1_chain_cert(context_, one->x509.get());
    if (tls.client_authority != nullptr) {
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), tls.client_authority->x509.get());
    }
    acceptor_ = std::thread([this] { accept(); });
  }
  BlockingServer(const BlockingServer&) = delete;
  BlockingServer& operator=(const BlockingServer&) = delete;
  ~BlockingServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& one : connections_) one.join();
    SSL_CTX_free(context_);
  }
  [[nodiscard]] int accepted() const { return accepted_; }
  // Common names of the certificates that clients showed, refused ones too.
  [[nodiscard]] std::vector<std::string> shown() const {
    const std::lock_guard lock(mutex_);
    return shown_;
  }

 private:
  void accept() {
    for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      ++accepted_;
      connections_.emplace_back([this, fd] { serve(fd); });
    }
  }
  static std::string name_of(SSL* ssl) {
    const X509* const peer = SSL_get0_peer_certificate(ssl);
    char name[128] = "nobody";
    if (peer != nullptr) X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
    return name;
  }
  void serve(int fd) {
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
      const std::string name = name_of(ssl);
      {
        const std::lock_guard lock(mutex_);
        shown_.push_back(name);
      }
      const std::string answer =
          "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + name;
      char buffer[4096];
      while (SSL_read(ssl, buffer, sizeof buffer) > 0) SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    }
    SSL_free(ssl);
    ::shutdown(fd, SHUT_WR);
    char rest[256];
    while (::read(fd, rest, sizeof rest) > 0) {
    }
    ::close(fd);
  }

  int listener_;
  SSL_CTX* context_;
  std::atomic<int> accepted_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> shown_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace sallyport::net::testing
