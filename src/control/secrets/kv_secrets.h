// Secrets of HashiCorp Vault or OpenBao, KV version 2 (control/secrets/vault_server.h). One a process, on the control executor
// only; stop() before it goes. Reads alone: nothing is ever written there.
#pragma once

#include <memory>
#include <string>

#include "control/secret_source.h"
#include "control/secrets/vault_server.h"

namespace sallyport::control {

struct KvRules {
  VaultServerRules server;
  std::chrono::seconds kept_for{300};
};

class KvSecrets final : public SecretSource {
 public:
  // Errors: those of VaultServer::make.
  static Result<std::unique_ptr<KvSecrets>> make(Executor executor, const Clock& clock, KvRules rules,
                                                 VaultServer::Report report);

  // Errors: not_found (no such secret, version or field, or deleted), upstream_refused (the token may not), those of
  // EgressClient::fetch, upstream_protocol. Never with a byte of the answer in the text.
  Task<Result<Secret>> fetch(std::string name, SecretUse use) override;
  [[nodiscard]] std::chrono::seconds kept_for() const override { return kept_for_; }
  void start() override { server_->keep_token(); }
  Task<void> stop() override;

 private:
  KvSecrets(std::unique_ptr<VaultServer> server, std::chrono::seconds kept_for)
      : server_(std::move(server)), kept_for_(kept_for) {}

  std::unique_ptr<VaultServer> server_;
  std::chrono::seconds kept_for_;
};

}  // namespace sallyport::control
