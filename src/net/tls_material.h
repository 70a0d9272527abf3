// PEM and DER of the listener's TLS, read and checked before anything is served with it. Internal to net; used by
// TlsServer alone, on whatever thread that runs. What is refused says why, and the fix.
#pragma once

#include <memory>
#include <vector>

#include "net/tls_server.h"

struct evp_pkey_st;
struct ssl_ctx_st;
struct x509_st;

namespace sallyport::net {

class ServerChain {
 public:
  // Errors: config. Checks at `now`: dates, the key's kind and strength, that it is the certificate's, the order.
  static Result<ServerChain> read(const TlsMaterial& material, WallTime now);
  [[nodiscard]] x509_st* leaf() const noexcept { return certificates_.front().get(); }
  Result<void> use_in(ssl_ctx_st* context) const;

 private:
  struct FreeX509 {
    void operator()(x509_st* certificate) const noexcept;
  };
  struct FreeKey {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  [[nodiscard]] Result<void> check(WallTime now) const;

  std::vector<std::unique_ptr<x509_st, FreeX509>> certificates_;
  std::unique_ptr<evp_pkey_st, FreeKey> key_;
};

// The authorities of client certificates and their revocation lists: the SHA-256 of those authorities' keys, lower-case hex,
// sorted, each once. Errors: config.
Result<std::vector<std::string>> trust_clients(ssl_ctx_st* context, const TlsMaterial& material);

// Until when an OCSP response of `leaf` may be stapled. Errors: config (no response, not good, of another certificate,
// without an end). Its signature is the client's to check (RFC 6960 3.2).
Result<WallTime> ocsp_validity(std::string_view der, x509_st* leaf);

}  // namespace sallyport::net
