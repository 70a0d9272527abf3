#include "engines/rbac/rights.h"

#include <algorithm>

namespace sallyport::rbac {
namespace {

template <class T>
void add_once(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& one : from) {
    if (std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

void add_roles(std::vector<std::string>& to, const Group& group) {
  for (const std::string& role : group.roles) {
    if (may_be_of_a_group(role) && std::ranges::find(to, role) == to.end()) to.push_back(role);
  }
}

template <class Each>
void each_group(const UserRecord& user, const Principals& all, Each each) {
  for (const std::string& name : user.groups) {
    const auto found = all.groups.find(name);
    if (found != all.groups.end()) each(*found->second);
  }
}

}  // namespace

bool may_be_of_a_group(std::string_view role) noexcept { return role != "admin" && role != "agent"; }

void give_rights(Principal& to, const UserRecord& user, const Principals& all) {
  to.roles = user.roles;
  to.permissions = user.permissions;
  to.grants = user.grants;
  to.dotted = user.dotted;
  to.groups.clear();
  each_group(user, all, [&](const Group& group) {
    to.groups.push_back(group.name);
    add_roles(to.roles, group);
    to.permissions.add(group.permissions);
    add_once(to.grants, group.grants);
    add_once(to.dotted, group.dotted);
  });
}

void give_rights(Principal& to, const KeyRecord& key) {
  to.roles = key.roles.empty() ? std::vector<std::string>{"agent"} : key.roles;
  to.permissions = key.permissions;
  to.grants = key.grants;
  to.dotted = key.dotted;
  to.groups.clear();
}

std::vector<std::string> roles_of(const UserRecord& user, const Principals& all) {
  std::vector<std::string> roles = user.roles;
  each_group(user, all, [&](const Group& group) { add_roles(roles, group); });
  return roles;
}

}  // namespace sallyport::rbac
