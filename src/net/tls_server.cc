#include "net/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>
#include <tuple>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "net/revocations.h"
#include "net/tls_material.h"
#include "net/tls_pem.h"

namespace sallyport::net {
namespace {

// Mozilla's guideline, intermediate, without finite-field DHE: nothing but ECDHE (S2-28).
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:"
    "RSA+SHA512:ed25519";
constexpr unsigned char kAlpn[] = "\x08http/1.1";
constexpr int kChainMax = 6;  // certificates of a client above its own

std::unexpected<Error> broken(const char* what) { return fail(Code::crypto, std::string("TLS context: ") + what); }

// RFC 7301 3.2: a client that offers protocols, none of which is ours, is refused with no_application_protocol.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size,
                void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, kAlpn, sizeof kAlpn - 1, in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void drop_text(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(text); }

int refused_slot() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, drop_text);
  return index;
}

// Those above a client's certificate: of each the digest of its key, and how revocation lists name it.
struct Above {
  static constexpr std::size_t kKeyBytes = std::tuple_size_v<crypto::Digest>, kRowBytes = kKeyBytes + kLinkBytes;
  std::string rows;

  // False: a name in it cannot be written.
  bool take(const STACK_OF(X509) * chain) {
    const int count = sk_X509_num(chain);
    for (int i = count == 1 ? 0 : 1; i < count; ++i) {  // alone: an authority that shows itself
      const auto link = revocation_link(*sk_X509_value(chain, i));
      if (!link || rows.size() == (kChainMax + 2) * kRowBytes) return false;
      rows.append(as_text(spki_digest(*sk_X509_value(chain, i)))).append(*link);
    }
    return true;
  }
  void say_in(PeerCertificate& certificate) const {
    for (std::string_view rest = rows; rest.size() >= kRowBytes; rest.remove_prefix(kRowBytes)) {
      certificate.authorities.push_back(hex_encode(as_bytes(rest.substr(0, kKeyBytes))));
      certificate.links.append(rest.substr(kKeyBytes, kLinkBytes));
    }
  }
};

// A resumed session has no chain: its ticket says who stood above. One that resumes has it from the ticket before.
int keep_above(SSL* ssl, void*) {
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
  if (chain == nullptr) return 1;
  Above above;
  return above.take(chain) ? SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), above.rows.data(), above.rows.size())
                           : 0;
}

Result<Above> above_of(const SSL* ssl) {
  Above out;
  if (SSL_session_reused(ssl) != 1) {
    const STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
    if (chain != nullptr && !out.take(chain)) return fail(Code::crypto, "certificate: an issuer's name cannot be read");
    return out;
  }
  void* data = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &size) != 1 || data == nullptr) return out;
  out.rows.assign(static_cast<const char*>(data), size);
  return out;
}

void keep_refused(SSL* ssl, X509* leaf) {
  if (ssl == nullptr || leaf == nullptr || SSL_get_ex_data(ssl, refused_slot()) != nullptr) return;
  const auto who = read_certificate(leaf);
  auto* const text = new (std::nothrow)
      std::string(who ? who->subject + ", SHA-256 " + who->fingerprint_sha256 : std::string(who.error().detail));
  if (text != nullptr && SSL_set_ex_data(ssl, refused_slot(), text) != 1) delete text;
}

// Changes no verdict but that on a client's certificate beyond our limits (PeerCertificate), which is refused here, where there is
// an alert for it; keeps whose certificate it was that did not pass.
int on_verified(int ok, X509_STORE_CTX* verified) {
  X509* const leaf = X509_STORE_CTX_get0_cert(verified);
  if (ok == 1 && (X509_STORE_CTX_get_error_depth(verified) != 0 || leaf == nullptr || read_certificate(leaf))) return 1;
  if (ok == 1) X509_STORE_CTX_set_error(verified, X509_V_ERR_CERT_REJECTED);
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verified, SSL_get_ex_data_X509_STORE_CTX_idx()));
  keep_refused(ssl, leaf);
  return 0;
}

struct FreeVerification {
  void operator()(X509_STORE_CTX* one) const noexcept { X509_STORE_CTX_free(one); }
};

// OpenSSL looks for a certificate in revocation lists before it looks at the signatures above it, and checks the lists' own signatures
// each time: what nobody issued would cost as much as a list is long. So the chain is first verified without them.
int verify_client(X509_STORE_CTX* whole, void*) {
  const std::unique_ptr<X509_STORE_CTX, FreeVerification> first(X509_STORE_CTX_new());
  const int slot = SSL_get_ex_data_X509_STORE_CTX_idx();
  const bool ready =
      first &&
      X509_STORE_CTX_init(first.get(), X509_STORE_CTX_get0_store(whole), X509_STORE_CTX_get0_cert(whole),
                          X509_STORE_CTX_get0_untrusted(whole)) == 1 &&
      X509_STORE_CTX_set_ex_data(first.get(), slot, X509_STORE_CTX_get_ex_data(whole, slot)) == 1 &&
      X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(first.get()), X509_STORE_CTX_get0_param(whole)) == 1;
  if (!ready) {
    X509_STORE_CTX_set_error(whole, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
  X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(first.get()),
                                X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  X509_STORE_CTX_set_verify_cb(first.get(), on_verified);
  if (X509_verify_cert(first.get()) == 1) return X509_verify_cert(whole);
  X509_STORE_CTX_set_error(whole, X509_STORE_CTX_get_error(first.get()));
  return 0;
}

}  // namespace

struct TlsServer::Shared {
  struct Free {
    void operator()(ssl_ctx_st* one) const noexcept { SSL_CTX_free(one); }
  };

  explicit Shared(const Clock& c) : clock(c) {}
  Result<void> set_up(const TlsMaterial& material);
  Result<void> make_context(const TlsMaterial& material);
  Result<void> choose_algorithms(TlsProfile profile);
  Result<void> ask_for_certificates(const TlsMaterial& material);
  static int staple(SSL* ssl, void* shared);
  static SSL_TICKET_RETURN on_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char* name, std::size_t size,
                                     SSL_TICKET_STATUS status, void* shared);

  const Clock& clock;
  std::unique_ptr<ssl_ctx_st, Free> context;
  std::shared_ptr<const ServerChain> chain;
  PeerCertificate certificate;
  Revocations revocations;
  std::vector<std::string> client_authorities;  // sorted; none: nobody is asked for a certificate
  std::string ocsp;
  std::optional<WallTime> ocsp_until;
};

Result<void> TlsServer::Shared::choose_algorithms(TlsProfile profile) {
  SSL_CTX* const c = context.get();
  const int least = profile == TlsProfile::modern ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(c, least) != 1 || SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) != 1) {
    return broken("versions");
  }
  SSL_CTX_set_security_level(c, 2);
  if (SSL_CTX_set_cipher_list(c, kSuites12) != 1 || SSL_CTX_set_ciphersuites(c, kSuites13) != 1)
    return broken("suites");
  if (SSL_CTX_set1_groups_list(c, kGroups) != 1) return broken("groups");
  if (SSL_CTX_set1_sigalgs_list(c, kSignatures) != 1 || SSL_CTX_set1_client_sigalgs_list(c, kSignatures) != 1) {
    return broken("signature algorithms");
  }
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);  // an idle connection costs 2 KiB instead of 36
  SSL_CTX_set_read_ahead(c, 1);  // one system call a record instead of two
  SSL_CTX_set_alpn_select_cb(c, choose_alpn, nullptr);
  return {};
}

Result<void> TlsServer::Shared::ask_for_certificates(const TlsMaterial& material) {
  SSL_CTX* const c = context.get();
  const std::string bound =
      material.client_ca + '\n' + material.crl + '\n' + std::to_string(static_cast<int>(material.client_certificates));
  // RFC 8446 4.6.1 leaves it to us: whom another CA, list or rule let in does not come back by a ticket.
  const auto digest = crypto::sha256(bound);
  if (SSL_CTX_set_session_id_context(c, reinterpret_cast<const unsigned char*>(digest.data()), 32) != 1) {
    return broken("session context");
  }
  if (material.client_certificates == ClientCertificates::none) return {};
  const int required =
      material.client_certificates == ClientCertificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | required, on_verified);
  SSL_CTX_set_verify_depth(c, kChainMax);
  if (!material.crl.empty()) SSL_CTX_set_cert_verify_callback(c, verify_client, nullptr);
  if (SSL_CTX_set_session_ticket_cb(c, keep_above, on_ticket, this) != 1) return broken("tickets");
  SP_TRY(auto trusted, trust_clients(c, material));
  client_authorities = std::move(trusted.authorities);
  revocations = std::move(trusted.revocations);
  return {};
}

// Nobody comes back by a ticket while a list has ended: the whole handshake says then whom that concerns.
SSL_TICKET_RETURN TlsServer::Shared::on_ticket(SSL*, SSL_SESSION*, const unsigned char*, std::size_t,
                                               SSL_TICKET_STATUS status, void* shared) {
  const auto& own = *static_cast<const Shared*>(shared);
  if (!own.revocations.hold(own.clock.wall())) return SSL_TICKET_RETURN_IGNORE_RENEW;
  if (status == SSL_TICKET_SUCCESS) return SSL_TICKET_RETURN_USE;
  return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

int TlsServer::Shared::staple(SSL* ssl, void* shared) {
  const auto& own = *static_cast<const Shared*>(shared);
  if (!own.ocsp_until || own.clock.wall() >= *own.ocsp_until) return SSL_TLSEXT_ERR_NOACK;
  void* const copy = OPENSSL_memdup(own.ocsp.data(), own.ocsp.size());  // OpenSSL frees it
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const long done = SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<int>(own.ocsp.size()));
  return done == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<void> TlsServer::Shared::make_context(const TlsMaterial& material) {
  context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const c = context.get();
  if (c == nullptr) return broken("no memory");
  SP_CHECK(choose_algorithms(material.profile));
  SP_CHECK(chain->use_in(c));
  SP_CHECK(ask_for_certificates(material));
  // Our chain is sent as the file has it: none is made of what clients' authorities would give.
  SSL_CTX_set_mode(c, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // tickets alone: they need no memory and work on each worker
  SSL_CTX_set_timeout(c, kTicketLifetime.count());
  if (!use_ticket_keys(c)) return broken("tickets");
  if (ocsp.empty()) return {};
  SSL_CTX_set_tlsext_status_cb(c, staple);
  SSL_CTX_set_tlsext_status_arg(c, this);
  return {};
}

// Of what does not change with the clients: `chain`, `certificate`, `ocsp` and `ocsp_until` stand already.
Result<void> TlsServer::Shared::set_up(const TlsMaterial& material) {
  auto done = make_context(material);
  ERR_clear_error();
  return done;
}

TlsServer::TlsServer(std::shared_ptr<const Shared> shared, std::shared_ptr<const TicketKeys> tickets)
    : shared_(std::move(shared)), tickets_(std::move(tickets)) {}

TlsServer::~TlsServer() = default;

Result<std::shared_ptr<const TlsServer>> TlsServer::make(const TlsMaterial& material,
                                                         std::shared_ptr<const TicketKeys> tickets,
                                                         const Clock& clock) {
  ERR_clear_error();
  SP_TRY(auto chain, ServerChain::read(material, clock.wall()));
  auto shared = std::make_shared<Shared>(clock);
  SP_TRY(shared->certificate, read_certificate(chain.leaf()));
  if (!material.ocsp.empty()) {
    SP_TRY(shared->ocsp_until, ocsp_validity(material.ocsp, chain.leaf()));
    shared->ocsp = material.ocsp;
  }
  shared->chain = std::make_shared<const ServerChain>(std::move(chain));
  SP_CHECK(shared->set_up(material));
  return std::shared_ptr<const TlsServer>(new TlsServer(std::move(shared), std::move(tickets)));
}

std::shared_ptr<const TlsServer> TlsServer::with_tickets(std::shared_ptr<const TicketKeys> tickets) const {
  return std::shared_ptr<const TlsServer>(new TlsServer(shared_, std::move(tickets)));
}

Result<SslPtr> TlsServer::session() const {
  SslPtr ssl(SSL_new(shared_->context.get()));
  if (!ssl || !give_ticket_keys(ssl.get(), tickets_)) return fail(Code::crypto, "TLS session: no memory");
  return ssl;
}

Result<std::shared_ptr<const TlsServer>> TlsServer::with_clients(const TlsMaterial& material) const {
  ERR_clear_error();
  auto shared = std::make_shared<Shared>(shared_->clock);
  shared->chain = shared_->chain;
  shared->certificate = shared_->certificate;
  shared->ocsp = shared_->ocsp;
  shared->ocsp_until = shared_->ocsp_until;
  SP_CHECK(shared->set_up(material));
  return std::shared_ptr<const TlsServer>(new TlsServer(std::move(shared), tickets_));
}

const PeerCertificate& TlsServer::certificate() const noexcept { return shared_->certificate; }
Standing TlsServer::standing(std::string_view links, std::span<const std::string> authorities) const noexcept {
  const auto& own = *shared_;
  const auto trusted = [&](const std::string& one) { return std::ranges::binary_search(own.client_authorities, one); };
  if (own.revocations.contain(links)) return Standing::revoked;
  if (std::ranges::none_of(authorities, trusted)) return Standing::untrusted;
  return own.revocations.cover(links, own.clock.wall()) ? Standing::good : Standing::list_ended;
}
std::size_t TlsServer::list_turns() const noexcept { return shared_->revocations.turns(shared_->clock.wall()); }
std::size_t TlsServer::client_authorities() const noexcept { return shared_->client_authorities.size(); }
bool TlsServer::revokes(const PeerCertificate& client) const noexcept {
  return shared_->revocations.contain(client.links);
}
std::optional<WallTime> TlsServer::ocsp_until() const noexcept { return shared_->ocsp_until; }

Result<std::shared_ptr<const PeerCertificate>> peer_certificate_of(const ssl_st* ssl, WallTime now) {
  X509* const shown = SSL_get0_peer_certificate(ssl);
  if (shown == nullptr) return nullptr;
  SP_TRY(auto certificate, read_certificate(shown));
  if (certificate.not_after < now) return fail(Code::access_denied, "certificate has expired: " + certificate.subject);
  SP_TRY(const Above above, above_of(ssl));
  above.say_in(certificate);
  return std::make_shared<const PeerCertificate>(std::move(certificate));
}

std::string refused_certificate_of(const ssl_st* ssl) {
  const auto* const text = static_cast<const std::string*>(SSL_get_ex_data(ssl, refused_slot()));
  return text == nullptr ? std::string() : *text;
}

}  // namespace sallyport::net
