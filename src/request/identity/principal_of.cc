#include "request/identity/principal_of.h"

#include "engines/rbac/rights.h"

namespace sallyport {

std::shared_ptr<Principal> principal_of(const std::shared_ptr<const KeyRecord>& key, std::uint32_t secret) {
  const KeyRecord& record = *key;
  auto principal = std::make_shared<Principal>();
  principal->id = "key:" + record.id;
  principal->kind = PrincipalKind::key;
  principal->name = record.name;
  rbac::give_rights(*principal, record);
  principal->auth_type = "api_key";
  principal->credential_id = record.id;
  principal->expires_at = record.good_until(secret);
  principal->key = key;
  principal->key_secret = secret;
  return principal;
}

std::shared_ptr<Principal> principal_of(const UserRecord& user, const Principals& all) {
  auto principal = std::make_shared<Principal>();
  principal->id = "user:" + user.id;
  principal->kind = PrincipalKind::user;
  principal->name = user.name;
  rbac::give_rights(*principal, user, all);
  principal->must_change_password = user.must_change_password;
  principal->must_enroll = user.second_factor.due && !user.second_factor.confirmed;
  return principal;
}

Result<void> check_key(const Principals& principals, const KeyRecord& record, WallTime now) {
  const auto refused = [&](const char* why) { return fail(Code::unauthenticated, why + (" key=" + record.id)); };
  if (!record.enabled) return refused("identity.key_disabled");
  if (record.expires_at && *record.expires_at <= now) return refused("identity.key_expired");
  if (record.owner_user_id.empty()) return {};
  const auto owner = principals.users.find(record.owner_user_id);
  if (owner != principals.users.end() && owner->second->enabled) return {};
  return refused("identity.key_owner_disabled");
}

}  // namespace sallyport
