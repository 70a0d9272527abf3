// Roles of this gateway (S0-8, S2-38): made, changed, taken away; nobody makes one that may more than they do.
#include <algorithm>

#include "control/control_plane.h"
#include "control/gifts.h"
#include "control/names.h"
#include "engines/rbac/inherit.h"
#include "engines/rbac/rbac.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kRolesMax = 10'000;
constexpr std::size_t kInheritsMax = 64;
constexpr std::size_t kOwnScopesMax = 256;

Result<void> check_role(const Role& role) {
  SP_CHECK(check_name(role.name, "a role name"));
  if (rbac::builtin_roles().contains(role.name)) {
    return fail(Code::validation, "the role " + role.name + " is built in: take another name");
  }
  if (role.name.find_first_of(":@/,") != std::string::npos) {
    return fail(Code::validation, "a role name holds none of : @ / and comma");
  }
  if (role.inherits.size() > kInheritsMax) return fail(Code::validation, "inherits: at most 64");
  auto sorted = role.inherits;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return fail(Code::validation, "inherits: each once");
  if (role.grants.size() + role.dotted.size() > kOwnScopesMax) return fail(Code::validation, "scopes: at most 256");
  return {};
}

bool has(const std::vector<std::string>& roles, const std::string& name) {
  return std::ranges::find(roles, name) != roles.end();
}

// "2 users, 1 keys and 1 roles"; empty where nobody has it.
std::string holders_of(const Snapshot& snapshot, const std::string& name) {
  const auto users =
      std::ranges::count_if(snapshot.principals->users, [&](const auto& one) { return has(one.second->roles, name); });
  const auto keys =
      std::ranges::count_if(snapshot.principals->keys, [&](const auto& one) { return has(one.second->roles, name); });
  const auto heirs =
      std::ranges::count_if(*snapshot.written_roles, [&](const auto& one) { return has(one.second.inherits, name); });
  const auto groups =
      std::ranges::count_if(snapshot.principals->groups, [&](const auto& one) { return has(one.second->roles, name); });
  if (users + keys + heirs + groups == 0) return {};
  std::string text =
      std::to_string(users) + " users, " + std::to_string(keys) + " keys and " + std::to_string(heirs) + " roles";
  return groups == 0 ? text : text + " and " + std::to_string(groups) + " groups";
}

}  // namespace

Task<Result<void>> ControlPlane::publish_roles(Roles written, Roles in_force) {
  Snapshot next = *snapshot_;
  next.roles = std::make_shared<const Roles>(std::move(in_force));
  next.written_roles = std::make_shared<const Roles>(std::move(written));
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return co_await end_keys_beyond({});
}

Task<Result<Role>> ControlPlane::put_role(Role role, bool fresh, PrincipalPtr giver) {
  SP_CO_CHECK(check_role(role));
  Roles written = *snapshot_->written_roles;
  if (fresh && written.contains(role.name)) co_return fail(Code::already_exists, "role " + role.name + " is there");
  if (!fresh && !written.contains(role.name)) co_return fail(Code::not_found, "no role " + role.name);
  if (fresh && written.size() >= kRolesMax) co_return fail(Code::limit, "at most 10000 roles");
  if (!fresh) {  // what it gives now counts as well: nobody takes away what they could not give
    SP_CO_CHECK(check_role_gift(*snapshot_, *giver, snapshot_->roles->at(role.name)));
  }
  written[role.name] = role;
  SP_CO_TRY(Roles in_force, rbac::roles_in_force(written));
  SP_CO_CHECK(check_role_gift(*snapshot_, *giver, in_force.at(role.name)));
  SP_CO_CHECK(deps_.repository.put_role(role));
  SP_CO_CHECK(co_await publish_roles(std::move(written), std::move(in_force)));
  co_return role;
}

Task<Result<void>> ControlPlane::delete_role(std::string name, PrincipalPtr giver) {
  Roles written = *snapshot_->written_roles;
  if (written.erase(name) == 0) co_return fail(Code::not_found, "no role " + name);
  SP_CO_CHECK(check_role_gift(*snapshot_, *giver, snapshot_->roles->at(name)));
  if (const std::string who = holders_of(*snapshot_, name); !who.empty()) {
    co_return fail(Code::conflict, "the role " + name + " is held by " + who + ": take it from them first");
  }
  SP_CO_TRY(Roles in_force, rbac::roles_in_force(written));
  SP_CO_CHECK(deps_.repository.delete_role(name));
  co_return co_await publish_roles(std::move(written), std::move(in_force));
}

}  // namespace sallyport::control
