// The keys of a home at the start, and the key desk afterwards. Internal.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/app.h"
#include "control/key_desk.h"
#include "control/secrets/vault_server.h"
#include "core/task.h"

namespace sallyport::app {

class App::KeyKeep {
 public:
  explicit KeyKeep(App& app);
  Result<void> open();    // what is there; nothing is made yet
  Result<void> settle();  // once the database is open: it knows what it was written under
  void open_desk();       // once the audit is
  void tick();            // every minute, on the control executor; a pass goes on beside, one at a time
  void give_up() noexcept { ending_.request_stop(); }  // what a server is asked; any thread
  void measure();         // the same, and before any thread runs
  [[nodiscard]] std::string metrics() const;  // Prometheus text; any thread
  [[nodiscard]] control::KeyDesk& desk() noexcept { return *desk_; }
  Result<void> keep_token();  // of a server that unseals; once the desk is open
  void stop();                // while the control executor runs

 private:
  Result<void> found(const crypto::UnsealSource& source);
  Result<crypto::UnsealSource> source_at_start();
  Task<void> maintain();

  App& app_;
  std::stop_source ending_;
  std::optional<crypto::Keyring> ring_;  // until the desk takes it
  std::string note_;                     // for the audit, once it is open
  std::optional<control::KeyDesk> desk_;
  std::unique_ptr<control::VaultServer> server_;  // where encryption.transit_url names one
  TaskGroup passes_;
  // When the next one takes their place, in seconds since 1970; 0: never, or not known while sealed.
  std::atomic<std::int64_t> wrapping_due_{0}, hash_due_{0}, token_due_{0};
};

}  // namespace sallyport::app
