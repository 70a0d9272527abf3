// What each role grants (S0-8, S0-9): those that are built in, and those of this gateway.
#include "api/people.h"
#include "engines/rbac/rbac.h"

namespace sallyport::api {
namespace {

std::string role_text(const Role& role, bool builtin) {
  json::Writer w;
  w.object().member("name", role.name).member("built_in", builtin).key("permissions").array();
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    if (role.permissions.has(static_cast<Permission>(i))) w.value(kPermissionNames[i]);
  }
  w.end_array().key("scopes").array();
  for (const Grant& grant : role.grants) w.value(to_string(grant));
  for (const auto& dotted : role.dotted) w.value(dotted);
  w.end_array().end_object();
  return w.take();
}

// Every name once, as rbac::find_role has it in force.
std::map<std::string, bool> role_names(const Call& call) {
  std::map<std::string, bool> names;
  for (const auto& [name, role] : *call.request.snapshot->roles) names[name] = false;
  for (const auto& [name, role] : rbac::builtin_roles()) {
    names[name] = rbac::find_role(*call.request.snapshot->roles, name) == &role;
  }
  return names;
}

}  // namespace

Task<RestAnswer> list_roles(Call& call) {
  std::vector<std::string> items;
  for (const auto& [name, builtin] : role_names(call)) {
    items.push_back(role_text(*rbac::find_role(*call.request.snapshot->roles, name), builtin));
  }
  co_return list(call, items);
}

Task<RestAnswer> show_role(Call& call) {
  const auto names = role_names(call);
  const auto found = names.find(call.parts[0]);
  if (found == names.end()) co_return refuse(call, {Code::not_found, "no role " + call.parts[0]});
  RestAnswer answer;
  answer.body = role_text(*rbac::find_role(*call.request.snapshot->roles, found->first), found->second);
  co_return answer;
}

}  // namespace sallyport::api
