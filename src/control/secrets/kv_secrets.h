// Secrets of HashiCorp Vault or OpenBao, KV version 2, read over HTTP with a token that is renewed at half of its life.
// One a process, on the control executor only; stop() before it goes. Reads alone: nothing is ever written there.
#pragma once

#include <memory>
#include <string>

#include "control/secret_source.h"
#include "core/clock.h"
#include "core/secret.h"
#include "core/task.h"
#include "net/egress_client.h"

namespace sallyport::control {

struct KvRules {
  std::string url;     // "https://vault.example:8200"
  Secret token;
  std::string space;   // X-Vault-Namespace; empty: none
  std::string ca_file; // PEM; empty: the system's
  bool allow_private = false;
  std::chrono::seconds kept_for{300};
};

class KvSecrets final : public SecretSource {
 public:
  // `report` hears, for the log, that the token could not be renewed.
  using Report = std::function<void(std::string_view why)>;
  // Error: egress_refused (the URL), invalid_request (a token that is no header's value).
  static Result<std::unique_ptr<KvSecrets>> make(Executor executor, const Clock& clock, KvRules rules, Report report);

  // Errors: not_found (no such secret, version or field, or deleted), upstream_refused (the token may not), those of
  // EgressClient::fetch, upstream_protocol. Never with a byte of the answer in the text.
  Task<Result<Secret>> fetch(std::string name, SecretUse use) override;
  [[nodiscard]] std::chrono::seconds kept_for() const override { return rules_.kept_for; }
  Task<void> stop() override;

 private:
  KvSecrets(Executor executor, const Clock& clock, KvRules rules, Report report);
  Task<Result<std::string>> ask(std::string method, std::string path, std::string body);
  Task<void> keep_token();

  Executor executor_;
  const Clock& clock_;
  KvRules rules_;
  Report report_;
  net::DeadlineSweep sweep_;
  net::EgressClient egress_;
  std::shared_ptr<const net::EgressTarget> target_;
  std::string base_;  // the URL's path without its last slash
  bool keeping_ = false;
  TaskGroup tasks_;
};

}  // namespace sallyport::control
