#include "control/gifts.h"

#include <algorithm>
#include <string>

#include "engines/policy/reads.h"
#include "engines/rbac/rbac.h"
#include "engines/rbac/rights.h"

namespace sallyport::control {
namespace {

// Permissions everywhere, and on what globs name.
struct Reach {
  PermissionSet everywhere;
  std::vector<Grant> grants;
};

// All that somebody holds, with what their roles give.
struct Rights {
  bool admin = false;
  Reach any;       // through every door
  Reach over_mcp;  // execution through that door alone
  std::vector<std::string> dotted;
  // What a rule may go by, whatever it gives: roles of this gateway with those that they inherit, and groups.
  std::vector<std::string> roles, groups;
};

void add(Rights& to, PermissionSet permissions, const std::vector<Grant>& grants, bool agent) {
  const PermissionSet execute{Permission::tool_execute};
  to.any.everywhere.add(agent ? PermissionSet::from_bits(permissions.bits() & ~execute.bits()) : permissions);
  if (agent && permissions.has(Permission::tool_execute)) to.over_mcp.everywhere.add(Permission::tool_execute);
  for (const Grant& grant : grants) {
    if (!agent || grant.permission != Permission::tool_execute) {
      to.any.grants.push_back(grant);
      continue;
    }
    to.over_mcp.grants.push_back(grant);
    to.any.grants.push_back({Permission::tool_read, grant.server, grant.tool});
  }
}

// A role that is built in is worth what it gives.
void add_role_name(Rights& to, const std::string& name) {
  if (!rbac::builtin_roles().contains(name)) to.roles.push_back(name);
}

template <class Holder>
Rights rights_of(const Holder& holder, const Roles& roles) {
  Rights out;
  out.dotted = holder.dotted;
  add(out, holder.permissions, holder.grants, std::ranges::find(holder.roles, "agent") != holder.roles.end());
  if constexpr (requires { holder.groups; }) out.groups = holder.groups;
  for (const std::string& name : holder.roles) {
    add_role_name(out, name);
    const Role* const role = rbac::find_role(roles, name);
    if (role == nullptr) continue;
    out.admin = out.admin || name == "admin";
    add(out, role->permissions, role->grants, name == "agent");
    out.dotted.insert(out.dotted.end(), role->dotted.begin(), role->dotted.end());
    for (const std::string& above : role->inherits) add_role_name(out, above);
  }
  return out;
}

// Every name that `inner` fits, `outer` fits: certain where it says so, and never said of globs with `?` but equal ones.
bool as_wide(std::string_view outer, std::string_view inner) noexcept {
  if (outer == inner || outer == "*") return true;
  return outer.find('?') == std::string_view::npos && rbac::glob_match(outer, inner);
}

bool covers(const Reach& held, const Grant& grant) {
  if (held.everywhere.has(grant.permission)) return true;
  return std::ranges::any_of(held.grants, [&](const Grant& one) {
    const bool same = one.permission == grant.permission ||
                      (one.permission == Permission::tool_execute && grant.permission == Permission::tool_read);
    return same && as_wide(one.server, grant.server) && as_wide(one.tool, grant.tool);
  });
}

// The first thing of `wanted` that is in none of `held`; empty where all is.
std::string missing(std::initializer_list<const Reach*> held, const Reach& wanted) {
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    const auto permission = static_cast<Permission>(i);
    const bool has = std::ranges::any_of(held, [&](const Reach* one) { return one->everywhere.has(permission); });
    if (wanted.everywhere.has(permission) && !has) return std::string(kPermissionNames[i]);
  }
  for (const Grant& grant : wanted.grants) {
    if (std::ranges::none_of(held, [&](const Reach* one) { return covers(*one, grant); })) return to_string(grant);
  }
  return {};
}

std::string first_beyond(const std::vector<std::string>& held, const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    if (std::ranges::find(held, name) == held.end()) return name;
  }
  return {};
}

std::string missing(const Rights& held, const Rights& wanted) {
  if (held.admin) return {};
  if (wanted.admin) return "the role admin";
  if (std::string what = missing({&held.any}, wanted.any); !what.empty()) return what;
  if (std::string what = missing({&held.any, &held.over_mcp}, wanted.over_mcp); !what.empty()) return what;
  return first_beyond(held.dotted, wanted.dotted);
}

// A rule may tell members of a group from others, or an OPA server has the rules and nobody here knows.
bool groups_decide(const Snapshot& snapshot) {
  return snapshot.policy_elsewhere || policy::analyse(snapshot.policy->modules).has(policy::Field::user_groups);
}

// Of the names that a rule may go by.
std::string missing_name(const Snapshot& snapshot, const Rights& held, const Rights& wanted) {
  if (held.admin || held.any.everywhere.has(Permission::system_admin)) return {};
  if (const std::string role = first_beyond(held.roles, wanted.roles); !role.empty()) return "the role " + role;
  const std::string group = first_beyond(held.groups, wanted.groups);
  return group.empty() || !groups_decide(snapshot) ? std::string() : "the group " + group;
}

Principal person_of(const Snapshot& snapshot, const UserRecord& user) {
  Principal person;
  rbac::give_rights(person, user, *snapshot.principals);
  return person;
}

template <class Holder>
Result<void> covered(const Snapshot& snapshot, const Principal& giver, const Holder& holder,
                     std::string_view sentence) {
  const Rights held = rights_of(giver, *snapshot.roles);
  const Rights wanted = rights_of(holder, *snapshot.roles);
  std::string what = missing(held, wanted);
  if (what.empty()) what = missing_name(snapshot, held, wanted);
  if (what.empty()) return {};
  return fail(Code::access_denied, std::string(sentence) + what);
}

// What a role gives, and whose rules hold for who has it.
struct RoleRights {
  std::vector<std::string> roles;
  PermissionSet permissions;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
};

Result<void> over_key(const Snapshot& snapshot, const Principal& giver, const KeyRecord& key) {
  return covered(snapshot, giver, key, "You cannot give a key what you do not hold: ");
}

}  // namespace

Result<void> check_gift(const Snapshot& snapshot, const Principal& giver, const KeyRecord& key) {
  SP_CHECK(over_key(snapshot, giver, key));
  return check_owner(snapshot, key);
}

Result<void> check_role_gift(const Snapshot& snapshot, const Principal& giver, const Role& role) {
  const RoleRights rights{role.inherits, role.permissions, role.grants, role.dotted};
  return covered(snapshot, giver, rights, "You cannot give a role what you do not hold: ");
}

Result<void> check_group_gift(const Snapshot& snapshot, const Principal& giver, const Group& group) {
  return covered(snapshot, giver, group, "You cannot give a group what you do not hold: ");
}

Result<void> check_user_gift(const Snapshot& snapshot, const Principal& giver, const UserRecord& user) {
  return covered(snapshot, giver, person_of(snapshot, user),
                 "You cannot make or manage a user who may what you do not hold: ");
}

Result<void> check_over(const Snapshot& snapshot, const Principal& caller, std::string_view principal_id) {
  const Principals& all = *snapshot.principals;
  const std::string_view id = principal_id.substr(principal_id.find(':') + 1);
  if (principal_id.starts_with("user:")) {
    const auto user = all.users.find(id);
    return user == all.users.end() ? Result<void>{} : check_user_gift(snapshot, caller, *user->second);
  }
  const auto key = all.keys.find(id);
  if (key == all.keys.end()) return {};
  return covered(snapshot, caller, *key->second, "You cannot manage a key that may what you do not hold: ");
}

Result<void> check_owner(const Snapshot& snapshot, const KeyRecord& key) {
  if (key.owner_user_id.empty()) return {};
  const auto owner = snapshot.principals->users.find(key.owner_user_id);
  if (owner == snapshot.principals->users.end()) return fail(Code::not_found, "no user " + key.owner_user_id);
  return covered(snapshot, person_of(snapshot, *owner->second), key, "The owner of the key does not hold: ");
}

}  // namespace sallyport::control
