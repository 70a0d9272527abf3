// The vault: secrets with versions, each sealed by a data key of its own (crypto/sealed_record.h). A value leaves it for a
// holder who reveals it, or for a reference (${vault:name}) of a server that is started; lists never show one. While the key
// store is sealed everything that needs a key fails. Owned by app; the control executor only, or before workers run. Nothing
// here suspends. Limits: VaultRules, 64 KiB a value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/vault_store.h"
#include "core/random.h"
#include "core/secret.h"
#include "crypto/key_store.h"

namespace sallyport::control {

inline constexpr std::size_t kVaultValueBytesMax = 64U << 10;

struct VaultRules {
  std::size_t secrets = 10'000;
  std::size_t per_owner = 64;  // of a person's own
  std::size_t versions = 10;  // kept of a secret, the current one included
};

Result<void> check_vault_name(std::string_view name);  // validation

// What is not named stays as it is. Without a value, only what is said of it changes.
struct VaultPut {
  VaultName where;
  std::optional<Secret> value;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> labels;
  std::optional<std::optional<WallTime>> expires_at;
  std::string author;  // principal id
};

// Which key-encryption keys a wrapped data key that does not open may need.
std::vector<std::uint32_t> keys_for_damaged(const crypto::KeyStore& keys, std::string_view wrapped);

struct VaultValue {
  std::string secret;  // id
  std::uint32_t version = 0;
  std::optional<WallTime> expires_at;
  Secret value;
};

class Vault {
 public:
  // Another value is in force, or none any more: sessions that use it are to be renewed.
  using Changed = std::function<void(const VaultName& where, bool gone)>;

  Vault(VaultStore& store, const crypto::KeyStore& keys, Random& random, const Clock& clock)
      : store_(store), keys_(keys), random_(random), clock_(clock) {}
  Result<void> load(VaultRules rules);
  void on_changed(Changed changed) { changed_ = std::move(changed); }

  // While the key store is sealed every call that needs a key is Code::conflict and says so; what it holds can be listed.
  [[nodiscard]] bool sealed() const { return keys_.wrapping_key() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return secrets_.size(); }

  // A new version, in force at once; erase_rest() sees to old ones. validation, limit, not_found (nothing there, no value).
  Result<VaultSecret> put(VaultPut order);
  [[nodiscard]] Result<VaultSecret> drafted(const VaultPut& order, bool valued) const;  // put() but for a value to come
  [[nodiscard]] Result<VaultSecret> find(const VaultName& where) const;  // not_found
  [[nodiscard]] std::vector<VaultSecret> list(const std::optional<std::string>& owner) const;  // by owner and name
  // The version, or the one in force. not_found; gone: destroyed; for `use`, which counts, also: expired.
  Result<VaultValue> reveal(const VaultName& where, std::optional<std::uint32_t> version);
  Result<VaultValue> use(const VaultName& where, std::optional<std::uint32_t> version);
  Result<VaultSecret> roll_back(const VaultName& where, std::uint32_t version);
  // conflict: it is in force.
  Result<VaultSecret> destroy(const VaultName& where, std::uint32_t version);
  Result<void> remove(const VaultName& where);
  // Deletes what belongs to principals that are gone; says how many secrets.
  Result<std::size_t> remove_of_gone(const std::function<bool(std::string_view owner)>& there);

  // Every data key under the newest key-encryption key, `most` rows in a transaction; the position to go on from, or nothing
  // when all are done. Begin with {}. A row that does not open stays as it is, and is damaged() until the next begin.
  struct Position {
    std::string secret;
    std::uint32_t version = 0;
  };
  Result<std::optional<Position>> rewrap(const Position& from, std::uint32_t most);
  [[nodiscard]] const std::vector<VaultDamage>& damaged() const noexcept { return damaged_; }

  Result<void> write_uses();  // every few seconds
  // As often: what erasures left to do, old versions and the write-ahead log. False: a backup, say, reads that one still.
  Result<bool> erase_rest();

 private:
  using Secrets = std::map<VaultName, VaultSecret>;
  Result<Secrets::iterator> at(const VaultName& where);
  Result<void> check_open() const;
  Result<void> check_room(const VaultName& where) const;
  Result<VaultSecret> store(VaultSecret next, const std::optional<VaultVersionRow>& fresh);
  Result<VaultVersionRow> sealed_row(const VaultSecret& secret, std::string_view value);
  Result<VaultValue> open(const VaultSecret& secret, std::uint32_t version);
  Result<void> forget_old(VaultSecret& secret);
  void tell(const VaultName& where, bool gone = false) const;
  [[nodiscard]] VaultDamage damage_of(const VaultVersionRow& row, const Error& why) const;

  VaultStore& store_;
  const crypto::KeyStore& keys_;
  Random& random_;
  const Clock& clock_;
  Changed changed_;
  VaultRules rules_;
  Secrets secrets_;
  std::vector<VaultDamage> damaged_;
  std::vector<VaultName> used_;  // since the last write_uses()
  std::set<VaultName> surplus_;  // has versions beyond those that are kept, which could not be destroyed
};

}  // namespace sallyport::control
