#include "net/tls_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "net/tls_pem.h"

namespace sallyport::net {
namespace {

// RFC 7469 2.6: some key of the chain that was validated, as it was validated. Before anything of ours is shown.
int verify_with_pins(X509_STORE_CTX* store, void* terms) {
  if (X509_verify_cert(store) != 1) return 0;
  const auto& pins = static_cast<const TlsTerms*>(terms)->pins();
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(store);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (std::ranges::binary_search(pins, spki_digest(*sk_X509_value(chain, i)))) return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

// What every connection of ours demands, whatever the target.
bool demand(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, 2);  // as the listener: nothing below 112 bits, whatever the distribution takes
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1) == 0;
}

}  // namespace

void TlsClient::Deleter::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Result<void> TlsClient::trust(const std::string& ca_file) {
  SSL_CTX* const context = context_.get();
  if (terms_ && !terms_->ca_pem().empty()) {
    SP_TRY(const auto authorities, read_certificates(terms_->ca_pem(), "certificate authorities"));
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    for (const auto& one : authorities) {
      if (X509_STORE_add_cert(store, one.get()) != 1) return fail(Code::crypto, "certificate authorities");
    }
  } else if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return fail(Code::crypto, "system certificate authorities");
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return fail(Code::config, "cannot read certificate authorities from " + ca_file);
  }
  return {};
}

Result<void> TlsClient::show_own() {
  if (!terms_ || terms_->certificate_pem().empty()) return {};
  SSL_CTX* const context = context_.get();
  SP_TRY(const auto chain, read_certificates(terms_->certificate_pem(), "client certificate"));
  SP_TRY(const auto key, read_key(terms_->key_pem().reveal(), "client key"));
  bool taken = SSL_CTX_use_certificate(context, chain.front().get()) == 1;
  for (std::size_t i = 1; taken && i < chain.size(); ++i) taken = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  if (!taken) return fail(Code::config, "client certificate: too weak, or of no use");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return fail(Code::config, "the client key is not that of the first client certificate");
  return {};
}

Result<std::shared_ptr<const TlsClient>> TlsClient::make(TlsTermsPtr terms, const std::string& ca_file) {
  const auto client = std::make_shared<TlsClient>();
  client->terms_ = std::move(terms);
  client->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = client->context_.get();
  if (context == nullptr || !demand(context)) return fail(Code::crypto, "TLS context");
  SP_CHECK(client->trust(ca_file));
  SP_CHECK(client->show_own());
  if (client->terms_ && !client->terms_->pins().empty()) {
    SSL_CTX_set_cert_verify_callback(context, verify_with_pins, const_cast<TlsTerms*>(client->terms_.get()));
  }
  return client;
}

Result<SslPtr> TlsClient::session(const Url& url) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return fail(Code::crypto, "TLS session");
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl.get());
  // RFC 9110 4.3.4 and RFC 9525 6.4.4: the name stands in subjectAltName, never in the subject.
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool named = url.address ? X509_VERIFY_PARAM_set1_ip_asc(param, url.host.c_str()) == 1
                                 : X509_VERIFY_PARAM_set1_host(param, url.host.c_str(), url.host.size()) == 1 &&
                                       SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                                const_cast<char*>(url.host.c_str())) == 1;
  if (!named) return fail(Code::crypto, "TLS host name");
  return ssl;
}

void TlsClients::make_room() {
  if (all_.size() < kMost) return;
  all_.erase(std::ranges::min_element(all_, {}, [](const auto& entry) { return entry.second.used; }));
}

std::shared_ptr<const TlsClient> TlsClients::find(const TlsTermsPtr& terms) {
  const auto found = all_.find(terms ? terms->id() : std::string());
  if (found == all_.end()) return nullptr;
  found->second.used = ++turn_;
  return found->second.client;
}

void TlsClients::put(const TlsTermsPtr& terms, std::shared_ptr<const TlsClient> client) {
  make_room();
  all_[terms ? terms->id() : std::string()] = Entry{std::move(client), ++turn_};
}

Result<std::shared_ptr<const TlsClient>> TlsClients::of(const TlsTermsPtr& terms) {
  if (auto known = find(terms)) return known;
  SP_TRY(auto made, TlsClient::make(terms, ca_file_));
  put(terms, made);
  return made;
}

}  // namespace sallyport::net
