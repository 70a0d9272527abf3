// What is kept of the vault for good: secrets by owner and name, and the sealed versions of each. Plain values; nothing here is
// ever in the clear. Implemented by storage/.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sallyport::control {

// Whose: empty for the gateway's own. [a-z0-9][a-z0-9-_./]{0,127}, no "//", and not below "principal/", which references use.
struct VaultName {
  std::string owner;
  std::string name;
  friend auto operator<=>(const VaultName&, const VaultName&) = default;
};

struct VaultVersion {
  std::uint32_t number = 0;  // from 1; never given twice
  WallTime created_at{};
  std::string created_by;  // principal id
  bool destroyed = false;  // its key and ciphertext are gone
};

struct VaultSecret {
  std::string id;  // 24 hex digits; never given twice, so that no ciphertext opens for a later secret of the same name
  std::string owner;  // "user:<id>", "key:<id>": of that principal alone; empty: the gateway's
  std::string name;
  std::string description;
  std::vector<std::string> labels;
  WallTime created_at{};
  WallTime updated_at{};
  std::optional<WallTime> expires_at;
  std::uint32_t current = 0;  // version in force
  std::uint32_t newest = 0;  // the last number given
  std::vector<VaultVersion> versions;  // by number
  // Written behind.
  std::optional<WallTime> last_used_at;
  std::uint64_t use_count = 0;
};

// As crypto/sealed_record.h makes it; bytes.
struct VaultSealed {
  std::string wrapped_key;
  std::string ciphertext;
};

struct VaultVersionRow {
  std::string secret;  // id
  std::uint32_t number = 0;
  VaultSealed sealed;
};

struct VaultUse {
  std::string secret;  // id
  WallTime at{};
  std::uint64_t count = 0;  // of all so far
};

// A version whose data key does not open any more, found when it was to be wrapped anew. The row stays as it is.
struct VaultDamage {
  std::string owner, name;  // of a secret that nobody knows: its id
  std::uint32_t version = 0;
  std::vector<std::uint32_t> keys;  // key-encryption keys that it may need
  std::string why;
};

// A key pair of the key exchange (S2-9).
struct StoredExchangeKey {
  std::string id;  // crypto::RsaKey::key_id
  std::string public_pem;
  VaultSealed sealed;  // the private half; empty: it was destroyed
  WallTime created_at{};
  std::optional<WallTime> retired_at;
};

// Each call is one durable transaction. Errors: already_exists (owner and name), not_found, storage.
class VaultStore {
 public:
  virtual ~VaultStore() = default;
  virtual Result<std::vector<VaultSecret>> load_vault() = 0;  // by owner and name, with their versions
  // Inserts or replaces the secret, and adds the version where there is one.
  virtual Result<void> put_secret(const VaultSecret& secret, const std::optional<VaultVersionRow>& fresh) = 0;
  virtual Result<VaultSealed> sealed_version(std::string_view secret, std::uint32_t number) = 0;
  // The wrapped key is overwritten in a transaction of its own first, then the rest goes, each over zeroes (secure_delete),
  // and the write-ahead log is emptied (S2-43) unless somebody reads it: empty_log() then has that to do. An error: the rows
  // are there. `forget`: nothing of the version stays, else that it was there.
  virtual Result<void> destroy_version(std::string_view secret, std::uint32_t number, bool forget) = 0;
  virtual Result<void> delete_secret(std::string_view id) = 0;  // as above
  // Where an erasure left the write-ahead log as it was. False: somebody still reads it; try again later.
  virtual Result<bool> empty_log() = 0;
  virtual Result<void> touch_secrets(std::span<const VaultUse> uses) = 0;  // unknown ones are passed over

  // For a new key-encryption key: at most `most` rows behind (secret, number), in that order; and their keys wrapped anew.
  virtual Result<std::vector<VaultVersionRow>> sealed_rows(std::string_view after_secret, std::uint32_t after_number,
                                                           std::uint32_t most) = 0;
  virtual Result<void> put_wrapped(std::span<const VaultVersionRow> rows) = 0;  // unknown ones are passed over

  virtual Result<std::vector<StoredExchangeKey>> load_exchange_keys() = 0;  // newest first
  virtual Result<void> put_exchange_key(const StoredExchangeKey& key) = 0;
  virtual Result<void> delete_exchange_key(std::string_view id) = 0;
  // Envelopes that were taken, by SHA-256 (hex); with the key they go. already_exists: it was taken before.
  virtual Result<void> add_envelope(std::string_view key, std::string_view digest) = 0;
  virtual Result<std::size_t> envelopes_of(std::string_view key) = 0;
};

}  // namespace sallyport::control
