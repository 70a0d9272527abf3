#include "control/key_changes.h"

#include "control/names.h"

namespace sallyport::control {
namespace {

PermissionSet without(PermissionSet set, PermissionSet taken) noexcept {
  return PermissionSet::from_bits(set.bits() & ~taken.bits());
}

}  // namespace

KeyRecord changed(KeyRecord key, KeyChange change) {
  if (change.name) key.name = std::move(*change.name);
  if (change.description) key.description = std::move(*change.description);
  if (change.scopes) {
    const PermissionSet flags = without(key.permissions, without(PermissionSet::all(), kFlagPermissions));
    key.permissions = flags;
    key.permissions.add(change.scopes->everywhere);
    key.grants = std::move(change.scopes->grants);
    key.dotted = std::move(change.scopes->dotted);
  }
  key.permissions = without(key.permissions, change.taken);
  key.permissions.add(change.given);
  if (change.roles) key.roles = std::move(*change.roles);
  if (change.addresses) key.addresses = std::move(*change.addresses);
  if (change.expires_at) key.expires_at = *change.expires_at;
  return key;
}

Result<void> check_key_fields(const KeyRecord& key) {
  SP_CHECK(check_name(key.name, "a key name"));
  if (key.description.size() > kKeyDescriptionBytesMax)
    return fail(Code::validation, "description must have at most 1000 bytes");
  if (key.addresses.size() > kKeyAddressesMax) return fail(Code::validation, "addresses: at most 64 of them");
  if (key.grants.size() + key.dotted.size() > kKeyScopesMax)
    return fail(Code::validation, "scopes: at most 256 of them");
  return {};
}

}  // namespace sallyport::control
