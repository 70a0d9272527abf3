#include "storage/migrations.h"

#include <array>
#include <string>

namespace sallyport::storage {
namespace {

// Times are microseconds since 1970 (UTC). The *_items tables hold the lists and maps of a record: `list` says which.
// Permissions and transports stand by name, so that the order of an enum may change.
constexpr const char* kFirst = R"sql(
CREATE TABLE users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, email TEXT NOT NULL, password_hash TEXT NOT NULL,
  enabled INTEGER NOT NULL, must_change_password INTEGER NOT NULL, created_at INTEGER NOT NULL,
  tokens_valid_from INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE user_items (
  owner TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
  owner_user_id TEXT REFERENCES users(id) ON DELETE CASCADE, enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_owner ON api_keys(owner_user_id);
CREATE TABLE key_items (
  owner TEXT NOT NULL REFERENCES api_keys(id) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE TABLE revoked_tokens (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE servers (
  name TEXT PRIMARY KEY, transport TEXT NOT NULL, working_directory TEXT NOT NULL, network INTEGER NOT NULL,
  url TEXT NOT NULL, allow_private INTEGER NOT NULL, prefix TEXT NOT NULL, shared INTEGER NOT NULL,
  enabled INTEGER NOT NULL, security_level INTEGER NOT NULL, call_timeout_ms INTEGER NOT NULL,
  start_timeout_ms INTEGER NOT NULL, result_bytes_max INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE server_items (
  owner TEXT NOT NULL REFERENCES servers(name) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE TABLE tools (
  id INTEGER PRIMARY KEY, server TEXT NOT NULL REFERENCES servers(name) ON DELETE CASCADE, name TEXT NOT NULL,
  exposed_name TEXT NOT NULL, definition TEXT NOT NULL, digest TEXT NOT NULL, title TEXT NOT NULL,
  description TEXT NOT NULL, security_level INTEGER NOT NULL, enabled INTEGER NOT NULL, UNIQUE (server, name)) STRICT;
CREATE TABLE tool_items (
  owner INTEGER NOT NULL REFERENCES tools(id) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE TABLE roles (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE role_items (
  owner TEXT NOT NULL REFERENCES roles(name) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE TABLE policy (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL) STRICT;
CREATE TABLE policy_modules (
  position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit_checkpoints (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash TEXT NOT NULL, line TEXT NOT NULL) STRICT;
)sql";

// `owner`: "user:<id>" or "key:<id>".
constexpr const char* kLoginSessions = R"sql(
CREATE TABLE login_sessions (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, address TEXT NOT NULL, user_agent TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL, refresh_hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// The age of a password (S2-36): setting one has always ended the tokens before it. And the second factor.
constexpr const char* kUserFactors = R"sql(
ALTER TABLE users ADD COLUMN password_set_at INTEGER NOT NULL DEFAULT 0;
UPDATE users SET password_set_at = max(created_at, tokens_valid_from);
ALTER TABLE users ADD COLUMN factor_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN factor_confirmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN factor_due INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN factor_last_step INTEGER NOT NULL DEFAULT 0;
)sql";

constexpr const char* kTokenKeys = R"sql(
CREATE TABLE token_keys (
  id TEXT PRIMARY KEY, algorithm TEXT NOT NULL, sealed TEXT NOT NULL, created_at INTEGER NOT NULL,
  token_lifetime INTEGER NOT NULL, retired_at INTEGER, revoked INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// Registered tools, and the words by which these and those of servers are found.
constexpr const char* kRegisteredTools = R"sql(
CREATE TABLE registered_tools (
  name TEXT PRIMARY KEY, version TEXT NOT NULL, definition TEXT NOT NULL, digest TEXT NOT NULL, title TEXT NOT NULL,
  description TEXT NOT NULL, security_level INTEGER NOT NULL, enabled INTEGER NOT NULL, owner TEXT NOT NULL,
  bound_server TEXT NOT NULL, bound_tool TEXT NOT NULL, url TEXT NOT NULL, allow_private INTEGER NOT NULL,
  call_timeout_ms INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE registered_tool_items (
  owner TEXT NOT NULL REFERENCES registered_tools(name) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE tool_words USING fts5(
  server UNINDEXED, tool UNINDEXED, name, title, description, labels, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO tool_words (server, tool, name, title, description, labels)
  SELECT server, name, name, title, description, '' FROM tools;
)sql";

// Rotation of API keys, and how often they were used. The secrets there are so far are the first of their keys.
constexpr const char* kKeyRotation = R"sql(
ALTER TABLE api_keys ADD COLUMN secret_number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN previous_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN rotated_at INTEGER;
ALTER TABLE api_keys ADD COLUMN use_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE login_sessions ADD COLUMN key_secret INTEGER NOT NULL DEFAULT 0;
UPDATE login_sessions SET key_secret = 1 WHERE owner LIKE 'key:%';
)sql";

// When tools were approved and called. Nobody kept that of the tools there are so far: theirs begins here.
constexpr const char* kToolTimes = R"sql(
ALTER TABLE tools ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tools ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE tools SET created_at = unixepoch() * 1000000, updated_at = unixepoch() * 1000000;
ALTER TABLE tools ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tools ADD COLUMN use_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE registered_tools ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE registered_tools ADD COLUMN use_count INTEGER NOT NULL DEFAULT 0;
)sql";

// What a toolset holds is not looked up: a tool that is gone is not shown, and shown again when it comes back.
constexpr const char* kToolsets = R"sql(
CREATE TABLE toolsets (
  name TEXT PRIMARY KEY, description TEXT NOT NULL, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE toolset_tools (
  toolset TEXT NOT NULL REFERENCES toolsets(name) ON DELETE CASCADE, name TEXT NOT NULL, server TEXT NOT NULL,
  tool TEXT NOT NULL, description TEXT NOT NULL, PRIMARY KEY (toolset, name)) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kGroups = R"sql(
CREATE TABLE user_groups (
  name TEXT PRIMARY KEY, description TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE group_items (
  owner TEXT NOT NULL REFERENCES user_groups(name) ON DELETE CASCADE, list TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, list, position)) STRICT, WITHOUT ROWID;
)sql";

// Who called which tool when; nobody wrote that down before. `principal`: "user:<id>" or "key:<id>".
constexpr const char* kAccessUses = R"sql(
CREATE TABLE access_uses (
  principal TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL, last_used_at INTEGER NOT NULL,
  use_count INTEGER NOT NULL, PRIMARY KEY (principal, server, tool)) STRICT, WITHOUT ROWID;
CREATE INDEX access_uses_age ON access_uses(last_used_at);
CREATE INDEX access_uses_server ON access_uses(server);
CREATE TRIGGER access_uses_user AFTER DELETE ON users BEGIN
  DELETE FROM access_uses WHERE principal = 'user:' || OLD.id; END;
CREATE TRIGGER access_uses_key AFTER DELETE ON api_keys BEGIN
  DELETE FROM access_uses WHERE principal = 'key:' || OLD.id; END;
CREATE TRIGGER access_uses_server_gone AFTER DELETE ON servers BEGIN
  DELETE FROM access_uses WHERE server = OLD.name; END;
INSERT OR REPLACE INTO meta VALUES ('access_uses_since', CAST(unixepoch() * 1000000 AS TEXT));
)sql";

// What calls left with principals; `holder` is a principal's id.
constexpr const char* kLabels = R"sql(
CREATE TABLE labels (
  holder TEXT NOT NULL, name TEXT NOT NULL, until INTEGER NOT NULL, set_by TEXT NOT NULL,
  PRIMARY KEY (holder, name)) STRICT, WITHOUT ROWID;
)sql";

// Each set of policies that was known. What one set was kept in before was never written to.
constexpr const char* kPolicyVersions = R"sql(
DROP TABLE policy_modules;
DROP TABLE policy;
CREATE TABLE policy_versions (
  number INTEGER PRIMARY KEY, source TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL, created_at INTEGER NOT NULL,
  digest TEXT NOT NULL, files INTEGER NOT NULL, activated_at INTEGER, activated_by TEXT NOT NULL,
  activation_reason TEXT NOT NULL, before INTEGER NOT NULL) STRICT;
CREATE TABLE policy_modules (
  version INTEGER NOT NULL REFERENCES policy_versions(number) ON DELETE CASCADE, position INTEGER NOT NULL,
  name TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (version, position)) STRICT, WITHOUT ROWID;
CREATE TABLE policy_state (
  id INTEGER PRIMARY KEY CHECK (id = 1), active INTEGER NOT NULL, shadow INTEGER NOT NULL, read INTEGER NOT NULL,
  newest INTEGER NOT NULL) STRICT;
)sql";

// Calls that wait for people, or were decided by them. `sealed`: their arguments.
constexpr const char* kApprovals = R"sql(
CREATE TABLE approvals (
  id TEXT PRIMARY KEY, digest TEXT NOT NULL, principal TEXT NOT NULL, principal_name TEXT NOT NULL, person TEXT NOT NULL,
  server TEXT NOT NULL, tool TEXT NOT NULL, tool_digest TEXT NOT NULL, sealed TEXT NOT NULL, rule_id TEXT NOT NULL,
  request_id TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  decided_at INTEGER NOT NULL, decided_by TEXT NOT NULL, reason TEXT NOT NULL, rounds INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// Labels go with whose they are.
constexpr const char* kLabelsOfTheGone = R"sql(
CREATE TRIGGER labels_user AFTER DELETE ON users BEGIN DELETE FROM labels WHERE holder = 'user:' || OLD.id; END;
CREATE TRIGGER labels_key AFTER DELETE ON api_keys BEGIN DELETE FROM labels WHERE holder = 'key:' || OLD.id; END;
DELETE FROM labels WHERE holder LIKE 'user:%' AND substr(holder, 6) NOT IN (SELECT id FROM users);
DELETE FROM labels WHERE holder LIKE 'key:%' AND substr(holder, 5) NOT IN (SELECT id FROM api_keys);
)sql";

// The vault: what is sealed is base64url. A version goes with its secret.
constexpr const char* kVault = R"sql(
CREATE TABLE vault_secrets (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, expires_at INTEGER, current INTEGER NOT NULL, newest INTEGER NOT NULL,
  last_used_at INTEGER, use_count INTEGER NOT NULL, UNIQUE (owner, name)) STRICT, WITHOUT ROWID;
CREATE TABLE vault_labels (
  secret TEXT NOT NULL REFERENCES vault_secrets(id) ON DELETE CASCADE, position INTEGER NOT NULL, label TEXT NOT NULL,
  PRIMARY KEY (secret, position)) STRICT, WITHOUT ROWID;
CREATE TABLE vault_versions (
  secret TEXT NOT NULL REFERENCES vault_secrets(id) ON DELETE CASCADE, number INTEGER NOT NULL, wrapped_key TEXT NOT NULL,
  ciphertext TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL, destroyed INTEGER NOT NULL,
  PRIMARY KEY (secret, number)) STRICT, WITHOUT ROWID;
CREATE TABLE exchange_keys (
  id TEXT PRIMARY KEY, public_pem TEXT NOT NULL, wrapped_key TEXT NOT NULL, ciphertext TEXT NOT NULL,
  created_at INTEGER NOT NULL, retired_at INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE exchange_envelopes (
  key TEXT NOT NULL REFERENCES exchange_keys(id) ON DELETE CASCADE, digest TEXT NOT NULL,
  PRIMARY KEY (key, digest)) STRICT, WITHOUT ROWID;
)sql";

// Whom client certificates stand for. They go with whose they are.
constexpr const char* kClientCertificates = R"sql(
CREATE TABLE client_certificates (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, principal TEXT NOT NULL, made_by TEXT NOT NULL,
  created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER client_certificates_user AFTER DELETE ON users BEGIN
  DELETE FROM client_certificates WHERE principal = 'user:' || OLD.id; END;
CREATE TRIGGER client_certificates_key AFTER DELETE ON api_keys BEGIN
  DELETE FROM client_certificates WHERE principal = 'key:' || OLD.id; END;
)sql";

// The same name of two authorities is two names.
constexpr const char* kCertificateIssuers = R"sql(
CREATE TABLE client_certificates_of_issuers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, principal TEXT NOT NULL, made_by TEXT NOT NULL,
  created_at INTEGER NOT NULL, issuer TEXT NOT NULL, UNIQUE (name, issuer)) STRICT, WITHOUT ROWID;
INSERT INTO client_certificates_of_issuers SELECT id, name, principal, made_by, created_at, '' FROM client_certificates;
DROP TRIGGER client_certificates_user;
DROP TRIGGER client_certificates_key;
DROP TABLE client_certificates;
ALTER TABLE client_certificates_of_issuers RENAME TO client_certificates;
CREATE TRIGGER client_certificates_user AFTER DELETE ON users BEGIN
  DELETE FROM client_certificates WHERE principal = 'user:' || OLD.id; END;
CREATE TRIGGER client_certificates_key AFTER DELETE ON api_keys BEGIN
  DELETE FROM client_certificates WHERE principal = 'key:' || OLD.id; END;
)sql";

constexpr std::array kSteps{kFirst,
                            kLoginSessions,
                            kUserFactors,
                            kTokenKeys,
                            kRegisteredTools,
                            kKeyRotation,
                            kToolTimes,
                            kToolsets,
                            kGroups,
                            kAccessUses,
                            kLabels,
                            kPolicyVersions,
                            kApprovals,
                            kLabelsOfTheGone,
                            kVault,
                            kClientCertificates,
                            kCertificateIssuers};

// Only an empty file, or one with our mark, is ours to change.
Result<void> check_ownership(Sqlite& db) {
  SP_TRY(const std::int64_t id, db.pragma("application id", "PRAGMA application_id"));
  if (id == kApplicationId) return {};
  SP_TRY(const std::int64_t things, db.pragma("schema", "SELECT count(*) FROM sqlite_schema"));
  if (id == 0 && things == 0) return {};
  return fail(Code::storage, "the file is a SQLite database of another program: choose another home, or move it away");
}

}  // namespace

int newest_version() noexcept { return static_cast<int>(kSteps.size()); }

Result<int> known_version(Sqlite& db) {
  SP_CHECK(check_ownership(db));
  SP_TRY(const std::int64_t ours,
         db.pragma("schema", "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'"));
  if (ours == 0) return 0;
  SP_TRY(const std::int64_t version, db.pragma("schema version", "SELECT coalesce(max(version), 0) FROM migrations"));
  if (version >= 0 && version <= newest_version()) return static_cast<int>(version);
  return fail(Code::storage, "the database has schema version " + std::to_string(version) +
                                 ", this program knows up to " + std::to_string(newest_version()) +
                                 (version < 0 ? ": the file is damaged; fix: restore it from a backup"
                                              : ": use the newer program that wrote it"));
}

Result<void> migrate(Sqlite& db, WallTime now, int to) {
  SP_TRY(const int version, known_version(db));
  if (version >= to) return {};
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(db.script("mark", "PRAGMA application_id = " + std::to_string(kApplicationId)));
  SP_CHECK(db.script("migrations", "CREATE TABLE IF NOT EXISTS migrations ("
                                   "version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT"));
  for (int step = version; step < to; ++step) {
    SP_CHECK(db.script("migration", kSteps[static_cast<std::size_t>(step)]));
    SP_CHECK(db.run("migration", "INSERT INTO migrations VALUES (?, ?)", std::int64_t{step + 1},
                    std::int64_t{now.time_since_epoch().count()}));
  }
  return transaction.commit();
}

}  // namespace sallyport::storage
