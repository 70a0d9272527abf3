// PEM and DER of the listener's TLS, read and checked before anything is served with it. Internal to net; used by
// TlsServer alone, on whatever thread that runs. What is refused says why, and the fix.
#pragma once

#include <string>
#include <vector>

#include "net/revocations.h"
#include "net/tls_pem.h"
#include "net/tls_server.h"

struct ssl_ctx_st;

namespace sallyport::net {

class ServerChain {
 public:
  // Errors: config. Checks at `now`: dates, the key's kind and strength, that it is the certificate's, the order.
  static Result<ServerChain> read(const TlsMaterial& material, WallTime now);
  [[nodiscard]] X509* leaf() const noexcept { return certificates_.front().get(); }
  Result<void> use_in(ssl_ctx_st* context) const;

 private:
  [[nodiscard]] Result<void> check(WallTime now) const;

  std::vector<X509Ptr> certificates_;
  KeyPtr key_;
};

// What `context` now knows of the clients' authorities.
struct TrustedClients {
  std::vector<std::string> authorities;  // SHA-256 of their keys, lower-case hex, sorted, each once
  Revocations revocations;
};
// Errors: config.
Result<TrustedClients> trust_clients(ssl_ctx_st* context, const TlsMaterial& material);

// Until when an OCSP response of `leaf` may be stapled. Errors: config (no response, not good, of another certificate,
// without an end). Its signature is the client's to check (RFC 6960 3.2).
Result<WallTime> ocsp_validity(std::string_view der, X509* leaf);

}  // namespace sallyport::net
