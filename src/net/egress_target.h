// Where a fetch goes: the URL, what may be connected to, and the fixed headers (credentials) of that place, checked and
// written once, then shared by every request. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/address_guard.h"
#include "net/http_message.h"
#include "net/tls_terms.h"
#include "net/url.h"

namespace sallyport::net {

// Where to: made once for each upstream, checked once, shared by its requests. Immutable; any thread.
class EgressTarget {
 public:
  // `headers`: fixed ones of this target (credentials). Errors: egress_refused (URL, an address the policy forbids),
  // invalid_request (a header that cannot be written, or that the client writes itself). `tls`: what it is to prove, and
  // what of ours it is shown; connections are shared by targets of one origin with the same terms alone.
  static Result<std::shared_ptr<const EgressTarget>> make(std::string_view url, EgressPolicy policy,
                                                          const Headers& headers = {},
                                                          std::shared_ptr<const TlsTerms> tls = nullptr);
  // HTTP over a Unix socket: the CLI's way to .sallyport/admin.sock.
  static Result<std::shared_ptr<const EgressTarget>> make_unix(std::string socket_path, const Headers& headers = {});
  ~EgressTarget();

  [[nodiscard]] const Url& url() const noexcept { return url_; }
  [[nodiscard]] const EgressPolicy& policy() const noexcept { return policy_; }
  [[nodiscard]] const std::string& unix_path() const noexcept { return unix_path_; }
  [[nodiscard]] const std::shared_ptr<const TlsTerms>& tls() const noexcept { return tls_; }  // null: the usual demands
  [[nodiscard]] const std::string& key() const noexcept { return key_; }  // of the pool: place, and the id of the terms
  [[nodiscard]] const std::string& place() const noexcept { return place_; }  // origin or socket path
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }  // Host and fixed headers, as sent

 private:
  EgressTarget() = default;
  Result<void> write_prefix(std::string_view host, const Headers& headers);
  Url url_;
  EgressPolicy policy_;
  std::string unix_path_, key_, place_, prefix_;
  std::shared_ptr<const TlsTerms> tls_;
};

}  // namespace sallyport::net
