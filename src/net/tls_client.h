// The TLS context of the egress client: TLS 1.2 at least, the system's authorities or a given file, the peer's name
// always checked (RFC 9110 4.3.4), ALPN http/1.1. Made once a worker; that worker's thread. Internal to net.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "net/stream.h"
#include "net/url.h"

struct ssl_ctx_st;

namespace sallyport::net {

class TlsClient {
 public:
  // Errors: config (the file cannot be read or holds no certificate), crypto.
  static Result<TlsClient> make(const std::string& ca_file);
  // A client session that accepts only a certificate for the URL's host.
  Result<SslPtr> session(const Url& url) const;

 private:
  struct Deleter {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  std::unique_ptr<ssl_ctx_st, Deleter> context_;
};

}  // namespace sallyport::net
