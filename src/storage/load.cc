#include "storage/load.h"

#include <charconv>

#include "storage/certificates.h"
#include "storage/groups.h"
#include "storage/items.h"
#include "storage/labels.h"
#include "storage/policies.h"
#include "storage/tools.h"

namespace sallyport::storage {
namespace {

// Calls `row` for each row.
template <class F>
Result<void> each(Sqlite& db, const char* what, std::string_view sql, F row) {
  SP_TRY(Statement statement, db.prepare(what, sql));
  for (;;) {
    SP_TRY(const bool more, statement.step());
    if (!more) return {};
    row(statement.row());
  }
}

Result<void> load_users(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kUserItems));
  return each(db, "load users",
              "SELECT id, name, email, password_hash, enabled, must_change_password, created_at, "
              "tokens_valid_from, password_set_at, factor_secret, factor_confirmed, factor_due, factor_last_step FROM "
              "users ORDER BY id",
              [&](const Row& row) {
                UserRecord user;
                user.id = row.text(0);
                user.name = row.text(1);
                user.email = row.text(2);
                user.password_hash = row.text(3);
                user.enabled = row.flag(4);
                user.must_change_password = row.flag(5);
                user.created_at = from_micros(row.number(6));
                user.tokens_valid_from = from_micros(row.number(7));
                user.password_set_at = from_micros(row.number(8));
                const ItemView view = items_of(items, user.id);
                user.roles = view.strings("role");
                user.groups = view.strings("group");
                user.permissions = view.permissions();
                user.grants = view.grants();
                user.dotted = view.strings("dotted");
                user.password_history = view.strings("password");
                user.second_factor = {row.text(9),
                                      row.flag(10),
                                      row.flag(11),
                                      static_cast<std::uint64_t>(row.number(12)),
                                      view.strings("recovery"),
                                      {}};
                for (const auto& step : view.strings("code step")) {
                  std::from_chars(step.data(), step.data() + step.size(), user.second_factor.used_later.emplace_back());
                }
                state.users.push_back(std::move(user));
              });
}

KeyRecord key_of(const Row& row) {
  KeyRecord key;
  key.id = row.text(0);
  key.hash = row.text(1);
  key.name = row.text(2);
  key.description = row.text(3);
  key.owner_user_id = row.text(4);
  key.enabled = row.flag(5);
  key.created_at = from_micros(row.number(6));
  if (!row.null(7)) key.expires_at = from_micros(row.number(7));
  key.usage->last = row.number(8);
  key.secret_number = static_cast<std::uint32_t>(row.number(9));
  key.previous_hash = row.text(10);
  key.previous_until = from_micros(row.number(11));
  if (!row.null(12)) key.rotated_at = from_micros(row.number(12));
  key.usage->count = key.usage->written = static_cast<std::uint64_t>(row.number(13));
  return key;
}

Result<void> load_keys(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kKeyItems));
  Result<void> readable;
  SP_CHECK(each(db, "load keys",
                "SELECT id, hash, name, description, owner_user_id, enabled, created_at, expires_at, last_used_at, "
                "secret_number, previous_hash, previous_until, rotated_at, use_count FROM api_keys ORDER BY id",
                [&](const Row& row) {
                  KeyRecord key = key_of(row);
                  const ItemView view = items_of(items, key.id);
                  key.roles = view.strings("role");
                  key.dotted = view.strings("dotted");
                  key.permissions = view.permissions();
                  key.grants = view.grants();
                  for (const std::string& text : view.strings("address")) {
                    const auto address = Cidr::parse(text);
                    if (address) key.addresses.push_back(*address);
                    else readable = fail(Code::storage, "key " + key.id + ": an address cannot be read");
                  }
                  state.keys.push_back(std::move(key));
                }));
  return readable;  // a list that lost an entry, or all of them, would let in whom it kept out
}

Result<void> load_servers(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kServerItems));
  return each(db, "load servers", "SELECT name, transport, working_directory, network, url, allow_private, prefix, "
              "shared, enabled, security_level, call_timeout_ms, start_timeout_ms, result_bytes_max FROM servers "
              "ORDER BY name", [&](const Row& row) {
    ServerRecord server;
    server.name = row.text(0);
    server.transport = row.text(1) == "http" ? Transport::http : Transport::stdio;
    server.working_directory = row.text(2);
    server.network = row.flag(3);
    server.url = row.text(4);
    server.allow_private = row.flag(5);
    server.prefix = row.text(6);
    server.shared = row.flag(7);
    server.enabled = row.flag(8);
    server.security_level = static_cast<int>(row.number(9));
    server.call_timeout = std::chrono::milliseconds(row.number(10));
    server.start_timeout = std::chrono::milliseconds(row.number(11));
    server.result_bytes_max = static_cast<std::uint64_t>(row.number(12));
    const ItemView view = items_of(items, server.name);
    server.command = view.strings("command");
    server.env = view.pairs("env");
    server.paths = view.strings("path");
    server.headers = view.pairs("header");
    server.query = view.pairs("query");
    server.files = view.pairs("file");
    server.required = view.strings("required");
    server.labels = view.strings("label");
    server.labels_away = view.pairs("label away");
    auto tls = view.pairs("tls");
    server.tls = {tls["ca"], view.strings("tls pin"), tls["client_certificate"], tls["client_key"]};
    // Empty for a row from before this list: nothing is forwarded until the server is added anew.
    server.forwards = view.strings("forward");
    state.servers.push_back(std::move(server));
  });
}

Result<void> load_tools(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kToolItems));
  return each(
      db, "load tools",
      "SELECT id, server, name, exposed_name, definition, digest, title, description, "
      "security_level, enabled, created_at, updated_at, last_used_at, use_count FROM tools ORDER BY server, name",
      [&](const Row& row) {
        ToolRecord tool;
        tool.server = row.text(1);
        tool.name = row.text(2);
        tool.exposed_name = row.text(3);
        tool.definition = row.text(4);
        tool.digest = row.text(5);
        tool.title = row.text(6);
        tool.description = row.text(7);
        tool.security_level = static_cast<int>(row.number(8));
        tool.enabled = row.flag(9);
        read_times(tool, row, 10);
        const ItemView view = items_of(items, row.text(0));
        tool.required = view.strings("required");
        tool.labels = view.strings("label");
        state.tools.push_back(std::move(tool));
      });
}

Result<void> load_roles(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kRoleItems));
  return each(db, "load roles", "SELECT name FROM roles ORDER BY name", [&](const Row& row) {
    const std::string name = row.text(0);
    const ItemView view = items_of(items, name);
    state.roles.push_back({name, view.permissions(), view.grants(), view.strings("dotted"), view.strings("inherits")});
  });
}

Result<void> load_toolsets(Sqlite& db, control::StoredState& state) {
  std::map<std::string, Toolset, std::less<>> all;
  SP_CHECK(
      each(db, "load toolsets", "SELECT name, description, enabled, created_at FROM toolsets", [&](const Row& row) {
        all[row.text(0)] = {row.text(0), row.text(1), row.flag(2), {}, from_micros(row.number(3))};
      }));
  SP_CHECK(
      each(db, "load toolsets", "SELECT toolset, name, server, tool, description FROM toolset_tools",
           [&](const Row& row) { all[row.text(0)].tools[row.text(1)] = {row.text(2), row.text(3), row.text(4)}; }));
  for (auto& [name, toolset] : all) state.toolsets.push_back(std::move(toolset));
  return {};
}

Result<void> load_sessions(Sqlite& db, control::StoredState& state) {
  return each(db, "load sessions",
              "SELECT id, owner, address, user_agent, created_at, expires_at, last_used_at, "
              "refresh_hash, key_secret FROM login_sessions ORDER BY id",
              [&](const Row& row) {
                auto session = std::make_shared<LoginSession>();
                session->id = row.text(0);
                session->owner = row.text(1);
                session->client = {row.text(2), row.text(3)};
                session->created_at = from_micros(row.number(4));
                session->expires_at = from_micros(row.number(5));
                session->used = row.number(6);
                session->key_secret = static_cast<std::uint32_t>(row.number(8));
                state.sessions.push_back({std::move(session), row.text(7)});
              });
}

Result<void> load_token_keys(Sqlite& db, control::StoredState& state) {
  return each(db, "load token keys",
              "SELECT id, algorithm, sealed, created_at, token_lifetime, retired_at, revoked "
              "FROM token_keys ORDER BY created_at DESC, id",
              [&](const Row& row) {
                control::StoredTokenKey key;
                key.id = row.text(0);
                key.algorithm = row.text(1);
                key.sealed = row.text(2);
                key.created_at = from_micros(row.number(3));
                key.token_lifetime = std::chrono::seconds(row.number(4));
                if (!row.null(5)) key.retired_at = from_micros(row.number(5));
                key.revoked = row.flag(6);
                state.token_keys.push_back(std::move(key));
              });
}

Result<void> load_rest(Sqlite& db, control::StoredState& state) {
  SP_CHECK(each(db, "load revoked tokens", "SELECT jti, expires_at FROM revoked_tokens", [&](const Row& row) {
    state.revoked_tokens[row.text(0)] = from_micros(row.number(1));
  }));
  return each(db, "load meta", "SELECT name, value FROM meta", [&](const Row& row) { state.meta[row.text(0)] = row.text(1); });
}

}  // namespace

Result<control::StoredState> load_state(Sqlite& db) {
  control::StoredState state;
  SP_TRY(Transaction one_view, Transaction::begin(db));
  SP_CHECK(load_users(db, state));
  SP_CHECK(load_groups(db, state));
  SP_CHECK(load_keys(db, state));
  SP_CHECK(load_sessions(db, state));
  SP_CHECK(load_servers(db, state));
  SP_CHECK(load_tools(db, state));
  SP_CHECK(load_registered_tools(db, state));
  SP_CHECK(load_roles(db, state));
  SP_CHECK(load_toolsets(db, state));
  SP_CHECK(load_token_keys(db, state));
  SP_CHECK(load_labels(db, state));
  SP_CHECK(load_certificates(db, state));
  SP_CHECK(load_policies(db, state));
  SP_CHECK(load_rest(db, state));
  SP_CHECK(one_view.commit());
  return state;
}

}  // namespace sallyport::storage
