// What each role grants (S0-8, S0-9): those that are built in, and those of this gateway.
#include "api/people.h"
#include "api/standing.h"
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
  w.end_array();
  write_texts(w, "inherits", role.inherits);
  w.end_object();
  return w.take();
}

RestAnswer shown(const Role& role, bool builtin, int status = 200) {
  RestAnswer answer;
  answer.status = status;
  answer.body = role_text(role, builtin);
  answer.reason = "role=" + role.name;
  return answer;
}

// `fallback`: the role as it is; what the body does not name stays.
Result<Role> read_role(const Call& call, Role fallback) {
  const json::Value body = call.root();
  if (body.find("scopes")) {
    SP_TRY(auto scopes, read_scopes(body));
    fallback.permissions = scopes.everywhere;
    fallback.grants = std::move(scopes.grants);
    fallback.dotted = std::move(scopes.dotted);
  }
  if (body.find("inherits")) {
    SP_TRY(fallback.inherits, texts_field(body, "inherits"));
  }
  return fallback;
}

Task<RestAnswer> put(Call& call, Role before, bool fresh) {
  auto role = read_role(call, std::move(before));
  if (!role) co_return refuse(call, role.error());
  auto& control = call.api.deps().control;
  const auto stored =
      co_await run_for_caller<Role>(call, control.put_role(std::move(*role), fresh, call.request.principal));
  if (!stored) co_return refuse_gift(call, stored.error());
  co_return shown(*stored, false, fresh ? 201 : 200);
}

}  // namespace

Task<RestAnswer> list_roles(Call& call) {
  const Roles& own = *call.request.snapshot->written_roles;
  std::vector<std::string> items;
  for (const auto& [name, role] : rbac::builtin_roles()) items.push_back(role_text(role, true));
  for (const auto& [name, role] : own) items.push_back(role_text(role, false));
  co_return co_await list(call, items);
}

Task<RestAnswer> show_role(Call& call) {
  const std::string& name = call.parts[0];
  const Roles& own = *call.request.snapshot->written_roles;
  if (const auto found = own.find(name); found != own.end()) co_return shown(found->second, false);
  const auto builtin = rbac::builtin_roles().find(name);
  if (builtin == rbac::builtin_roles().end()) co_return refuse(call, {Code::not_found, "no role " + name});
  co_return shown(builtin->second, true);
}

Task<RestAnswer> add_role(Call& call) {
  auto name = text_field(call.root(), "name");
  if (!name) co_return refuse(call, name.error());
  co_return co_await put(call, Role{.name = std::move(*name)}, true);
}

Task<RestAnswer> update_role(Call& call) {
  const Roles& own = *call.request.snapshot->written_roles;
  const auto found = own.find(call.parts[0]);
  if (found == own.end()) {
    const bool builtin = rbac::builtin_roles().contains(call.parts[0]);
    co_return refuse(call, builtin ? Error{Code::conflict, "a built-in role stays as it is: make one of your own"}
                                   : Error{Code::not_found, "no role " + call.parts[0]});
  }
  co_return co_await put(call, found->second, false);
}

Task<RestAnswer> remove_role(Call& call) {
  if (rbac::builtin_roles().contains(call.parts[0])) {
    co_return refuse(call, {Code::conflict, "a built-in role stays: take it from whoever has it"});
  }
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<void>(call, control.delete_role(call.parts[0], call.request.principal));
  if (!done) co_return refuse_gift(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = "role=" + call.parts[0];
  co_return answer;
}

}  // namespace sallyport::api
