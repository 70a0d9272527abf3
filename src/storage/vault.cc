#include "storage/vault.h"

#include <map>

#include "core/encoding.h"
#include "core/fault_point.h"
#include "storage/load.h"

namespace sallyport::storage {
namespace {

using control::StoredExchangeKey;
using control::VaultSealed;
using control::VaultSecret;
using control::VaultVersion;
using control::VaultVersionRow;

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint32_t small(const Row& row, int column) { return static_cast<std::uint32_t>(row.number(column)); }

std::string text_of(const std::string& bytes) { return base64url_encode(as_bytes(bytes)); }

Result<std::string> bytes_of(const Row& row, int column) {
  const auto bytes = base64url_decode(row.text(column));
  if (!bytes) return fail(Code::storage, "database, vault: a sealed value is not base64url");
  return std::string(as_text(*bytes));
}

Result<VaultSealed> sealed_of(const Row& row, int column) {
  VaultSealed sealed;
  SP_TRY(sealed.wrapped_key, bytes_of(row, column));
  SP_TRY(sealed.ciphertext, bytes_of(row, column + 1));
  return sealed;
}

std::optional<WallTime> time_of(const Row& row, int column) {
  if (row.null(column)) return std::nullopt;
  return from_micros(row.number(column));
}

void bind_time(Statement& statement, const std::optional<WallTime>& time) {
  if (time) statement.bind(to_micros(*time));
  else statement.bind_null();
}

VaultSecret secret_of(const Row& row) {
  VaultSecret secret;
  secret.id = row.text(0);
  secret.owner = row.text(1);
  secret.name = row.text(2);
  secret.description = row.text(3);
  secret.created_at = from_micros(row.number(4));
  secret.updated_at = from_micros(row.number(5));
  secret.expires_at = time_of(row, 6);
  secret.current = small(row, 7);
  secret.newest = small(row, 8);
  secret.last_used_at = time_of(row, 9);
  secret.use_count = static_cast<std::uint64_t>(row.number(10));
  return secret;
}

using ById = std::map<std::string, VaultSecret*, std::less<>>;

Result<void> load_labels(Sqlite& db, const ById& by_id) {
  SP_TRY(Statement all,
         db.prepare("load vault labels", "SELECT secret, label FROM vault_labels ORDER BY secret, position"));
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return {};
    const auto found = by_id.find(all.row().text(0));
    if (found != by_id.end()) found->second->labels.push_back(all.row().text(1));
  }
}

Result<void> load_versions(Sqlite& db, const ById& by_id) {
  SP_TRY(Statement all, db.prepare("load vault versions", "SELECT secret, number, created_at, created_by, destroyed "
                                                          "FROM vault_versions ORDER BY secret, number"));
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return {};
    const Row row = all.row();
    const auto found = by_id.find(row.text(0));
    if (found == by_id.end()) continue;
    found->second->versions.push_back({small(row, 1), from_micros(row.number(2)), row.text(3), row.flag(4)});
  }
}

Result<void> put_row(Sqlite& db, const VaultSecret& secret) {
  SP_TRY(Statement put,
         db.prepare("put secret",
                    "INSERT INTO vault_secrets (id, owner, name, description, created_at, updated_at, expires_at, "
                    "current, newest, use_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET "
                    "description = excluded.description, updated_at = excluded.updated_at, expires_at = "
                    "excluded.expires_at, current = excluded.current, newest = excluded.newest"));
  put.bind(secret.id).bind(secret.owner).bind(secret.name).bind(secret.description);
  put.bind(to_micros(secret.created_at)).bind(to_micros(secret.updated_at));
  bind_time(put, secret.expires_at);
  put.bind(number(secret.current)).bind(number(secret.newest));
  SP_CHECK(put.run());
  return {};
}

Result<void> put_labels(Sqlite& db, const VaultSecret& secret) {
  SP_CHECK(db.run("remove vault labels", "DELETE FROM vault_labels WHERE secret = ?", secret.id));
  std::int64_t position = 0;
  for (const std::string& label : secret.labels) {
    SP_CHECK(db.run("put vault label", "INSERT INTO vault_labels VALUES (?, ?, ?)", secret.id, position++, label));
  }
  return {};
}

Result<void> put_version(Sqlite& db, const VaultVersion& version, const VaultVersionRow& row) {
  SP_CHECK(db.run("put vault version", "INSERT INTO vault_versions VALUES (?, ?, ?, ?, ?, ?, 0)", row.secret,
                  number(row.number), text_of(row.sealed.wrapped_key), text_of(row.sealed.ciphertext),
                  to_micros(version.created_at), version.created_by));
  return {};
}

}  // namespace

Result<std::vector<VaultSecret>> SqliteVault::load_vault() {
  std::vector<VaultSecret> out;
  SP_TRY(Transaction one_view, Transaction::begin(db_));
  {
    SP_TRY(Statement all, db_.prepare("load vault", "SELECT id, owner, name, description, created_at, updated_at, "
                                                    "expires_at, current, newest, last_used_at, use_count "
                                                    "FROM vault_secrets ORDER BY owner, name"));
    for (;;) {
      SP_TRY(const bool more, all.step());
      if (!more) break;
      out.push_back(secret_of(all.row()));
    }
  }
  ById by_id;
  for (VaultSecret& secret : out) by_id[secret.id] = &secret;
  SP_CHECK(load_labels(db_, by_id));
  SP_CHECK(load_versions(db_, by_id));
  SP_CHECK(one_view.commit());
  return out;
}

Result<void> SqliteVault::put_secret(const VaultSecret& secret, const std::optional<VaultVersionRow>& fresh) {
  SP_TRY(Transaction transaction, Transaction::begin(db_));
  SP_CHECK(put_row(db_, secret));
  SP_CHECK(put_labels(db_, secret));
  if (fresh) SP_CHECK(put_version(db_, secret.versions.back(), *fresh));
  return transaction.commit();
}

Result<VaultSealed> SqliteVault::sealed_version(std::string_view secret, std::uint32_t version) {
  SP_TRY(Statement get, db_.prepare("get vault version", "SELECT wrapped_key, ciphertext FROM vault_versions "
                                                         "WHERE secret = ? AND number = ? AND destroyed = 0"));
  SP_TRY(const bool there, get.bind(secret).bind(number(version)).step());
  if (!there) return fail(Code::not_found, "no such version of a secret");
  return sealed_of(get.row(), 0);
}

Result<bool> SqliteVault::empty_log() {
  if (!log_due_) return true;
  SP_TRY(const std::int64_t busy, db_.pragma_at_once("empty the log", "PRAGMA wal_checkpoint(TRUNCATE)"));
  log_due_ = busy != 0;
  return !log_due_;
}

// What was overwritten still stands in the write-ahead log until that is emptied. The rows are gone whatever comes of it: what
// is left to do is the sweep's, which says why it fails.
void SqliteVault::erased() {
  log_due_ = true;
  (void)empty_log();
}

Result<void> SqliteVault::destroy_version(std::string_view secret, std::uint32_t version, bool forget) {
  SP_CHECK(db_.run("destroy data key",
                   "UPDATE vault_versions SET wrapped_key = '', destroyed = 1 WHERE secret = ? AND number = ?", secret,
                   number(version)));
  fault_point("vault.unkeyed");
  SP_CHECK(db_.run("destroy version",
                   forget ? "DELETE FROM vault_versions WHERE secret = ? AND number = ?"
                          : "UPDATE vault_versions SET ciphertext = '' WHERE secret = ? AND number = ?",
                   secret, number(version)));
  erased();
  return {};
}

Result<void> SqliteVault::delete_secret(std::string_view id) {
  SP_CHECK(
      db_.run("destroy data keys", "UPDATE vault_versions SET wrapped_key = '', destroyed = 1 WHERE secret = ?", id));
  SP_TRY(const std::int64_t gone, db_.run("delete secret", "DELETE FROM vault_secrets WHERE id = ?", id));
  erased();
  if (gone == 0) return fail(Code::not_found, "no such secret");
  return {};
}

Result<void> SqliteVault::touch_secrets(std::span<const control::VaultUse> uses) {
  SP_TRY(Transaction transaction, Transaction::begin(db_));
  SP_TRY(Statement touch,
         db_.prepare("touch secret", "UPDATE vault_secrets SET last_used_at = max(coalesce(last_used_at, 0), ?), "
                                     "use_count = max(use_count, ?) WHERE id = ?"));
  for (const control::VaultUse& use : uses) {
    SP_CHECK(touch.bind(to_micros(use.at)).bind(number(use.count)).bind(use.secret).run());
  }
  return transaction.commit();
}

Result<std::vector<VaultVersionRow>> SqliteVault::sealed_rows(std::string_view after_secret, std::uint32_t after_number,
                                                              std::uint32_t most) {
  SP_TRY(Statement get,
         db_.prepare("get sealed rows", "SELECT secret, number, wrapped_key, ciphertext FROM vault_versions "
                                        "WHERE (secret, number) > (?, ?) AND destroyed = 0 "
                                        "ORDER BY secret, number LIMIT ?"));
  get.bind(after_secret).bind(number(after_number)).bind(number(most));
  std::vector<VaultVersionRow> out;
  for (;;) {
    SP_TRY(const bool more, get.step());
    if (!more) return out;
    auto sealed = sealed_of(get.row(), 2);  // one that is damaged does not hide the others: it opens for nobody
    if (!sealed) sealed = VaultSealed{get.row().text(2), {}};
    out.push_back({get.row().text(0), small(get.row(), 1), std::move(*sealed)});
  }
}

Result<void> SqliteVault::put_wrapped(std::span<const VaultVersionRow> rows) {
  SP_TRY(Transaction transaction, Transaction::begin(db_));
  for (const VaultVersionRow& row : rows) {
    SP_CHECK(db_.run("rewrap",
                     "UPDATE vault_versions SET wrapped_key = ? WHERE secret = ? AND number = ? AND destroyed = 0",
                     text_of(row.sealed.wrapped_key), row.secret, number(row.number)));
  }
  fault_point("vault.rewrapping");
  SP_CHECK(transaction.commit());
  fault_point("vault.rewrapped");
  return {};
}

Result<std::vector<StoredExchangeKey>> SqliteVault::load_exchange_keys() {
  SP_TRY(Statement all,
         db_.prepare("load exchange keys", "SELECT id, public_pem, wrapped_key, ciphertext, created_at, "
                                           "retired_at FROM exchange_keys ORDER BY created_at DESC, id"));
  std::vector<StoredExchangeKey> out;
  for (;;) {
    SP_TRY(const bool more, all.step());
    if (!more) return out;
    const Row row = all.row();
    SP_TRY(VaultSealed sealed, sealed_of(row, 2));
    out.push_back({row.text(0), row.text(1), std::move(sealed), from_micros(row.number(4)), time_of(row, 5)});
  }
}

Result<void> SqliteVault::put_exchange_key(const StoredExchangeKey& key) {
  SP_TRY(Statement put,
         db_.prepare("put exchange key",
                     "INSERT INTO exchange_keys (id, public_pem, wrapped_key, ciphertext, created_at, "
                     "retired_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET wrapped_key = "
                     "excluded.wrapped_key, ciphertext = excluded.ciphertext, retired_at = "
                     "excluded.retired_at"));
  const std::string wrapped = text_of(key.sealed.wrapped_key), ciphertext = text_of(key.sealed.ciphertext);
  put.bind(key.id).bind(key.public_pem).bind(wrapped).bind(ciphertext).bind(to_micros(key.created_at));
  bind_time(put, key.retired_at);
  SP_CHECK(put.run());
  fault_point("exchange.kept");
  return {};
}

Result<void> SqliteVault::delete_exchange_key(std::string_view id) {
  SP_CHECK(db_.run("destroy exchange key", "UPDATE exchange_keys SET wrapped_key = '' WHERE id = ?", id));
  SP_CHECK(db_.run("delete exchange key", "DELETE FROM exchange_keys WHERE id = ?", id));
  erased();
  return {};
}

Result<void> SqliteVault::add_envelope(std::string_view key, std::string_view digest) {
  SP_CHECK(db_.run("take envelope", "INSERT INTO exchange_envelopes VALUES (?, ?)", key, digest));
  return {};
}

Result<std::size_t> SqliteVault::envelopes_of(std::string_view key) {
  SP_TRY(Statement count, db_.prepare("count envelopes", "SELECT count(*) FROM exchange_envelopes WHERE key = ?"));
  SP_TRY(const bool row, count.bind(key).step());
  return row ? static_cast<std::size_t>(count.row().number(0)) : 0;
}

}  // namespace sallyport::storage
