// TLS of the load generators: a client that checks no certificate (the peer is one we started), one context a process.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http.h"

namespace bench {

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

}  // namespace bench
