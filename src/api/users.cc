// People (S1-17, S4-4): created, read, changed, locked out, removed. A password is shown once, in the answer that made it.
#include <algorithm>

#include "api/people.h"
#include "api/standing.h"
#include "core/random.h"

namespace sallyport::api {
namespace {

void write_user(json::Writer& w, const UserRecord& user, std::string_view password = {}) {
  w.object().member("id", user.id).member("username", user.name).member("email", user.email);
  write_texts(w, "roles", user.roles);
  write_texts(w, "groups", user.groups);
  write_scopes(w, user.permissions, user.grants, user.dotted);
  w.member("enabled", user.enabled).member("must_change_password", user.must_change_password);
  w.member("created_at", iso_time(user.created_at));
  if (!password.empty()) w.member("password", password);
  w.end_object();
}

// 24 characters of randomness and one of each class, so that it passes its own rules (S2-35).
std::string one_time_password(std::string_view random) { return std::string(random) + "-aA7"; }

// The password given, or a one-time one; its hash.
struct ChosenPassword {
  std::string shown;  // empty unless made here
  std::string hash;
};

// `owner` tells the rules whose it is; without a hash it is a new user's.
Task<Result<ChosenPassword>> choose_password(Call& call, UserRecord owner, std::string given) {
  ChosenPassword chosen;
  if (given.empty()) {
    SystemRandom random;
    given = one_time_password(random_id(random, 18));
    chosen.shown = given;
  }
  auto& deps = call.api.deps();
  auto hash = co_await run_for_caller<std::string>(
      call, deps.accounts.hash_new_password(std::move(owner), Secret(std::move(given))));
  if (!hash) co_return fail(std::move(hash).error());
  chosen.hash = std::move(*hash);
  co_return chosen;
}

RestAnswer show(const Call& call, const Result<UserRecord>& user) {
  if (!user) return refuse_gift(call, user.error());
  json::Writer w;
  write_user(w, *user);
  return ok(w);
}

// nullopt: the other state.
Task<RestAnswer> enable(Call& call, std::optional<bool> enabled) {
  auto& control = call.api.deps().control;
  co_return show(call, co_await run_for_caller<UserRecord>(
                           call, control.set_user_enabled(call.parts[0], enabled, call.request.principal)));
}

// With a password in it, which no cache and no kept answer may repeat.
RestAnswer show_once(const UserRecord& user, const std::string& password, int status) {
  json::Writer w;
  write_user(w, user, password);
  RestAnswer answer = ok(w, status);
  if (!password.empty()) answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

RestAnswer no_user(const Call& call) { return refuse(call, {Code::not_found, "no user " + call.parts[0]}); }

}  // namespace

Task<RestAnswer> list_users(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, user] : call.request.snapshot->principals->users) {
    json::Writer w;
    write_user(w, *user);
    items.push_back(w.take());
  }
  co_return co_await (call.request.path.starts_with("/admin/") ? list_as_s1(call, items, "users") : list(call, items));
}

namespace {

Result<control::NewUser> read_user(const Call& call) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, {"username", "email", "password", "roles", "is_admin", "must_change_password", "scopes"}));
  control::NewUser user;
  SP_TRY(user.name, text_field(body, "username"));
  SP_TRY(user.email, text_field(body, "email"));
  SP_TRY(auto roles, texts_field(body, "roles"));
  SP_TRY(const bool admin, flag_field(body, "is_admin", false));
  if (admin && std::ranges::find(roles, "admin") == roles.end()) roles.emplace_back("admin");
  if (!roles.empty()) user.roles = std::move(roles);
  SP_CHECK(check_roles(call, user.roles));
  SP_TRY(user.scopes, read_scopes(body));
  SP_TRY(user.must_change_password, flag_field(body, "must_change_password", false));
  return user;
}

Result<control::UserChange> read_change(const Call& call, std::initializer_list<std::string_view> known) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, known));
  control::UserChange change;
  if (body.find("email")) {
    SP_TRY(change.email, text_field(body, "email"));
  }
  if (body.find("roles")) {
    SP_TRY(change.roles, texts_field(body, "roles"));
    if (change.roles->empty()) return fail(Code::validation, "roles must name one role at least, such as readonly");
    SP_CHECK(check_roles(call, *change.roles));
  }
  if (body.find("scopes")) {
    SP_TRY(change.scopes, read_scopes(body));
  }
  if (body.find("is_admin")) {
    SP_TRY(change.admin, flag_field(body, "is_admin", false));
  }
  if (!change.email && !change.roles && !change.admin && !change.scopes)
    return fail(Code::validation, "nothing to change: name email, roles or scopes");
  return change;
}

// Empty: make one. Not both and not neither: nobody's password is reset by an empty body, or by a misread one.
Result<std::string> read_new_password(const Call& call) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, {"password", "generate"}));
  SP_TRY(std::string given, text_field(body, "password"));
  SP_TRY(const bool generate, flag_field(body, "generate", false));
  if (given.empty() != generate) return fail(Code::validation, "give either password or generate: true");
  return given;
}

}  // namespace

Task<RestAnswer> add_user(Call& call) {
  auto user = read_user(call);
  if (!user) co_return refuse(call, user.error());
  auto given = text_field(call.root(), "password");
  if (!given) co_return refuse(call, given.error());
  UserRecord owner;
  owner.name = user->name;
  owner.email = user->email;
  auto chosen = co_await choose_password(call, std::move(owner), std::move(*given));
  if (!chosen) co_return refuse_to_wait(call, chosen.error());
  user->password_hash = std::move(chosen->hash);
  if (!chosen->shown.empty()) user->must_change_password = true;
  auto& control = call.api.deps().control;
  auto made = co_await run_for_caller<UserRecord>(call, control.create_user(std::move(*user), call.request.principal));
  if (!made) co_return refuse_gift(call, made.error());
  RestAnswer answer = show_once(*made, chosen->shown, 201);
  answer.reason = audit_text("user", made->id, made->roles);
  co_return answer;
}

Task<RestAnswer> enable_user(Call& call) { co_return co_await enable(call, true); }
Task<RestAnswer> disable_user(Call& call) { co_return co_await enable(call, false); }

Task<RestAnswer> toggle_user(Call& call) { co_return co_await enable(call, std::nullopt); }  // S1-17

Task<RestAnswer> show_user(Call& call) {
  const UserRecord* const user = find_user(*call.request.snapshot, call.parts[0]);
  if (user == nullptr) co_return no_user(call);
  co_return show(call, *user);
}

Task<RestAnswer> update_user(Call& call) {
  auto change = read_change(call, {"email", "roles", "is_admin", "scopes"});
  if (!change) co_return refuse(call, change.error());
  auto& control = call.api.deps().control;
  co_return show(call, co_await run_for_caller<UserRecord>(
                           call, control.update_user(call.parts[0], std::move(*change), call.request.principal)));
}

Task<RestAnswer> remove_user(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_for_caller<void>(call, control.delete_user(call.parts[0], call.request.principal));
  if (!done) co_return refuse_gift(call, done.error());
  co_return no_content();
}

// One's own: everything but the address is the admin's to change (S4-4, mass assignment).
Task<RestAnswer> update_me(Call& call) {
  if (actor_user(call).empty()) co_return refuse(call, {Code::conflict, "only a person has a profile"});
  auto change = read_change(call, {"email"});
  if (!change) co_return refuse(call, change.error());
  auto& control = call.api.deps().control;
  co_return show(call, co_await run_for_caller<UserRecord>(
                           call, control.update_user(actor_user(call), std::move(*change), call.request.principal)));
}

Task<RestAnswer> set_password(Call& call) {
  auto given = read_new_password(call);
  if (!given) co_return refuse(call, given.error());
  const UserRecord* const owner = find_user(*call.request.snapshot, call.parts[0]);
  if (owner == nullptr) co_return no_user(call);
  if (owner->id == actor_user(call)) {  // else a token alone, found or stolen, would be worth the account
    co_return refuse(call, {Code::validation, "your own password is changed at POST /auth/password, with the old one"});
  }
  auto chosen = co_await choose_password(call, *owner, std::move(*given));
  if (!chosen) co_return refuse_to_wait(call, chosen.error());
  auto& control = call.api.deps().control;
  auto user = co_await run_for_caller<UserRecord>(
      call, control.set_user_password(call.parts[0], chosen->hash, !chosen->shown.empty(), call.request.principal));
  if (!user) co_return refuse_gift(call, user.error());
  co_return show_once(*user, chosen->shown, 200);
}

}  // namespace sallyport::api
