// The key-encryption keys at work: turned by age or on demand, the keys that are stored wrapped anew in small transactions,
// old ones destroyed once nothing names them; sealed and unsealed. Resumable: a retired key in the keyring is the whole
// memory of a turn, so that whoever opens the home goes on with it. The source, which may take seconds, is asked on a thread
// beside. Owned by app; the control executor only; stop() before that one ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/repository.h"
#include "core/aside.h"
#include "core/task.h"
#include "crypto/keyring.h"

namespace sallyport::control {

struct KeyDeskRules {
  std::filesystem::path home;
  bool enabled = true;  // encryption.enabled; false: stays sealed
  std::chrono::hours rotate_after{30 * 24};
  std::function<Result<crypto::UnsealSource>()> source;  // what the settings name, read anew
};

// One of those that store wrapped keys.
struct WrappedRows {
  std::function<void()> begin;  // the next step is the first of a pass over all rows
  std::function<Result<bool>()> step;  // wraps a few anew, in one transaction; false: the pass is over
  std::function<Result<std::vector<std::uint32_t>>()> in_use;  // after a pass: which keys rows still name
  std::function<std::vector<std::string>()> damaged = nullptr;  // after a pass: rows that do not open, for people
};

struct KeyringStatus {
  bool sealed = false;
  crypto::UnsealKind opened_by = crypto::UnsealKind::file;
  std::uint64_t generation = 0;
  std::vector<crypto::WrappingKey> keys;  // without the keys themselves; newest last
  std::optional<WallTime> rotates_at;
  std::vector<std::string> damaged;  // rows that the last pass could not wrap anew; the keys that they name are kept
};

class KeyDesk {
 public:
  // All references outlive it. Sealed at once where the rules or the repository say so.
  KeyDesk(crypto::KeyStore& keys, crypto::Keyring ring, Repository& repository, Random& random, const Clock& clock,
          KeyDeskRules rules);

  void add_rows(WrappedRows rows) { rows_.push_back(std::move(rows)); }

  [[nodiscard]] KeyringStatus status() const;
  // A new key in force, then as much of the rewrapping as there is. The id. Code::conflict while sealed, or while another
  // turn is under way.
  Task<Result<std::uint32_t>> rotate();
  // The turn that is due by age, and the rest of one that was interrupted. What was done, for the audit; empty: nothing.
  Task<Result<std::string>> maintain();
  // Damage that was found since this was asked last, for log and audit.
  [[nodiscard]] std::vector<std::string> damage_to_tell();
  [[nodiscard]] Result<crypto::UnsealSource> source_of_settings() const { return rules_.source(); }
  // Another source opens the keyring from now on; the settings have to name it before the next start. What Keyring says.
  // Code::conflict while sealed, or while the source is asked for another call of this or of unseal().
  Task<Result<std::string>> reseal(crypto::UnsealSource source);
  // Every key-encryption key out of memory, whatever the database does: the emergency order.
  void drop();
  // The same, and then the mark: a restart finds it sealed. An error: the mark is not kept, sealed until the next start alone.
  Result<void> seal();
  // Code::conflict where it was sealed while the source was asked: the later order holds.
  Task<Result<void>> unseal();
  void stop() { aside_.stop(); }

 private:
  Result<void> check_open() const;
  Result<std::uint32_t> turn();
  Task<Result<std::size_t>> finish();  // rewraps, then drops; how many keys were destroyed
  [[nodiscard]] bool is_due() const;
  [[nodiscard]] bool is_unfinished() const;

  crypto::KeyStore& keys_;
  std::optional<crypto::Keyring> ring_;  // nothing: sealed
  crypto::UnsealKind opened_by_;
  Repository& repository_;
  Random& random_;
  const Clock& clock_;
  KeyDeskRules rules_;
  std::vector<WrappedRows> rows_;
  std::vector<std::string> damaged_, told_;
  bool busy_ = false;
  bool asking_ = false;  // the source, for reseal() or unseal()
  std::uint64_t drops_ = 0;  // orders to seal so far
  std::optional<WallTime> passed_at_;  // when the last whole pass ended
  Aside aside_;
};

}  // namespace sallyport::control
