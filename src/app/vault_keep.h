// The vault with what stands around it: one-time links, the key exchange, the sources of references, its seal, and the renewal
// of sessions whose secret changed. Internal.
#pragma once

#include "app/app.h"
#include "control/secret_resolver.h"
#include "control/vault_desk.h"

namespace sallyport::app {

class App::VaultKeep {
 public:
  explicit VaultKeep(App& app);
  Result<void> open();  // before any thread runs
  [[nodiscard]] control::VaultDesk& desk() noexcept { return desk_; }
  // From any worker.
  Task<Result<Secret>> resolve(std::string text, std::string server, std::string principal, SteadyTime deadline);
  void sweep();  // every few seconds, on the control executor
  void stop();  // before the control executor ends
  [[nodiscard]] std::string metrics() const;  // Prometheus text; any thread
  Result<void> write_uses() { return vault_.write_uses(); }

 private:
  Result<void> add_sources();
  void wrap_anew_on_rotation();
  Result<void> seal();
  Task<Result<void>> unseal();
  void changed(const control::VaultName& where, bool gone);
  Result<void> note_use(const std::string& reference, const control::SecretUse& use, const Result<void>& outcome);
  Task<Result<Secret>> resolve_there(std::string text, control::SecretUse use);

  App& app_;
  control::Vault vault_;
  control::OneTimeReveals one_time_;
  control::KeyExchange exchange_;
  control::SecretResolver resolver_;
  control::VaultDesk desk_;
  bool log_read_ = false;  // it was said that the database's log could not be emptied
};

}  // namespace sallyport::app
