#include "storage/sqlite_repository.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "storage/access_uses.h"
#include "storage/approvals.h"
#include "storage/certificates.h"
#include "storage/groups.h"
#include "storage/items.h"
#include "storage/labels.h"
#include "storage/load.h"
#include "storage/migrations.h"
#include "storage/policies.h"
#include "storage/servers.h"
#include "storage/sqlite.h"
#include "storage/tools.h"
#include "storage/vault.h"

namespace sallyport::storage {
namespace {

constexpr std::int64_t kCheckpointsKept = 1000;

// The file exists with 0600 before SQLite sees it (its -wal and -shm take the same mode). True: the mode was narrowed.
Result<bool> prepare_file(const std::string& path) {
  const auto failed = [&](const char* what) {
    return fail(Code::storage, std::string(what) + " " + path + ": " + std::generic_category().message(errno));
  };
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("open");
  struct stat info{};
  const bool seen = ::fstat(fd, &info) == 0;
  const bool wide = (info.st_mode & 077U) != 0;
  const bool mended = seen && (!wide || ::fchmod(fd, 0600) == 0);
  const bool foreign = seen && (info.st_uid != ::geteuid() || !S_ISREG(info.st_mode));
  const auto error = mended ? std::unexpected<Error>(Error{}) : failed("make private");
  ::close(fd);
  if (foreign) return fail(Code::storage, path + " belongs to another user or is no file");
  if (!mended) return error;
  return wide;
}

Result<void> found(const Result<std::int64_t>& changes, const char* what) {
  if (!changes) return fail(changes.error());
  if (*changes == 0) return fail(Code::not_found, std::string("no such ") + what);
  return {};
}

// Runs `body` in a transaction of its own.
template <class F>
Result<void> in_transaction(Sqlite& db, F body) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(body());
  return transaction.commit();
}

}  // namespace

struct SqliteRepository::Impl {
  explicit Impl(Sqlite opened) : db(std::move(opened)) {}
  Sqlite db;
  SqliteVault vault{db};
};

SqliteRepository::SqliteRepository(std::unique_ptr<Impl> impl, bool narrowed)
    : impl_(std::move(impl)), narrowed_(narrowed) {}

SqliteRepository::~SqliteRepository() = default;

control::VaultStore& SqliteRepository::vault() noexcept { return impl_->vault; }

Result<std::unique_ptr<SqliteRepository>> SqliteRepository::open(const std::string& path, const Clock& clock) {
  SP_TRY(const bool narrowed, prepare_file(path));
  SP_TRY(Sqlite db, Sqlite::open(path));
  SP_CHECK(migrate(db, clock.wall()));
  return std::unique_ptr<SqliteRepository>(new SqliteRepository(std::make_unique<Impl>(std::move(db)), narrowed));
}

Result<std::unique_ptr<SqliteRepository>> SqliteRepository::open_to_read(const std::string& path) {
  SP_TRY(Sqlite db, Sqlite::open_to_read(path));
  SP_TRY(const int version, known_version(db));
  if (version == 0) return fail(Code::storage, path + " is an empty database");
  return std::unique_ptr<SqliteRepository>(new SqliteRepository(std::make_unique<Impl>(std::move(db)), false));
}

Result<int> SqliteRepository::schema_version() { return known_version(impl_->db); }
int SqliteRepository::newest_schema() noexcept { return newest_version(); }
Result<std::pair<std::vector<control::PolicyVersion>, control::PolicyState>> SqliteRepository::policies() {
  control::StoredState state;
  SP_CHECK(load_policies(impl_->db, state));
  return std::pair(std::move(state.policies), state.policy_state);
}

Result<void> SqliteRepository::check() {
  SP_TRY(Statement statement, impl_->db.prepare("check", "PRAGMA integrity_check(1)"));
  SP_TRY(const bool row, statement.step());
  if (!row || statement.row().text(0) != "ok") return fail(Code::storage, "the database is damaged");
  return {};
}

Result<control::StoredState> SqliteRepository::load() { return load_state(impl_->db); }

Result<void> SqliteRepository::put_user(const UserRecord& user) {
  Sqlite& db = impl_->db;
  ItemList items;
  items.add("role", user.roles);
  items.add("group", user.groups);
  items.add("dotted", user.dotted);
  items.add(user.permissions);
  items.add(user.grants);
  items.add("password", user.password_history);
  items.add("recovery", user.second_factor.recovery);
  for (const auto step : user.second_factor.used_later) items.add("code step", {}, std::to_string(step));
  const SecondFactor& factor = user.second_factor;
  return in_transaction(db, [&]() -> Result<void> {
    SP_CHECK(
        db.run("put user",
               "INSERT INTO users (id, name, email, password_hash, enabled, must_change_password, created_at, "
               "tokens_valid_from, password_set_at, factor_secret, factor_confirmed, factor_due, factor_last_step) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
               "ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, password_hash = "
               "excluded.password_hash, enabled = excluded.enabled, "
               "must_change_password = excluded.must_change_password, created_at = excluded.created_at, "
               "tokens_valid_from = excluded.tokens_valid_from, password_set_at = excluded.password_set_at, "
               "factor_secret = excluded.factor_secret, factor_confirmed = excluded.factor_confirmed, "
               "factor_due = excluded.factor_due, factor_last_step = excluded.factor_last_step",
               user.id, user.name, user.email, user.password_hash, user.enabled, user.must_change_password,
               to_micros(user.created_at), to_micros(user.tokens_valid_from), to_micros(user.password_set_at),
               factor.sealed_secret, factor.confirmed, factor.due, static_cast<std::int64_t>(factor.last_step)));
    return replace_items(db, kUserItems, user.id, items);
  });
}

Result<void> SqliteRepository::delete_user(std::string_view id) {
  return found(impl_->db.run("delete user", "DELETE FROM users WHERE id = ?", id), "user");
}

Result<void> SqliteRepository::put_key(const KeyRecord& key) {
  Sqlite& db = impl_->db;
  ItemList items;
  items.add("role", key.roles);
  items.add("dotted", key.dotted);
  items.add(key.permissions);
  items.add(key.grants);
  for (const Cidr& address : key.addresses) items.add("address", {}, address.text());
  return in_transaction(db, [&]() -> Result<void> {
    SP_TRY(
        Statement put,
        db.prepare("put key", "INSERT INTO api_keys (id, hash, name, description, enabled, created_at, owner_user_id, "
                              "secret_number, previous_hash, previous_until, expires_at, rotated_at) "
                              "VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                              "hash = excluded.hash, name = excluded.name, description = excluded.description, "
                              "enabled = excluded.enabled, created_at = excluded.created_at, "
                              "owner_user_id = excluded.owner_user_id, secret_number = excluded.secret_number, "
                              "previous_hash = excluded.previous_hash, previous_until = excluded.previous_until, "
                              "expires_at = excluded.expires_at, rotated_at = excluded.rotated_at"));
    put.bind(key.id).bind(key.hash).bind(key.name).bind(key.description).bind(key.enabled);
    put.bind(to_micros(key.created_at)).bind(key.owner_user_id).bind(std::int64_t{key.secret_number});
    put.bind(key.previous_hash).bind(to_micros(key.previous_until));
    key.expires_at ? put.bind(to_micros(*key.expires_at)) : put.bind_null();
    key.rotated_at ? put.bind(to_micros(*key.rotated_at)) : put.bind_null();
    SP_CHECK(put.run());
    return replace_items(db, kKeyItems, key.id, items);
  });
}

Result<void> SqliteRepository::delete_key(std::string_view id) {
  return found(impl_->db.run("delete key", "DELETE FROM api_keys WHERE id = ?", id), "key");
}

Result<void> SqliteRepository::touch_keys(std::span<const control::KeyUse> uses) {
  return in_transaction(impl_->db, [&]() -> Result<void> {
    SP_TRY(Statement touch,
           impl_->db.prepare("touch key", "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?), "
                                          "use_count = max(use_count, ?) WHERE id = ?"));
    for (const control::KeyUse& use : uses) {
      SP_CHECK(touch.bind(to_micros(use.at)).bind(static_cast<std::int64_t>(use.count)).bind(use.key_id).run());
    }
    return {};
  });
}

Result<void> SqliteRepository::add_revoked_token(std::string_view jti, WallTime expires_at) {
  SP_CHECK(impl_->db.run("revoke token",
                         "INSERT INTO revoked_tokens VALUES (?, ?) ON CONFLICT (jti) DO UPDATE SET "
                         "expires_at = max(expires_at, excluded.expires_at)",
                         jti, to_micros(expires_at)));
  return {};
}

Result<std::uint64_t> SqliteRepository::prune_revoked_tokens(WallTime now) {
  SP_TRY(const std::int64_t gone,
         impl_->db.run("prune revoked tokens", "DELETE FROM revoked_tokens WHERE expires_at < ?", to_micros(now)));
  return static_cast<std::uint64_t>(gone);
}

Result<void> SqliteRepository::put_session(const control::StoredSession& stored) {
  const LoginSession& session = *stored.session;
  SP_CHECK(impl_->db.run("put session", "INSERT OR REPLACE INTO login_sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         session.id, session.owner, session.client.address, session.client.user_agent,
                         to_micros(session.created_at), to_micros(session.expires_at), to_micros(session.last_used()),
                         stored.refresh_hash, std::int64_t{session.key_secret}));
  return {};
}

Result<void> SqliteRepository::delete_sessions(std::span<const std::string> ids) {
  return in_transaction(impl_->db, [&]() -> Result<void> {
    SP_TRY(Statement remove, impl_->db.prepare("delete session", "DELETE FROM login_sessions WHERE id = ?"));
    for (const std::string& id : ids) SP_CHECK(remove.bind(id).run());
    return {};
  });
}

Result<void> SqliteRepository::touch_sessions(std::span<const LoginSessionPtr> sessions) {
  return in_transaction(impl_->db, [&]() -> Result<void> {
    SP_TRY(Statement touch, impl_->db.prepare("touch session", "UPDATE login_sessions SET last_used_at = "
                                                               "max(last_used_at, ?) WHERE id = ?"));
    for (const LoginSessionPtr& one : sessions) SP_CHECK(touch.bind(to_micros(one->last_used())).bind(one->id).run());
    return {};
  });
}

Result<void> SqliteRepository::put_token_keys(std::span<const control::StoredTokenKey> keys) {
  Sqlite& db = impl_->db;
  return in_transaction(db, [&]() -> Result<void> {
    SP_CHECK(db.run("remove token keys", "DELETE FROM token_keys"));
    SP_TRY(Statement insert,
           db.prepare("insert token key", "INSERT INTO token_keys (id, algorithm, sealed, created_at, "
                                          "token_lifetime, retired_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    for (const control::StoredTokenKey& key : keys) {
      insert.bind(key.id).bind(key.algorithm).bind(key.sealed).bind(to_micros(key.created_at));
      insert.bind(std::int64_t{key.token_lifetime.count()});
      key.retired_at ? insert.bind(to_micros(*key.retired_at)) : insert.bind_null();
      SP_CHECK(insert.bind(key.revoked).run());
    }
    return {};
  });
}

Result<void> SqliteRepository::put_server(const ServerRecord& server) {
  return in_transaction(impl_->db, [&] { return storage::put_server(impl_->db, server); });
}

Result<void> SqliteRepository::delete_server(std::string_view name) {
  return in_transaction(impl_->db, [&]() -> Result<void> {
    SP_CHECK(found(impl_->db.run("delete server", "DELETE FROM servers WHERE name = ?", name), "server"));
    return forget_words(impl_->db, name);
  });
}

Result<void> SqliteRepository::replace_tools(std::string_view server, std::span<const ToolRecord> tools) {
  return storage::replace_tools(impl_->db, server, tools);
}

Result<void> SqliteRepository::touch_tools(std::span<const control::ToolUse> uses) {
  return storage::touch_tools(impl_->db, uses);
}

Result<void> SqliteRepository::put_registered_tool(const ToolRecord& tool) {
  return storage::put_registered_tool(impl_->db, tool);
}

Result<void> SqliteRepository::delete_registered_tool(std::string_view name) {
  return storage::delete_registered_tool(impl_->db, name);
}

Result<std::vector<control::ToolHit>> SqliteRepository::search_tools(std::string_view words, std::uint32_t most) {
  return storage::search_tools(impl_->db, words, most);
}

Result<void> SqliteRepository::put_certificate(const CertificateMapping& mapping) {
  return storage::put_certificate(impl_->db, mapping);
}

Result<void> SqliteRepository::delete_certificate(std::string_view id) {
  return storage::delete_certificate(impl_->db, id);
}

Result<void> SqliteRepository::put_labels(std::string_view holder, const LabelsOfOne& labels) {
  return storage::put_labels(impl_->db, holder, labels);
}

Result<void> SqliteRepository::prune_labels(WallTime now) { return storage::prune_labels(impl_->db, now); }

Result<void> SqliteRepository::put_role(const Role& role) {
  Sqlite& db = impl_->db;
  ItemList items;
  items.add("dotted", role.dotted);
  items.add("inherits", role.inherits);
  items.add(role.permissions);
  items.add(role.grants);
  return in_transaction(db, [&]() -> Result<void> {
    SP_CHECK(db.run("put role", "INSERT INTO roles VALUES (?) ON CONFLICT (name) DO NOTHING", role.name));
    return replace_items(db, kRoleItems, role.name, items);
  });
}

Result<void> SqliteRepository::delete_role(std::string_view name) {
  return found(impl_->db.run("delete role", "DELETE FROM roles WHERE name = ?", name), "role");
}

Result<void> SqliteRepository::put_toolset(const Toolset& toolset) {
  Sqlite& db = impl_->db;
  return in_transaction(db, [&]() -> Result<void> {
    SP_CHECK(db.run(
        "put toolset",
        "INSERT INTO toolsets VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET description = ?2, enabled = ?3",
        toolset.name, toolset.description, toolset.enabled, to_micros(toolset.created_at)));
    SP_CHECK(db.run("put toolset", "DELETE FROM toolset_tools WHERE toolset = ?", toolset.name));
    SP_TRY(Statement insert, db.prepare("put toolset", "INSERT INTO toolset_tools VALUES (?, ?, ?, ?, ?)"));
    for (const auto& [name, entry] : toolset.tools) {
      insert.bind(toolset.name).bind(name).bind(entry.server).bind(entry.tool).bind(entry.description);
      SP_CHECK(insert.run());
    }
    return {};
  });
}

Result<void> SqliteRepository::delete_toolset(std::string_view name) {
  return found(impl_->db.run("delete toolset", "DELETE FROM toolsets WHERE name = ?", name), "toolset");
}

Result<void> SqliteRepository::add_access_uses(std::span<const AccessUse> uses) {
  return storage::add_access_uses(impl_->db, uses);
}

Result<void> SqliteRepository::find_access_uses(std::span<AccessUse> wanted) {
  return storage::find_access_uses(impl_->db, wanted);
}

Result<void> SqliteRepository::put_group(const Group& group) { return storage::put_group(impl_->db, group); }

Result<void> SqliteRepository::delete_group(std::string_view name) { return storage::delete_group(impl_->db, name); }

Result<void> SqliteRepository::write_policies(const control::PolicyWrite& write) {
  return in_transaction(impl_->db, [&] { return storage::write_policies(impl_->db, write); });
}

Result<control::PolicyModules> SqliteRepository::policy_modules(std::uint64_t version) {
  return storage::policy_modules(impl_->db, version);
}

Result<std::vector<control::StoredApproval>> SqliteRepository::load_approvals() {
  return storage::load_approvals(impl_->db);
}

Result<void> SqliteRepository::put_approval(const control::StoredApproval& approval) {
  return storage::put_approval(impl_->db, approval);
}

Result<void> SqliteRepository::delete_approvals(std::span<const std::string> ids) {
  return in_transaction(impl_->db, [&] { return storage::delete_approvals(impl_->db, ids); });
}

Result<void> SqliteRepository::put_meta(std::string_view name, std::string_view value) {
  SP_CHECK(impl_->db.run("put meta", "INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value));
  return {};
}

Result<std::optional<std::string>> SqliteRepository::get_meta(std::string_view name) {
  SP_TRY(Statement get, impl_->db.prepare("get meta", "SELECT value FROM meta WHERE name = ?"));
  SP_TRY(const bool there, get.bind(name).step());
  if (!there) return std::nullopt;
  return get.row().text(0);
}

Result<void> SqliteRepository::put_checkpoint(const control::StoredCheckpoint& checkpoint) {
  Sqlite& db = impl_->db;
  const auto number = static_cast<std::int64_t>(checkpoint.number);
  return in_transaction(db, [&]() -> Result<void> {
    SP_TRY(const std::int64_t put, db.run("put checkpoint",
                                          "INSERT INTO audit_checkpoints SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS "
                                          "(SELECT 1 FROM audit_checkpoints WHERE number >= ?1)",
                                          number, to_micros(checkpoint.at), checkpoint.hash, checkpoint.line));
    if (put == 0) return fail(Code::conflict, "a checkpoint with this number or a later one is stored");
    SP_CHECK(db.run("prune checkpoints", "DELETE FROM audit_checkpoints WHERE number <= ?", number - kCheckpointsKept));
    return {};
  });
}

Result<std::vector<control::StoredCheckpoint>> SqliteRepository::last_checkpoints(std::uint32_t count) {
  SP_TRY(Statement get,
         impl_->db.prepare("get checkpoints", "SELECT number, at, hash, line FROM (SELECT * FROM "
                                              "audit_checkpoints ORDER BY number DESC LIMIT ?) ORDER BY number"));
  get.bind(std::int64_t{count});
  std::vector<control::StoredCheckpoint> out;
  for (;;) {
    SP_TRY(const bool more, get.step());
    if (!more) return out;
    const Row row = get.row();
    out.push_back({static_cast<std::uint64_t>(row.number(0)), from_micros(row.number(1)), row.text(2), row.text(3)});
  }
}

}  // namespace sallyport::storage
