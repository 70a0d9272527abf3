// TLS of the listener: TLS 1.2 and 1.3, ECDHE with AEAD suites alone, in Mozilla's order (server-side TLS guideline,
// intermediate or modern), ALPN http/1.1, tickets under our own keys, client certificates where asked for. Immutable once
// made; any thread may open sessions of it. A new certificate is a new TlsServer; sessions of the old one go on.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"
#include "net/peer_certificate.h"
#include "net/stream.h"
#include "net/tls_tickets.h"

namespace sallyport::net {

enum class TlsProfile : std::uint8_t { intermediate, modern };  // modern: TLS 1.3 alone
enum class ClientCertificates : std::uint8_t { none, optional, required };

// What a new handshake would say of a client who is here since an older one.
enum class Standing : std::uint8_t {
  good,
  revoked,  // its certificate, or one above it
  untrusted,  // none of those above it is one of tls.client_ca's any more
  list_ended,  // an issuer of its chain has no list in tls.crl that is in force, though lists are there
};

struct TlsMaterial {
  std::string chain;  // PEM: the certificate, then its issuers
  Secret key;  // PEM, not encrypted: RSA of 2,048 bits at least, or EC on P-256 or P-384
  std::string ocsp;  // DER: the response to be stapled; empty: none
  std::string client_ca;  // PEM: who signs client certificates; empty where none are asked for
  std::string crl;  // PEM: a list of each of those authorities; empty: revocation is not looked at
  ClientCertificates client_certificates = ClientCertificates::none;
  TlsProfile profile = TlsProfile::intermediate;
};

inline constexpr std::chrono::seconds kTicketLifetime{3600};  // of a ticket, and of the key that seals new ones

class TlsServer {
 public:
  // Errors: config, each with the reason and the fix (no certificate, a weak or wrong key, expired, an OCSP response of
  // another certificate, a CRL that is none), crypto. `clock` outlives it.
  static Result<std::shared_ptr<const TlsServer>> make(const TlsMaterial& material,
                                                       std::shared_ptr<const TicketKeys> tickets, const Clock& clock);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // The same with other keys for its tickets.
  [[nodiscard]] std::shared_ptr<const TlsServer> with_tickets(std::shared_ptr<const TicketKeys> tickets) const;
  // The same certificate, key and OCSP response, with the authorities, lists and rule for clients of `material`. It is not
  // asked whether the certificate has expired meanwhile. Errors: those of make() about client_ca and crl.
  [[nodiscard]] Result<std::shared_ptr<const TlsServer>> with_clients(const TlsMaterial& material) const;
  // The server's side of a new connection. Errors: crypto.
  [[nodiscard]] Result<SslPtr> session() const;

  [[nodiscard]] const PeerCertificate& certificate() const noexcept;
  // By the authorities and lists that it was made with, and the clock: for a connection that is open since before they came or ended.
  // Both as PeerCertificate has them.
  [[nodiscard]] Standing standing(std::string_view links, std::span<const std::string> authorities) const noexcept;
  // Another number than before says that a list has begun or ended, and with it a standing() may be another.
  [[nodiscard]] std::size_t list_turns() const noexcept;
  [[nodiscard]] bool revokes(const PeerCertificate& client) const noexcept;
  // How many authorities there are for clients, by their keys; 0 where no certificates are asked for.
  [[nodiscard]] std::size_t client_authorities() const noexcept;
  // Until when the stapled response holds; none: nothing is stapled.
  [[nodiscard]] std::optional<WallTime> ocsp_until() const noexcept;

 private:
  struct Shared;
  TlsServer(std::shared_ptr<const Shared> shared, std::shared_ptr<const TicketKeys> tickets);
  std::shared_ptr<const Shared> shared_;
  std::shared_ptr<const TicketKeys> tickets_;
};

// What the client showed and OpenSSL verified; null: nothing. Errors: crypto, as read_certificate; access_denied where a
// resumed session's certificate has expired since.
Result<std::shared_ptr<const PeerCertificate>> peer_certificate_of(const ssl_st* ssl, WallTime now);

// Of a handshake that failed for the client's certificate: whose it was ("subject, fingerprint"); empty: it showed none.
std::string refused_certificate_of(const ssl_st* ssl);

}  // namespace sallyport::net
