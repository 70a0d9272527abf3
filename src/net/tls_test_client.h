// For tests of the listener's TLS: OpenSSL's client in this thread, against a context of ours and without a network.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_server.h"
#include "net/tls_test_support.h"

namespace sallyport::net {

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

// It comes back with the session that it was given last.
class TlsTestClient {
 protected:
  ~TlsTestClient() { SSL_SESSION_free(session_); }
  void forget_session() { SSL_SESSION_free(std::exchange(session_, nullptr)); }

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
    if ((value & 0xFF) == SSL_AD_CERTIFICATE_REQUIRED)
      alert = "certificate required";  // OpenSSL 3.0 has no word for it
  }
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto& kept = *static_cast<SSL_SESSION**>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
  }

  // A handshake with `server`; sessions are kept in session_, and resumed from there.
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

  SSL_SESSION* session_ = nullptr;
};

}  // namespace sallyport::net
