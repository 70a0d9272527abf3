#include "control/key_changes.h"

#include <algorithm>
#include <string_view>

#include "control/names.h"
#include "engines/rbac/rbac.h"

namespace sallyport::control {
namespace {

PermissionSet without(PermissionSet set, PermissionSet taken) noexcept {
  return PermissionSet::from_bits(set.bits() & ~taken.bits());
}

// All that somebody holds, with what their roles give.
struct Rights {
  bool admin = false;
  PermissionSet everywhere;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
};

template <class Holder>
Rights rights_of(const Holder& holder, const Roles& roles) {
  Rights out{false, holder.permissions, holder.grants, holder.dotted};
  for (const std::string& name : holder.roles) {
    const Role* const role = rbac::find_role(roles, name);
    if (role == nullptr) continue;
    out.admin = out.admin || name == "admin";
    out.everywhere.add(role->permissions);
    out.grants.insert(out.grants.end(), role->grants.begin(), role->grants.end());
    out.dotted.insert(out.dotted.end(), role->dotted.begin(), role->dotted.end());
  }
  return out;
}

// Every name that `inner` fits, `outer` fits: certain where it says so, and never said of globs with `?` but equal ones.
bool as_wide(std::string_view outer, std::string_view inner) noexcept {
  if (outer == inner || outer == "*") return true;
  return outer.find('?') == std::string_view::npos && rbac::glob_match(outer, inner);
}

bool covers(const Rights& held, const Grant& grant) {
  if (held.everywhere.has(grant.permission)) return true;
  return std::ranges::any_of(held.grants, [&](const Grant& one) {
    const bool same = one.permission == grant.permission ||
                      (one.permission == Permission::tool_execute && grant.permission == Permission::tool_read);
    return same && as_wide(one.server, grant.server) && as_wide(one.tool, grant.tool);
  });
}

// The first thing of `wanted` that is not held; empty where all is.
std::string missing(const Rights& held, const Rights& wanted) {
  if (held.admin) return {};
  if (wanted.admin) return "the role admin";
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    const auto permission = static_cast<Permission>(i);
    if (wanted.everywhere.has(permission) && !held.everywhere.has(permission)) return std::string(kPermissionNames[i]);
  }
  for (const Grant& grant : wanted.grants) {
    if (!covers(held, grant)) return to_string(grant);
  }
  for (const std::string& name : wanted.dotted) {
    if (std::ranges::find(held.dotted, name) == held.dotted.end()) return name;
  }
  return {};
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

Result<void> check_gift(const Snapshot& snapshot, const Principal& giver, const KeyRecord& key) {
  const Rights wanted = rights_of(key, *snapshot.roles);
  if (const std::string what = missing(rights_of(giver, *snapshot.roles), wanted); !what.empty()) {
    return fail(Code::access_denied, "You cannot give a key what you do not hold: " + what);
  }
  return check_owner(snapshot, key);
}

Result<void> check_role_gift(const Snapshot& snapshot, const Principal& giver, const Role& role) {
  const Rights wanted{false, role.permissions, role.grants, role.dotted};
  const std::string what = missing(rights_of(giver, *snapshot.roles), wanted);
  if (what.empty()) return {};
  return fail(Code::access_denied, "You cannot give a role what you do not hold: " + what);
}

Result<void> check_owner(const Snapshot& snapshot, const KeyRecord& key) {
  if (key.owner_user_id.empty()) return {};
  const auto owner = snapshot.principals->users.find(key.owner_user_id);
  if (owner == snapshot.principals->users.end()) return fail(Code::not_found, "no user " + key.owner_user_id);
  Principal person;
  person.roles = owner->second->roles;
  const std::string what = missing(rights_of(person, *snapshot.roles), rights_of(key, *snapshot.roles));
  if (!what.empty()) {
    return fail(Code::access_denied, "The owner of the key does not hold: " + what);
  }
  return {};
}

}  // namespace sallyport::control
