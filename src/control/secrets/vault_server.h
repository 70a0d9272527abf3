// One HashiCorp Vault or OpenBao, asked over its HTTP API with a token that is renewed at half of its life. What goes wrong is
// told by HTTP's status, never with a byte of the answer. One executor; stop() before it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/secret.h"
#include "core/task.h"
#include "net/egress_peer.h"

namespace sallyport::control {

struct VaultServerRules {
  std::string url;  // "https://vault.example:8200"
  std::function<Result<Secret>()> token;  // asked at first, and again once what it gave is refused; on the executor
  std::string space;  // X-Vault-Namespace; empty: none
  std::string ca_file;  // PEM; empty: the system's
  bool allow_private = false;
};

class VaultServer {
 public:
  // `report` hears, for the log, that the token could not be renewed.
  using Report = std::function<void(std::string_view why)>;
  // Error: egress_refused (the URL), invalid_request (a namespace that is no header's value), those of `token`.
  static Result<std::unique_ptr<VaultServer>> make(Executor executor, const Clock& clock, const VaultServerRules& rules,
                                                   Report report);

  // `path` behind /v1/. The body of an answer with status 200. Errors: not_found (404), upstream_refused (403 and what else it
  // refuses), upstream_unavailable (sealed, failing), those of EgressClient::fetch.
  Task<Result<std::string>> ask(std::string method, std::string path, std::string body, SteadyTime deadline);
  // From now on; once. A token that never ends is left alone; one that cannot be renewed is told of, and who gave it replaces it,
  // by one whose life is asked for anew.
  void keep_token();
  Task<void> stop();

 private:
  VaultServer(Executor executor, std::unique_ptr<net::EgressPeer> peer, const VaultServerRules& rules, Secret token,
              Report report);
  Task<Result<std::string>> ask_once(std::string_view method, std::string_view path, std::string_view body,
                                     SteadyTime deadline);
  bool replaced();
  Task<void> renew();

  Executor executor_;
  std::unique_ptr<net::EgressPeer> peer_;
  Report report_;
  std::string base_;  // the URL's path without its last slash
  std::function<Result<Secret>()> give_;
  Secret token_;
  std::uint64_t tokens_ = 0;  // that took the place of another
  bool keeping_ = false;
  SteadyTimer turn_;  // until the token is renewed, or asked for its life again
  TaskGroup tasks_;
};

}  // namespace sallyport::control
