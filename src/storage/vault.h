// The vault's rows in SQLite. Each call is a transaction of its own but for the erasure of a version, which is two: its wrapped
// key goes first, so that what a crash leaves behind opens no more. None waits for a connection that reads, such as a backup's.
// One thread, the repository's.
#pragma once

#include "control/vault_store.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

class SqliteVault final : public control::VaultStore {
 public:
  explicit SqliteVault(Sqlite& db) noexcept : db_(db) {}

  Result<std::vector<control::VaultSecret>> load_vault() override;
  Result<void> put_secret(const control::VaultSecret& secret,
                          const std::optional<control::VaultVersionRow>& fresh) override;
  Result<control::VaultSealed> sealed_version(std::string_view secret, std::uint32_t number) override;
  Result<void> destroy_version(std::string_view secret, std::uint32_t number, bool forget) override;
  Result<void> delete_secret(std::string_view id) override;
  Result<bool> empty_log() override;
  Result<void> touch_secrets(std::span<const control::VaultUse> uses) override;
  Result<std::vector<control::VaultVersionRow>> sealed_rows(std::string_view after_secret, std::uint32_t after_number,
                                                            std::uint32_t most) override;
  Result<void> put_wrapped(std::span<const control::VaultVersionRow> rows) override;
  Result<std::vector<control::StoredExchangeKey>> load_exchange_keys() override;
  Result<void> put_exchange_key(const control::StoredExchangeKey& key) override;
  Result<void> delete_exchange_key(std::string_view id) override;
  Result<void> add_envelope(std::string_view key, std::string_view digest) override;
  Result<std::size_t> envelopes_of(std::string_view key) override;

 private:
  void erased();

  Sqlite& db_;
  bool log_due_ = true;  // at first: whoever erased before may have been killed
};

}  // namespace sallyport::storage
