// A blocking TLS server on threads that shows certificates and demands them, for tests of TLS clients. Tests only.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/egress_tls_test_support.h"

namespace sallyport::net::made {

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

}  // namespace sallyport::net::made
