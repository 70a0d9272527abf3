#include "net/tls_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace sallyport::net {

void TlsClient::Deleter::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Result<TlsClient> TlsClient::make(const std::string& ca_file) {
  TlsClient client;
  client.context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = client.context_.get();
  if (context == nullptr) return fail(Code::crypto, "TLS context");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1) != 0) {
    return fail(Code::crypto, "TLS context");
  }
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return fail(Code::crypto, "system certificate authorities");
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return fail(Code::config, "cannot read certificate authorities from " + ca_file);
  }
  return client;
}

Result<SslPtr> TlsClient::session(const Url& url) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return fail(Code::crypto, "TLS session");
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool named = url.address ? X509_VERIFY_PARAM_set1_ip_asc(param, url.host.c_str()) == 1
                                 : X509_VERIFY_PARAM_set1_host(param, url.host.c_str(), url.host.size()) == 1 &&
                                       SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                                const_cast<char*>(url.host.c_str())) == 1;
  if (!named) return fail(Code::crypto, "TLS host name");
  return ssl;
}

}  // namespace sallyport::net
