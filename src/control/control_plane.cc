#include "control/control_plane.h"

#include "engines/rbac/inherit.h"

namespace sallyport::control {
namespace {

template <class T>
std::shared_ptr<T> copy_of(const std::shared_ptr<const T>& part) {
  return std::make_shared<T>(*part);
}

Result<void> load_roles(const std::vector<Role>& stored, Snapshot& next) {
  Roles written;
  for (const Role& role : stored) written[role.name] = role;
  SP_TRY(Roles in_force, rbac::roles_in_force(written));
  next.roles = std::make_shared<const Roles>(std::move(in_force));
  next.written_roles = std::make_shared<const Roles>(std::move(written));
  return {};
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
      token_keys_(deps_.repository, deps_.keys, deps_.random, deps_.clock, deps_.token_keys,
                  [this](std::shared_ptr<const token::KeyRing> ring) {
                    Snapshot next = *snapshot_;
                    next.token_keys = std::move(ring);
                    return publish(std::move(next));
                  }) {}

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
  SP_TRY(std::string signer, token_keys_.load(std::move(stored.token_keys)));
  SP_TRY(next.token_keys, token_keys_.ring());
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
