// What every back end of control::Repository must do; each back end is one row of kBackEnds.
#include "storage/conformance_support.h"

namespace sallyport::storage {
namespace {

TEST_P(Repositories, StartEmpty) {
  const auto state = reopened();
  EXPECT_TRUE(state.users.empty() && state.keys.empty() && state.servers.empty() && state.tools.empty());
  EXPECT_TRUE(state.policies.empty() && state.policy_state.newest == 0);
}

TEST_P(Repositories, KeepUsersWithEveryField) {
  ASSERT_TRUE(repository_->put_user(user("0011", kNasty)));
  const auto state = reopened();
  ASSERT_EQ(state.users.size(), 1U);
  const UserRecord& got = state.users[0];
  EXPECT_EQ(got.name, kNasty);  // S0-23, S4-8: NUL and quotes included
  EXPECT_EQ(got.email, kNasty);
  EXPECT_EQ(got.roles, (std::vector<std::string>{"admin", kNasty}));
  EXPECT_TRUE(got.enabled && got.must_change_password);
  EXPECT_EQ(got.created_at, kNow);
  EXPECT_EQ(got.tokens_valid_from, kNow);
  EXPECT_EQ(got.password_history, (std::vector<std::string>{"$argon2id$y", "$argon2id$z"}));
  EXPECT_EQ(got.password_set_at, kNow + std::chrono::seconds(7));
  EXPECT_EQ(got.second_factor, user("0011", kNasty).second_factor);
  EXPECT_EQ(got.groups, (std::vector<std::string>{"staff", kNasty}));
  EXPECT_EQ(got.permissions, (PermissionSet{Permission::tool_read, Permission::key_read}));
  EXPECT_EQ(got.grants, (std::vector<Grant>{{Permission::tool_execute, "gmail", kNasty}}));
  EXPECT_EQ(got.dotted, std::vector<std::string>{"gmail.send"});
}

TEST_P(Repositories, ReplaceAUserOfTheSameIdWithoutLosingItsKeys) {
  ASSERT_TRUE(repository_->put_user(user("1", "ann")));
  ASSERT_TRUE(repository_->put_key(key("k1", "1")));
  UserRecord changed = user("1", "anna");
  changed.roles = {"viewer"};
  ASSERT_TRUE(repository_->put_user(changed));
  const auto state = reopened();
  EXPECT_EQ(state.users.at(0).name, "anna");
  EXPECT_EQ(state.users.at(0).roles, std::vector<std::string>{"viewer"});
  EXPECT_EQ(state.keys.size(), 1U);
}

TEST_P(Repositories, RefuseANameThatAnotherUserHolds) {
  ASSERT_TRUE(repository_->put_user(user("1", "ann")));
  EXPECT_EQ(repository_->put_user(user("2", "ann")).error().code, Code::already_exists);
  EXPECT_EQ(reopened().users.size(), 1U);
}

TEST_P(Repositories, NameNoValueInAnError) {
  ASSERT_TRUE(repository_->put_user(user("1", "topsecret")));
  const auto refused = repository_->put_user(user("2", "topsecret"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail.find("topsecret"), std::string::npos);
}

TEST_P(Repositories, DeleteAUserWithItsKeys) {
  ASSERT_TRUE(repository_->put_user(user("1", "ann")));
  ASSERT_TRUE(repository_->put_key(key("k1", "1")));
  ASSERT_TRUE(repository_->put_key(key("k2", "")));
  ASSERT_TRUE(repository_->delete_user("1"));
  const auto state = reopened();
  EXPECT_TRUE(state.users.empty());
  ASSERT_EQ(state.keys.size(), 1U);
  EXPECT_EQ(state.keys[0].id, "k2");
  EXPECT_EQ(repository_->delete_user("1").error().code, Code::not_found);
}

TEST_P(Repositories, KeepKeysWithEveryField) {
  KeyRecord record = key("k1", "");
  record.expires_at = kNow;
  record.addresses = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("2001:db8::1")};
  record.secret_number = 3;
  record.previous_hash = "before";
  record.previous_until = kNow + std::chrono::hours(1);
  record.rotated_at = kNow - std::chrono::hours(1);
  ASSERT_TRUE(repository_->put_key(record));
  const auto state = reopened();
  ASSERT_EQ(state.keys.size(), 1U);
  EXPECT_EQ(state.keys[0].name, kNasty);
  EXPECT_EQ(state.keys[0].permissions, record.permissions);
  EXPECT_EQ(state.keys[0].grants, record.grants);
  EXPECT_EQ(state.keys[0].dotted, record.dotted);
  EXPECT_EQ(state.keys[0].expires_at, kNow);
  EXPECT_EQ(state.keys[0].addresses, record.addresses);
  EXPECT_EQ(state.keys[0].secret_number, 3U);
  EXPECT_EQ(state.keys[0].previous_hash, "before");
  EXPECT_EQ(state.keys[0].previous_until, record.previous_until);
  EXPECT_EQ(state.keys[0].rotated_at, record.rotated_at);
  EXPECT_TRUE(state.keys[0].owner_user_id.empty());
}

TEST_P(Repositories, RefuseAKeyOfAnUnknownOwner) {
  EXPECT_EQ(repository_->put_key(key("k1", "nobody")).error().code, Code::not_found);
  EXPECT_TRUE(reopened().keys.empty());
}

TEST_P(Repositories, KeepTokenKeysWithEveryFieldNewestFirst) {
  const std::vector<control::StoredTokenKey> keys{
      {"old", "ES256", "c2VhbGVk", kNow, std::chrono::seconds(1800), kNow + std::chrono::hours(1), true},
      {"new", "EdDSA", "b3RoZXI", kNow + std::chrono::hours(1), std::chrono::seconds(60), std::nullopt, false}};
  ASSERT_TRUE(repository_->put_token_keys(keys));
  auto state = reopened();
  ASSERT_EQ(state.token_keys.size(), 2U);
  EXPECT_EQ(state.token_keys[0].id, "new");
  EXPECT_FALSE(state.token_keys[0].retired_at.has_value());
  const control::StoredTokenKey& old = state.token_keys[1];
  EXPECT_EQ(old.algorithm + " " + old.sealed, "ES256 c2VhbGVk");
  EXPECT_EQ(old.created_at, kNow);
  EXPECT_EQ(old.token_lifetime, std::chrono::seconds(1800));
  EXPECT_EQ(old.retired_at, kNow + std::chrono::hours(1));
  EXPECT_TRUE(old.revoked);
  ASSERT_TRUE(repository_->put_token_keys(std::span(keys).subspan(1)));
  EXPECT_EQ(reopened().token_keys.size(), 1U);
}

TEST_P(Repositories, KeepTheLatestUseOfAKeyThroughItsChange) {
  ASSERT_TRUE(repository_->put_key(key("k1", "")));
  const std::vector<control::KeyUse> uses{
      {"k1", kNow, 7}, {"gone", kNow, 1}, {"k1", kNow - std::chrono::seconds(5), 6}};
  ASSERT_TRUE(repository_->touch_keys(uses));
  ASSERT_TRUE(repository_->put_key(key("k1", "")));
  const auto state = reopened();
  EXPECT_EQ(state.keys.at(0).usage->last, kNow.time_since_epoch().count());
  EXPECT_EQ(state.keys.at(0).usage->count, 7U);
}

TEST_P(Repositories, ForgetRevokedTokensOnlyWhenTheyExpired) {
  ASSERT_TRUE(repository_->add_revoked_token("old", kNow - std::chrono::seconds(1)));
  ASSERT_TRUE(repository_->add_revoked_token("new", kNow + std::chrono::seconds(1)));
  ASSERT_TRUE(repository_->add_revoked_token("new", kNow - std::chrono::seconds(9)));  // never sooner
  EXPECT_EQ(repository_->prune_revoked_tokens(kNow).value(), 1U);
  const auto state = reopened();
  EXPECT_EQ(state.revoked_tokens.size(), 1U);
  EXPECT_TRUE(state.revoked_tokens.contains("new"));
}

TEST_P(Repositories, KeepServersWithEveryField) {
  ServerRecord server;
  server.name = "calc";
  server.transport = Transport::http;
  server.command = {"/bin/sh", "-c", kNasty};
  server.env = {{"A", kNasty}, {"B", ""}};
  server.paths = {"ro:/x"};
  server.headers = {{"Authorization", "${env:X}"}};
  server.query = {{"key", "${vault:x}"}};
  server.files = {{"KEY_FILE", "${vault:y}"}};
  server.required = {"a.b"};
  server.forwards = {"roots", "elicitation"};
  server.labels_away = {{"read", "private_data x"}, {kNasty, "y"}};
  server.tls = {kNasty, {"sha256/b", "sha256/a"}, "/c.pem", "${file:k}"};
  server.network = server.allow_private = server.shared = true;
  server.enabled = false;
  server.security_level = 7;
  server.call_timeout = std::chrono::milliseconds(1234);
  server.result_bytes_max = 99;
  ASSERT_TRUE(repository_->put_server(server));
  const auto state = reopened();
  ASSERT_EQ(state.servers.size(), 1U);
  const ServerRecord& got = state.servers[0];
  EXPECT_EQ(got.transport, Transport::http);
  EXPECT_EQ(got.command, server.command);
  EXPECT_EQ(got.env, server.env);
  EXPECT_EQ(got.headers, server.headers);
  EXPECT_EQ(got.query, server.query);
  EXPECT_EQ(got.files, server.files);
  EXPECT_EQ(got.paths, server.paths);
  EXPECT_EQ(got.required, server.required);
  EXPECT_EQ(got.forwards, server.forwards);
  EXPECT_EQ(got.labels_away, server.labels_away);
  EXPECT_EQ(got.tls, server.tls);  // S2-26
  EXPECT_TRUE(got.network && got.allow_private && got.shared && !got.enabled);
  EXPECT_EQ(got.security_level, 7);
  EXPECT_EQ(got.call_timeout, server.call_timeout);
  EXPECT_EQ(got.result_bytes_max, 99U);
}

// Also what a row written before the list existed reads as: nothing is forwarded.
TEST_P(Repositories, AServerWithoutForwardsIsNotGivenTheDefault) {
  ServerRecord server;
  server.name = "calc";
  server.forwards.clear();
  ASSERT_TRUE(repository_->put_server(server));
  EXPECT_TRUE(reopened().servers[0].forwards.empty());
}

TEST_P(Repositories, ReplaceToolsAsAWhole) {
  ServerRecord server;
  server.name = "calc";
  ASSERT_TRUE(repository_->put_server(server));
  ASSERT_TRUE(repository_->replace_tools("calc", std::vector{tool("calc", "add"), tool("calc", "sub")}));
  ASSERT_TRUE(repository_->replace_tools("calc", std::vector{tool("calc", kNasty)}));
  auto state = reopened();
  ASSERT_EQ(state.tools.size(), 1U);
  EXPECT_EQ(state.tools[0].name, kNasty);
  EXPECT_EQ(state.tools[0].required, (std::vector<std::string>{"a.b", kNasty}));
  ASSERT_TRUE(repository_->put_server(server));
  EXPECT_EQ(reopened().tools.size(), 1U);  // the server's tools stay when it is put again
  ASSERT_TRUE(repository_->delete_server("calc"));
  EXPECT_TRUE(reopened().tools.empty());
}

TEST_P(Repositories, ChangeNothingWhenOneToolOfManyIsRefused) {
  ServerRecord server;
  server.name = "calc";
  ASSERT_TRUE(repository_->put_server(server));
  ASSERT_TRUE(repository_->replace_tools("calc", std::vector{tool("calc", "add")}));
  EXPECT_FALSE(repository_->replace_tools("calc", std::vector{tool("calc", "x"), tool("calc", "x")}));
  EXPECT_FALSE(repository_->replace_tools("calc", std::vector{tool("calc", "x"), tool("other", "y")}));
  EXPECT_EQ(repository_->replace_tools("nobody", {}).error().code, Code::not_found);
  const auto state = reopened();
  ASSERT_EQ(state.tools.size(), 1U);
  EXPECT_EQ(state.tools[0].name, "add");
}

TEST_P(Repositories, KeepRolesAndMeta) {
  const Role role{kNasty, {Permission::tool_read}, {{Permission::tool_execute, "s", "t"}}, {"x.y"}};
  ASSERT_TRUE(repository_->put_role(role));
  ASSERT_TRUE(repository_->put_meta(kNasty, kNasty));
  const auto state = reopened();
  ASSERT_EQ(state.roles.size(), 1U);
  EXPECT_EQ(state.roles[0].name, kNasty);
  EXPECT_EQ(state.roles[0].grants, role.grants);
  EXPECT_EQ(state.meta.at(kNasty), kNasty);
  EXPECT_EQ(repository_->get_meta(kNasty).value(), kNasty);
  EXPECT_EQ(repository_->get_meta("absent").value(), std::nullopt);
  EXPECT_TRUE(repository_->delete_role(kNasty));
  EXPECT_TRUE(reopened().roles.empty());
}

TEST_P(Repositories, KeepToolsets) {
  Toolset set{"mail", kNasty, true, {{"send", {"gmail", kNasty, ""}}, {kNasty, {"registry", "x", kNasty}}}, kNow};
  ASSERT_TRUE(repository_->put_toolset(set));
  set.enabled = false;
  set.tools.erase("send");
  ASSERT_TRUE(repository_->put_toolset(set));
  const auto state = reopened();
  ASSERT_EQ(state.toolsets.size(), 1U);
  const Toolset& got = state.toolsets[0];
  EXPECT_EQ(got.description, kNasty);
  EXPECT_FALSE(got.enabled);
  EXPECT_EQ(got.created_at, kNow);
  ASSERT_EQ(got.tools.size(), 1U);
  EXPECT_EQ(got.tools.at(kNasty).description, kNasty);
  EXPECT_EQ(repository_->delete_toolset("other").error().code, Code::not_found);
  EXPECT_TRUE(repository_->delete_toolset("mail"));
  EXPECT_TRUE(reopened().toolsets.empty());
}

control::PolicyVersion policy_version(std::uint64_t number) {
  control::PolicyVersion version;
  version.number = number;
  version.source = "activated";
  version.author = "user:u1";
  version.reason = kNasty;
  version.created_at = kNow;
  version.digest = "ab";
  version.files = 2;
  return version;
}

TEST_P(Repositories, KeepVersionsOfPolicies) {
  const control::PolicyModules modules{{"b.rego", kNasty}, {"a.rego", "package a"}};
  ASSERT_TRUE(repository_->write_policies({{policy_version(1)}, std::pair{1, modules}, {}, {1, 0, 1, 1}}));
  ASSERT_TRUE(repository_->write_policies({{policy_version(2)}, std::pair{2, modules}, {}, {1, 2, 1, 2}}));
  auto changed = policy_version(1);
  changed.activated_at = kNow + std::chrono::seconds(1);
  changed.activated_by = "key:k";
  changed.activation_reason = kNasty;
  changed.before = 2;
  ASSERT_TRUE(repository_->write_policies({{changed}, {}, {2, 99}, {1, 0, 1, 2}}));
  const auto state = reopened();
  ASSERT_EQ(state.policies.size(), 1U);
  EXPECT_EQ(state.policies[0].number, 1U);
  EXPECT_EQ(state.policies[0].reason, kNasty);
  EXPECT_EQ(state.policies[0].activated_at, changed.activated_at);
  EXPECT_EQ(state.policies[0].activated_by, "key:k");
  EXPECT_EQ(state.policies[0].before, 2U);
  EXPECT_EQ(state.policy_state.active, 1U);
  EXPECT_EQ(state.policy_state.newest, 2U);
  EXPECT_EQ(repository_->policy_modules(1).value(), modules) << "changing a version leaves its modules";
  EXPECT_EQ(repository_->policy_modules(2).error().code, Code::not_found);
}

TEST_P(Repositories, WriteVersionsOfPoliciesWholeOrNotAtAll) {
  const control::PolicyModules modules{{"a.rego", "package a"}};
  ASSERT_TRUE(repository_->write_policies({{policy_version(1)}, std::pair{1, modules}, {}, {1, 0, 1, 1}}));
  // The modules of a version that is not there.
  EXPECT_FALSE(repository_->write_policies({{policy_version(2)}, std::pair{7, modules}, {1}, {2, 0, 2, 2}}));
  const auto state = reopened();
  ASSERT_EQ(state.policies.size(), 1U);
  EXPECT_EQ(state.policy_state.active, 1U);
  EXPECT_EQ(repository_->policy_modules(1).value(), modules);
}

TEST_P(Repositories, TakeCheckpointsOnlyForward) {
  for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE(repository_->put_checkpoint({n, kNow, "h" + std::to_string(n), "l"}));
  EXPECT_EQ(repository_->put_checkpoint({3, kNow, "x", "l"}).error().code, Code::conflict);
  EXPECT_EQ(repository_->put_checkpoint({2, kNow, "x", "l"}).error().code, Code::conflict);
  reopened();
  const auto last = repository_->last_checkpoints(2).value();
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].number, 2U);
  EXPECT_EQ(last[1].hash, "h3");
}

TEST_P(Repositories, KeepsLoginSessions) {
  auto session = std::make_shared<LoginSession>();
  session->id = "0123456789abcdef0123456789abcdef";
  session->owner = "user:u1";
  session->client = {"192.0.2.1", kNasty};
  session->created_at = kNow;
  session->expires_at = kNow + std::chrono::hours(12);
  session->touch(kNow);
  ASSERT_TRUE(repository_->put_session({session, "first"}).has_value());
  ASSERT_TRUE(repository_->put_session({session, "second"}).has_value());
  const WallTime later = kNow + std::chrono::seconds(5);
  session->touch(later);
  ASSERT_TRUE(repository_->touch_sessions(std::vector<LoginSessionPtr>{session}).has_value());
  const auto state = reopened();
  ASSERT_EQ(state.sessions.size(), 1U);
  const LoginSession& kept = *state.sessions[0].session;
  EXPECT_EQ(state.sessions[0].refresh_hash, "second");
  EXPECT_EQ(kept.owner, session->owner);
  EXPECT_EQ(kept.client.address, "192.0.2.1");
  EXPECT_EQ(kept.client.user_agent, kNasty);
  EXPECT_EQ(kept.created_at, kNow);
  EXPECT_EQ(kept.expires_at, session->expires_at);
  EXPECT_EQ(kept.last_used(), later);
  ASSERT_TRUE(repository_->delete_sessions(std::vector<std::string>{session->id, "unknown"}).has_value());
  EXPECT_TRUE(reopened().sessions.empty());
}

INSTANTIATE_TEST_SUITE_P(All, Repositories, testing::Values(kSqlite), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sallyport::storage
