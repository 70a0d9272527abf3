// The TLS contexts of the egress client (S2-25, S2-26): TLS 1.2 at least, forward secrecy, the system's authorities or given
// ones, the peer's name always checked (RFC 9110 4.3.4), pins where a target has some, ALPN http/1.1. No session is resumed: each
// connection proves its peer anew. A TlsClient may be shared by threads: OpenSSL counts what it refers to and locks its store, and
// nothing of the context changes once it is made. TlsClients is one thread's. Internal to net.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/result.h"
#include "net/stream.h"
#include "net/tls_terms.h"
#include "net/url.h"

struct ssl_ctx_st;

namespace sallyport::net {

class TlsClient {
 public:
  // `terms` may be null; where it names no authorities, those of `ca_file` count, or the system's if that is empty.
  // Errors: config (what cannot be read or holds no certificate), crypto.
  static Result<std::shared_ptr<const TlsClient>> make(TlsTermsPtr terms, const std::string& ca_file);
  // A client session that accepts only a certificate for the URL's host. This object outlives its handshake.
  Result<SslPtr> session(const Url& url) const;

 private:
  struct Deleter {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  Result<void> trust(const std::string& ca_file);
  Result<void> show_own();
  TlsTermsPtr terms_;
  std::unique_ptr<ssl_ctx_st, Deleter> context_;
};

// One for each set of terms, made when first used; at most kMost, the least recently used goes.
class TlsClients {
 public:
  static constexpr std::size_t kMost = 256;
  explicit TlsClients(std::string ca_file) : ca_file_(std::move(ca_file)) {}
  // Null: not made yet.
  std::shared_ptr<const TlsClient> find(const TlsTermsPtr& terms);
  void put(const TlsTermsPtr& terms, std::shared_ptr<const TlsClient> client);
  // As TlsClient::make.
  Result<std::shared_ptr<const TlsClient>> of(const TlsTermsPtr& terms);
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const TlsClient> client;
    std::uint64_t used = 0;
  };
  void make_room();
  std::string ca_file_;
  std::unordered_map<std::string, Entry> all_;  // by the id of the terms; "": none
  std::uint64_t turn_ = 0;
};

}  // namespace sallyport::net
