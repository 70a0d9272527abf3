// A key of the transit engine of HashiCorp Vault or OpenBao, as what opens keys/keyring (crypto/unseal.h, S2-14): the engine
// wraps and unwraps 32 bytes, and the key stays there. What is wrapped is bound to its place as associated data, which an
// engine that does not know them is found out by; as the context of a key that is derived, the same. Blocking, on an
// io_context of its own: from any thread but those of the gateway's executors, one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "control/secrets/vault_server.h"
#include "crypto/unseal.h"

namespace sallyport::control {

struct TransitRules {
  VaultServerRules server;
  std::string mount;
  std::string key;
  std::chrono::seconds wait{0};  // so long it is tried again while the server is away or sealed
  std::stop_token ending{};  // a question that is under way is given up then
};

class TransitKey final : public crypto::RemoteKey {
 public:
  // `report` hears, once for each waiting, why it goes on.
  TransitKey(const Clock& clock, TransitRules rules, VaultServer::Report report)
      : clock_(clock), rules_(std::move(rules)), report_(std::move(report)) {}

  [[nodiscard]] std::string mount() const override { return rules_.mount; }
  [[nodiscard]] std::string key() const override { return rules_.key; }
  // Errors: Code::config, with the fix.
  Result<std::string> wrap(const Secret& plain, std::string_view place) override;
  Result<Secret> unwrap(std::string_view wrapped, std::string_view place) override;

 private:
  [[nodiscard]] Result<std::string> ask(std::string_view order, const std::string& body) const;
  Task<Result<std::string>> ask_until(VaultServer& server, std::string path, const std::string& body) const;
  [[nodiscard]] Error in_words(std::string_view order, const Error& error) const;
  Result<std::string> opened(std::string_view wrapped, std::string_view place) const;

  const Clock& clock_;
  TransitRules rules_;
  VaultServer::Report report_;
};

}  // namespace sallyport::control
