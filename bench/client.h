// What the load generators share: a connection to a loopback port, TLS that checks no certificate (the peer is one we
// started), the processor time of the server that is measured.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>

#include "http.h"

namespace bench {

inline int connected(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  if (fd < 0 || connect(fd, static_cast<sockaddr*>(static_cast<void*>(&address)), sizeof address) != 0) die("connect");
  no_delay(fd);
  return fd;
}

inline SSL_CTX* client_context() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_read_ahead(context, 1);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  return context;
}

// A blocking handshake on a connected socket.
inline SSL* shake(SSL_CTX* context, int fd, SSL_SESSION* session = nullptr) {
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (session != nullptr) SSL_set_session(ssl, session);
  if (SSL_connect(ssl) == 1) return ssl;
  std::fprintf(stderr, "handshake: %s\n", ERR_reason_error_string(ERR_peek_error()));
  std::exit(1);
}

// Of all threads of the process, those that ended aside.
inline std::uint64_t cpu_ns(const std::string& pid) {
  std::uint64_t sum = 0;
  if (pid.empty()) return 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + pid + "/task", error)) {
    std::ifstream file(task.path() / "schedstat");
    std::uint64_t ran = 0;
    file >> ran;
    sum += ran;
  }
  return sum;
}

}  // namespace bench
