// Databases as older programs left them, with rows in them, opened by this one.
#include "storage/migrations.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/registration.h"
#include "storage/database_copy.h"
#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

const SystemClock kClock;
constexpr WallTime kLater{std::chrono::microseconds(20)};

// Rows as a program of that schema wrote them: by the columns that there were when their table was made.
struct Rows {
  int since;
  const char* sql;
};
constexpr Rows kRows[]{{1, R"sql(
INSERT INTO users (id, name, email, password_hash, enabled, must_change_password, created_at, tokens_valid_from)
  VALUES ('u1', 'ada', 'ada@example.org', '$argon2id$of-ada', 1, 0, 10, 20);
INSERT INTO user_items (owner, list, position, name, value) VALUES ('u1', 'role', 0, '', 'admin');
INSERT INTO api_keys (id, hash, name, description, owner_user_id, enabled, created_at, expires_at, last_used_at)
  VALUES ('k1', 'hash of k1', 'agent', 'd', 'u1', 1, 10, 30, 12);
INSERT INTO key_items (owner, list, position, name, value) VALUES ('k1', 'address', 0, '', '192.0.2.0/24');
INSERT INTO revoked_tokens (jti, expires_at) VALUES ('jti-1', 20);
INSERT INTO servers (name, transport, working_directory, network, url, allow_private, prefix, shared, enabled,
  security_level, call_timeout_ms, start_timeout_ms, result_bytes_max)
  VALUES ('web', 'http', '', 0, 'https://example.org/mcp', 0, 'web', 0, 1, 2, 1000, 2000, 3000);
INSERT INTO server_items (owner, list, position, name, value) VALUES ('web', 'header', 0, 'X-A', '${vault:a}');
INSERT INTO tools (id, server, name, exposed_name, definition, digest, title, description, security_level, enabled)
  VALUES (7, 'web', 'ping', 'web_ping', '{}', 'digest of ping', 'Ping', 'sends a heliograph', 1, 1);
INSERT INTO tool_items (owner, list, position, name, value) VALUES (7, 'label', 0, '', 'pii');
INSERT INTO roles (name) VALUES ('auditor');
INSERT INTO role_items (owner, list, position, name, value) VALUES ('auditor', 'inherits', 0, '', 'readonly');
INSERT INTO meta (name, value) VALUES ('key_fingerprint', 'of the keys');
INSERT INTO audit_checkpoints (number, at, hash, line) VALUES (41, 10, 'hash 41', 'line 41');
)sql"},
                       {2, R"sql(
INSERT INTO login_sessions (id, owner, address, user_agent, created_at, expires_at, last_used_at, refresh_hash)
  VALUES ('ses1', 'key:k1', '192.0.2.1', 'agent', 10, 30, 12, 'hash of refresh');
)sql"},
                       {4, R"sql(
INSERT INTO token_keys (id, algorithm, sealed, created_at, token_lifetime, retired_at, revoked)
  VALUES ('tk1', 'ES256', 'sealed', 10, 900, NULL, 0);
)sql"},
                       {5, R"sql(
INSERT INTO registered_tools (name, version, definition, digest, title, description, security_level, enabled, owner,
  bound_server, bound_tool, url, allow_private, call_timeout_ms, created_at, updated_at)
  VALUES ('reg', '1.0', '{}', 'digest of reg', 'Reg', 'd', 1, 1, 'user:u1', 'web', 'ping', '', 0, 1000, 10, 11);
INSERT INTO registered_tool_items (owner, list, position, name, value) VALUES ('reg', 'tag', 0, '', 'of tests');
)sql"},
                       {8, R"sql(
INSERT INTO toolsets (name, description, enabled, created_at) VALUES ('set', 'd', 1, 10);
INSERT INTO toolset_tools (toolset, name, server, tool, description) VALUES ('set', 'p', 'web', 'ping', 'd');
)sql"},
                       {9, R"sql(
INSERT INTO user_groups (name, description, created_at) VALUES ('ops', 'd', 10);
INSERT INTO group_items (owner, list, position, name, value) VALUES ('ops', 'role', 0, '', 'auditor');
)sql"},
                       {10, R"sql(
INSERT INTO access_uses (principal, server, tool, last_used_at, use_count) VALUES ('user:u1', 'web', 'ping', 12, 3);
)sql"},
                       {11, R"sql(
INSERT INTO labels (holder, name, until, set_by) VALUES ('user:u1', 'saw-secrets', 9000000000000000, 'web_ping');
)sql"},
                       {12, R"sql(
INSERT INTO policy_versions (number, source, author, reason, created_at, digest, files, activated_at, activated_by,
  activation_reason, before) VALUES (3, 'folder', 'user:u1', 'why', 10, 'digest 3', 1, 11, 'user:u1', 'now', 2);
INSERT INTO policy_modules (version, position, name, source) VALUES (3, 0, 'a.rego', 'package a');
INSERT INTO policy_state (id, active, shadow, read, newest) VALUES (1, 3, 0, 3, 3);
)sql"},
                       {13, R"sql(
INSERT INTO approvals (id, digest, principal, principal_name, person, server, tool, tool_digest, sealed, rule_id,
  request_id, state, created_at, expires_at, decided_at, decided_by, reason, rounds)
  VALUES ('ap1', 'd', 'key:k1', 'agent', 'u1', 'web', 'ping', 'digest of ping', 'sealed', 'r', 'q', 'pending', 10, 30, 0,
  '', '', 1);
)sql"},
                       {15, R"sql(
INSERT INTO vault_secrets (id, owner, name, description, created_at, updated_at, expires_at, current, newest,
  last_used_at, use_count) VALUES ('v1', 'user:u1', 'mail', 'd', 10, 11, NULL, 1, 1, NULL, 0);
INSERT INTO vault_labels (secret, position, label) VALUES ('v1', 0, 'env=prod');
INSERT INTO vault_versions (secret, number, wrapped_key, ciphertext, created_at, created_by, destroyed)
  VALUES ('v1', 1, 'd3JhcHBlZA', 'Y2lwaGVy', 10, 'user:u1', 0);
INSERT INTO exchange_keys (id, public_pem, wrapped_key, ciphertext, created_at, retired_at)
  VALUES ('x1', 'pem', 'd3JhcHBlZA', 'Y2lwaGVy', 10, NULL);
INSERT INTO exchange_envelopes (key, digest) VALUES ('x1', 'digest of one');
)sql"},
                       {16, R"sql(
INSERT INTO client_certificates (id, name, principal, made_by, created_at)
  VALUES ('cc1', 'CN=agent', 'key:k1', 'user:u1', 10);
)sql"}};

void make_older(const std::string& path, int version) {
  Sqlite db = std::move(*Sqlite::open(path));
  ASSERT_TRUE(migrate(db, WallTime{}, version));
  for (const Rows& rows : kRows) {
    if (rows.since > version) continue;
    const auto written = db.script("rows", rows.sql);
    ASSERT_TRUE(written) << rows.since << ": " << written.error().detail;
  }
  ASSERT_EQ(*known_version(db), version);
}

class OlderSchema : public testing::TestWithParam<int> {
 protected:
  OlderSchema() { make_older(home_.path("sallyport.db"), GetParam()); }
  [[nodiscard]] bool had(int since) const { return GetParam() >= since; }
  [[nodiscard]] std::unique_ptr<SqliteRepository> open() const {
    auto opened = SqliteRepository::open(home_.path("sallyport.db"), kClock);
    EXPECT_TRUE(opened) << opened.error().detail;
    return opened ? std::move(*opened) : nullptr;
  }
  const TestHome home_;
};

TEST_P(OlderSchema, KeepsWhatThereAlwaysWas) {
  const auto repository = open();
  ASSERT_TRUE(repository);
  EXPECT_EQ(*repository->schema_version(), newest_version());
  EXPECT_TRUE(repository->check());
  const auto state = repository->load();
  ASSERT_TRUE(state) << state.error().detail;
  ASSERT_EQ(state->users.size(), 1U);
  EXPECT_EQ(state->users[0].password_hash, "$argon2id$of-ada");
  EXPECT_EQ(state->users[0].roles, std::vector<std::string>{"admin"});
  if (!had(3)) EXPECT_EQ(state->users[0].password_set_at, kLater) << "when its tokens were ended";
  EXPECT_FALSE(state->users[0].second_factor.confirmed);
  ASSERT_EQ(state->keys.size(), 1U);
  EXPECT_EQ(state->keys[0].hash, "hash of k1");
  EXPECT_EQ(state->keys[0].addresses.size(), 1U);
  EXPECT_EQ(state->keys[0].secret_number, 1U);
  EXPECT_TRUE(state->revoked_tokens.contains("jti-1"));
  ASSERT_EQ(state->servers.size(), 1U);
  EXPECT_EQ(state->servers[0].headers.at("X-A"), "${vault:a}");
  ASSERT_EQ(state->tools.size(), 1U);
  EXPECT_EQ(state->tools[0].digest, "digest of ping");
  EXPECT_EQ(state->tools[0].labels, std::vector<std::string>{"pii"});
  if (!had(5)) EXPECT_EQ(repository->search_tools("heliograph", 5)->size(), 1U);
  ASSERT_EQ(state->roles.size(), 1U);
  EXPECT_EQ(state->roles[0].inherits, std::vector<std::string>{"readonly"});
  EXPECT_EQ(state->meta.at("key_fingerprint"), "of the keys");
  EXPECT_EQ(repository->last_checkpoints(1)->front().hash, "hash 41");
  EXPECT_TRUE(check_database(home_.path("sallyport.db")));
}

TEST_P(OlderSchema, KeepsWhatCameWithIt) {
  const auto repository = open();
  ASSERT_TRUE(repository);
  const auto state = repository->load();
  ASSERT_TRUE(state) << state.error().detail;
  ASSERT_EQ(state->sessions.size(), had(2) ? 1U : 0U);
  if (had(2)) EXPECT_EQ(state->sessions[0].session->key_secret, had(6) ? 0U : 1U);
  EXPECT_EQ(state->token_keys.size(), had(4) ? 1U : 0U);
  ASSERT_EQ(state->registered.size(), had(5) ? 1U : 0U);
  if (had(5)) EXPECT_EQ(state->registered[0].registration->tags, std::vector<std::string>{"of tests"});
  ASSERT_EQ(state->toolsets.size(), had(8) ? 1U : 0U);
  if (had(8)) EXPECT_EQ(state->toolsets[0].tools.size(), 1U);
  ASSERT_EQ(state->groups.size(), had(9) ? 1U : 0U);
  if (had(9)) EXPECT_EQ(state->groups[0].roles, std::vector<std::string>{"auditor"});
  EXPECT_EQ(state->labels.contains("user:u1"), had(11));
  ASSERT_EQ(state->policies.size(), had(12) ? 1U : 0U);
  EXPECT_EQ(state->policy_state.active, had(12) ? 3U : 0U);
  EXPECT_EQ(repository->load_approvals()->size(), had(13) ? 1U : 0U);
  const auto vault = repository->vault().load_vault();
  ASSERT_TRUE(vault) << vault.error().detail;
  ASSERT_EQ(vault->size(), had(15) ? 1U : 0U);
  if (had(15)) EXPECT_EQ(repository->vault().sealed_version("v1", 1)->ciphertext, "cipher");
  ASSERT_EQ(state->certificates.size(), had(16) ? 1U : 0U);
  if (had(16)) EXPECT_EQ(state->certificates[0].principal, "key:k1");
}

// The triggers came with later steps, and hold for rows of before.
TEST_P(OlderSchema, LosesWithAPersonWhatIsTheirs) {
  const auto repository = open();
  ASSERT_TRUE(repository);
  ASSERT_TRUE(repository->delete_key("k1"));
  const auto state = repository->load();
  ASSERT_TRUE(state) << state.error().detail;
  EXPECT_TRUE(state->keys.empty());
  EXPECT_TRUE(state->certificates.empty());
}

INSTANTIATE_TEST_SUITE_P(Each, OlderSchema, testing::Range(1, newest_version()));

// What is new in a schema has its rows above, so that the next program is tried on them.
TEST(Migrations, EachTableHasARowThatIsTried) {
  const TestHome home;
  make_older(home.path("db"), newest_version() - 1);
  Sqlite db = std::move(*Sqlite::open(home.path("db")));
  Statement names = std::move(
      *db.prepare("tables", "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"));
  std::vector<std::string> all;
  while (*names.step()) all.push_back(names.row().text(0));
  for (const std::string& table : all) {
    if (table == "migrations" || table.starts_with("sqlite_") || table.starts_with("tool_words")) continue;
    const bool tried = std::ranges::any_of(kRows, [&](const Rows& rows) {
      return std::string_view(rows.sql).find("INSERT INTO " + table + " ") != std::string_view::npos;
    });
    EXPECT_TRUE(tried) << table << ": give it a row in kRows";
  }
}

}  // namespace
}  // namespace sallyport::storage
