#include "control/control_plane.h"

#include <algorithm>
#include <array>

#include "control/gifts.h"
#include "control/names.h"
#include "core/encoding.h"

namespace sallyport::control {
namespace {

bool is_admin(const UserRecord& user) { return std::ranges::find(user.roles, "admin") != user.roles.end(); }

std::string new_id(Random& random) {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

template <class T>
std::shared_ptr<T> copy_of(const std::shared_ptr<const T>& part) {
  return std::make_shared<T>(*part);
}

}  // namespace

ControlPlane::ControlPlane(Executor executor, ControlDeps deps)
    : executor_(executor),
      deps_(std::move(deps)),
      logins_(deps_.repository, deps_.keys, deps_.random,
              [this](std::shared_ptr<const LoginSessions> sessions) {
                Snapshot next = *snapshot_;
                next.sessions = std::move(sessions);
                return publish(std::move(next));
              }),
      labels_(deps_.repository, deps_.clock, deps_.labels,
              [this](std::shared_ptr<const Labels> labels) {
                Snapshot next = *snapshot_;
                next.labels = std::move(labels);
                return publish(std::move(next));
              }),
      certificates_(
          deps_.repository, deps_.clock, deps_.random,
          [this](std::shared_ptr<const CertificateMappings> certificates) {
            Snapshot next = *snapshot_;
            next.certificates = std::move(certificates);
            return publish(std::move(next));
          },
          [this] { return snapshot_; }),
      hash_keys_(
          deps_.repository, deps_.keys, deps_.random, deps_.clock, deps_.hash_keys,
          [this](std::shared_ptr<const Principals> principals, std::shared_ptr<const crypto::HashKeys> hash_keys) {
            Snapshot next = *snapshot_;
            next.principals = std::move(principals);
            next.hash_keys = std::move(hash_keys);
            return publish(std::move(next));
          },
          [this] { return snapshot_; }),
      policies_(deps_.repository, deps_.clock,
                [this](PolicySetPtr active, PolicySetPtr shadow) {
                  Snapshot next = *snapshot_;
                  next.policy = std::move(active);
                  next.shadow = std::move(shadow);
                  return publish(std::move(next));
                }),
      token_keys_(deps_.keys, deps_.random, deps_.token_keys) {}

Result<std::string> ControlPlane::load(PolicySet policy, Limits limits, SessionRules sessions) {
  SP_TRY(auto stored, deps_.repository.load());
  auto principals = std::make_shared<Principals>();
  for (const auto& user : stored.users) {
    principals->user_ids[user.name] = user.id;
    principals->users[user.id] = std::make_shared<const UserRecord>(user);
  }
  for (const auto& group : stored.groups) principals->groups[group.name] = std::make_shared<const Group>(group);
  for (const auto& key : stored.keys) principals->keys[key.id] = std::make_shared<const KeyRecord>(key);
  principals->revoked_tokens = std::move(stored.revoked_tokens);
  for (const auto& server : stored.servers) servers_[server.name] = std::make_shared<const ServerRecord>(server);
  for (auto& tool : stored.tools) tools_[tool.server].push_back(std::move(tool));
  for (auto& set : stored.toolsets) toolsets_[set.name] = std::make_shared<const Toolset>(set);
  if (!stored.registered.empty()) tools_.insert_or_assign(std::string(kRegistry), std::move(stored.registered));

  Snapshot next;
  next.epoch = 1;
  logins_.load(std::move(stored.sessions), sessions);
  labels_.load(std::move(stored.labels));
  next.labels = labels_.all();
  certificates_.load(stored.certificates);
  next.certificates = certificates_.all();
  next.principals = std::move(principals);
  next.sessions = logins_.sessions();
  SP_CHECK(load_roles(stored.roles, next));
  SP_CHECK(policies_.load(std::move(stored.policies), stored.policy_state, std::move(policy)));
  next.policy = policies_.active();
  next.policy_elsewhere = deps_.policy_elsewhere;
  next.shadow = policies_.shadow();
  next.limits = std::make_shared<const Limits>(std::move(limits));
  next.catalogue = catalogue();
  SP_TRY(std::string signer, load_token_keys(std::move(stored.token_keys)));
  SP_TRY(next.token_keys, token_keys_.ring(token_key_set_));
  SP_CHECK(hash_keys_.load());
  next.hash_keys = hash_keys_.all();
  snapshot_ = std::make_shared<const Snapshot>(std::move(next));
  return signer;
}

std::shared_ptr<const Catalogue> ControlPlane::catalogue() { return builder_.build(servers_, tools_, toolsets_); }

Task<Result<void>> ControlPlane::publish(Snapshot next) {
  next.epoch = snapshot_->epoch + 1;
  snapshot_ = std::make_shared<const Snapshot>(std::move(next));
  co_await deps_.publish(snapshot_);
  co_return Result<void>{};
}

const UserRecord* ControlPlane::find_user(const std::string& who) const {
  const auto& principals = *snapshot_->principals;
  const auto id = principals.user_ids.find(who);
  const auto user = principals.users.find(id == principals.user_ids.end() ? who : id->second);
  return user == principals.users.end() ? nullptr : user->second.get();
}

bool ControlPlane::last_admin(const UserRecord& user) const {
  if (!is_admin(user) || !user.enabled) return false;
  const auto& users = snapshot_->principals->users;
  return std::ranges::none_of(users, [&](const auto& entry) {
    return entry.first != user.id && entry.second->enabled && is_admin(*entry.second);
  });
}

Task<Result<void>> ControlPlane::save(UserRecord user) {
  SP_CO_CHECK(deps_.repository.put_user(user));
  auto principals = copy_of(snapshot_->principals);
  principals->user_ids[user.name] = user.id;
  const std::string id = user.id;  // the right side of an assignment is evaluated first
  principals->users[id] = std::make_shared<const UserRecord>(std::move(user));
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  co_return co_await publish(std::move(next));
}

Task<Result<UserRecord>> ControlPlane::create_user(NewUser user, PrincipalPtr giver) {
  SP_CO_CHECK(check_name(user.name, "a user name"));
  SP_CO_CHECK(check_user_name(user.name));
  SP_CO_CHECK(check_email(user.email));
  SP_CO_CHECK(check_role_names(user.roles));
  SP_CO_CHECK(check_scope_count(user.scopes));
  if (find_user(user.name) != nullptr) co_return fail(Code::already_exists, "user " + user.name + " exists already");
  UserRecord record;
  record.id = new_id(deps_.random);
  record.name = std::move(user.name);
  record.email = std::move(user.email);
  record.password_hash = std::move(user.password_hash);
  record.roles = std::move(user.roles);
  record.permissions = user.scopes.everywhere;
  record.grants = std::move(user.scopes.grants);
  record.dotted = std::move(user.scopes.dotted);
  if (giver != nullptr) {
    SP_CO_CHECK(check_user_gift(*snapshot_, *giver, record));
  }
  record.must_change_password = user.must_change_password;
  record.created_at = deps_.clock.wall();
  record.password_set_at = record.created_at;
  SP_CO_CHECK(co_await save(record));
  co_return record;
}

Task<Result<UserRecord>> ControlPlane::set_user_enabled(std::string who, std::optional<bool> wanted,
                                                        PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  const bool enabled = wanted.value_or(!found->enabled);
  if (!enabled && giver != nullptr && giver->id == "user:" + found->id)
    co_return fail(Code::validation, "nobody disables themselves: ask another admin");
  if (!enabled && last_admin(*found)) co_return fail(Code::conflict, "the last enabled admin stays enabled");
  UserRecord user = *found;
  user.enabled = enabled;
  if (!enabled) user.tokens_valid_from = deps_.clock.wall();
  SP_CO_CHECK(co_await save(user));
  co_return user;
}

Task<Result<UserRecord>> ControlPlane::set_user_password(std::string who, std::string hash, bool must_change,
                                                         PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  UserRecord user = *found;
  put_password(user, std::move(hash), deps_.clock.wall());
  user.must_change_password = must_change;
  user.tokens_valid_from = deps_.clock.wall();
  SP_CO_CHECK(co_await save(user));
  co_return user;
}

Task<Result<void>> ControlPlane::revoke_token(std::string jti, WallTime expires_at) {
  const Result<void> stored = deps_.repository.add_revoked_token(jti, expires_at);
  auto principals = copy_of(snapshot_->principals);
  std::erase_if(principals->revoked_tokens, [&](const auto& entry) { return entry.second < deps_.clock.wall(); });
  principals->revoked_tokens[jti] = expires_at;
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return stored;
}

Task<Result<void>> ControlPlane::ask_store() {
  auto any = deps_.repository.get_meta("health");
  if (!any) co_return fail(std::move(any).error());
  co_return Result<void>{};
}

Task<Result<PolicyReading>> ControlPlane::replace_rules(PolicySet policy, Limits limits) {
  SP_CO_TRY(PolicyReading reading, policies_.read(std::move(policy), "reload"));
  Snapshot next = *snapshot_;
  next.policy = policies_.active();
  next.limits = std::make_shared<const Limits>(std::move(limits));
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return reading;
}

}  // namespace sallyport::control
