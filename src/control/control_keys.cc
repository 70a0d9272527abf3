// API keys (S1-11, S1-18): made, changed, rotated, switched off and on, ended.
#include <algorithm>

#include "control/control_plane.h"
#include "control/gifts.h"
#include "crypto/api_key.h"

namespace sallyport::control {
namespace {

const KeyRecord* find_key(const Snapshot& snapshot, const std::string& id) {
  const auto key = snapshot.principals->keys.find(id);
  return key == snapshot.principals->keys.end() ? nullptr : key->second.get();
}

}  // namespace

// Stored, known to every worker, and what the key's login sessions lose by it is ended.
Task<Result<void>> ControlPlane::save_key(KeyRecord key) {
  SP_CO_CHECK(deps_.repository.put_key(key));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  const std::string id = key.id;
  principals->keys[id] = std::make_shared<const KeyRecord>(std::move(key));
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  SP_CO_CHECK(co_await publish(std::move(next)));
  // They have ended even where the store fails: after a restart the key's record would end them again.
  const SnapshotPtr now = snapshot_;
  (void)co_await logins_.sweep(*now->principals, deps_.clock.wall());
  co_return Result<void>{};
}

Task<Result<NewKey>> ControlPlane::create_key(KeyRecord spec, PrincipalPtr giver) {
  if (spec.roles.empty()) spec.roles = {"agent"};  // ruling C6
  SP_CO_CHECK(check_key_fields(spec));
  if (giver != nullptr) {
    SP_CO_CHECK(check_gift(*snapshot_, *giver, spec));
  }
  if (!spec.owner_user_id.empty() && find_user(*snapshot_, spec.owner_user_id) == nullptr) {
    co_return fail(Code::not_found, "no user " + spec.owner_user_id);
  }
  auto made = crypto::make_api_key(*snapshot_->hash_keys, deps_.random);
  spec.id = made.id;
  spec.hash = std::move(made.hash);
  spec.created_at = deps_.clock.wall();
  SP_CO_CHECK(co_await save_key(spec));
  co_return NewKey{std::move(spec), std::move(made.key)};
}

Task<Result<KeyRecord>> ControlPlane::update_key(std::string id, KeyChange change, PrincipalPtr giver) {
  const KeyRecord* const found = find_key(*snapshot_, id);
  if (found == nullptr) co_return fail(Code::not_found, "no key " + id);
  SP_CO_CHECK(
      check_over(*snapshot_, *giver, "key:" + id));  // as it was: else it could be disarmed, and then taken over
  const bool extended = change.expires_at.has_value();
  KeyRecord key = changed(*found, std::move(change));
  if (extended && !hash_keys_.all()->has(crypto::HashKeys::generation_of(key.hash))) {
    co_return fail(
        Code::conflict,
        "the key had expired, and what its secret was hashed under is gone; fix: sallyport key rotate " + id);
  }
  if (key.roles.empty()) key.roles = {"agent"};
  SP_CO_CHECK(check_key_fields(key));
  SP_CO_CHECK(check_gift(*snapshot_, *giver, key));
  SP_CO_CHECK(co_await save_key(key));
  co_return key;
}

// One that was disabled because it may more than its owner comes back when the owner holds that again, or it less.
Task<Result<KeyRecord>> ControlPlane::set_key_enabled(std::string id, std::optional<bool> enabled, PrincipalPtr giver) {
  const KeyRecord* const found = find_key(*snapshot_, id);
  if (found == nullptr) co_return fail(Code::not_found, "no key " + id);
  KeyRecord key = *found;
  key.enabled = enabled.value_or(!key.enabled);
  if (giver != nullptr) {
    SP_CO_CHECK(check_over(*snapshot_, *giver, "key:" + id));
  }
  if (key.enabled) {
    SP_CO_CHECK(check_owner(*snapshot_, key));
  }
  SP_CO_CHECK(co_await save_key(key));
  co_return key;
}

// The secret in use is good for `grace` (0..kRotationGraceMax) more, one before it no more.
Task<Result<NewKey>> ControlPlane::rotate_key(std::string id, std::chrono::seconds grace, PrincipalPtr giver) {
  const KeyRecord* const found = find_key(*snapshot_, id);
  if (found == nullptr) co_return fail(Code::not_found, "no key " + id);
  if (grace.count() < 0 || grace > kRotationGraceMax) {
    co_return fail(Code::validation, "grace_seconds must be 0 to 2592000 (30 days)");
  }
  KeyRecord key = *found;
  SP_CO_CHECK(check_gift(*snapshot_, *giver, key));  // who sees the secret holds all that the key may
  auto made = crypto::renew_api_key(*snapshot_->hash_keys, deps_.random, id);
  const WallTime now = deps_.clock.wall();
  key.previous_hash = grace.count() == 0 ? std::string() : std::move(key.hash);
  key.previous_until = grace.count() == 0 ? WallTime{} : WallTime(now + grace);
  key.hash = std::move(made.hash);
  ++key.secret_number;
  key.rotated_at = now;
  SP_CO_CHECK(co_await save_key(key));
  co_return NewKey{std::move(key), std::move(made.key)};
}

// Who has less than before does not keep it by way of a key, and whoever looks into log or audit sees which. `owner_user_id`:
// empty for everybody's.
Task<Result<void>> ControlPlane::end_keys_beyond(std::string owner_user_id) {
  std::vector<std::pair<std::string, std::string>> beyond;  // id, why
  for (const auto& [id, key] : snapshot_->principals->keys) {
    const bool theirs = owner_user_id.empty() || key->owner_user_id == owner_user_id;
    if (!theirs || !key->enabled) continue;
    if (const auto held = check_owner(*snapshot_, *key); !held) beyond.emplace_back(id, held.error().detail);
  }
  for (const auto& [id, why] : beyond) {
    SP_CO_TRY(const KeyRecord key, co_await set_key_enabled(id, false, nullptr));
    if (deps_.key_disabled) deps_.key_disabled(key, why);
  }
  co_return Result<void>{};
}

Task<Result<void>> ControlPlane::delete_key(std::string id, PrincipalPtr giver) {
  if (find_key(*snapshot_, id) == nullptr) co_return fail(Code::not_found, "no key " + id);
  if (giver != nullptr) {
    SP_CO_CHECK(check_over(*snapshot_, *giver, "key:" + id));
  }
  SP_CO_CHECK(deps_.repository.delete_key(id));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->keys.erase(id);
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  next.labels = labels_.without({"key:" + id});
  next.certificates = certificates_.without({"key:" + id});
  co_return co_await publish(std::move(next));
}

// A secret whose grace is over is good no more, by itself; here it is forgotten, and what it began is ended.
Task<Result<void>> ControlPlane::forget_old_secrets(WallTime now) {
  std::vector<KeyRecord> over;
  for (const auto& [id, key] : snapshot_->principals->keys) {
    if (!key->previous_hash.empty() && key->previous_until <= now) over.push_back(*key);
  }
  for (KeyRecord& key : over) {
    const KeyRecord* const current = find_key(*snapshot_, key.id);  // another may have changed it meanwhile
    if (current == nullptr || current->secret_number != key.secret_number) continue;
    key = *current;
    key.previous_hash.clear();
    key.previous_until = {};
    SP_CO_CHECK(co_await save_key(std::move(key)));
  }
  co_return Result<void>{};
}

}  // namespace sallyport::control
