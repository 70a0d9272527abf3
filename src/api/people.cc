// Users and API keys (S1-11, S1-17, S1-18). A password or key is shown once, in the answer that made it.
#include <algorithm>
#include <array>
#include <charconv>

#include "api/route.h"
#include "core/random.h"

namespace sallyport::api {
namespace {

void write_texts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
  w.key(key).array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
}

void write_user(json::Writer& w, const UserRecord& user, std::string_view password = {}) {
  w.object().member("id", user.id).member("username", user.name).member("email", user.email);
  write_texts(w, "roles", user.roles);
  w.member("enabled", user.enabled).member("must_change_password", user.must_change_password);
  w.member("created_at", iso_time(user.created_at));
  if (!password.empty()) w.member("password", password);
  w.end_object();
}

void write_key(json::Writer& w, const KeyRecord& key, std::string_view secret = {}) {
  const PermissionSet own = key.permissions;
  w.object().member("id", key.id).member("name", key.name).member("description", key.description);
  if (!secret.empty()) w.member("api_key", secret);
  w.member("can_read", own.has(Permission::tool_read)).member("can_create", own.has(Permission::tool_create));
  w.member("can_update", own.has(Permission::tool_update)).member("can_delete", own.has(Permission::tool_delete));
  w.member("can_execute", own.has(Permission::tool_execute));
  write_texts(w, "roles", key.roles);
  w.key("scopes").array();
  for (const auto& grant : key.grants) w.value(to_string(grant));
  for (const auto& dotted : key.dotted) w.value(dotted);
  w.end_array().member("enabled", key.enabled).member("owner", key.owner_user_id);
  w.member("created_at", iso_time(key.created_at)).key("expires_at");
  if (key.expires_at) w.value(iso_time(*key.expires_at));
  else w.null();
  w.end_object();
}

// 24 characters of randomness and one of each class, so that it passes its own rules (S2-35).
std::string one_time_password(std::string_view random) { return std::string(random) + "-aA7"; }

Result<void> check_roles(const Call& call, const std::vector<std::string>& roles) {
  constexpr std::array<std::string_view, 5> kBuiltIn{"admin", "user", "agent", "readonly", "auditor"};
  for (const auto& role : roles) {
    if (std::ranges::find(kBuiltIn, role) == kBuiltIn.end() && !call.request.snapshot->roles->contains(role)) {
      return fail(Code::validation, "no role \"" + role + "\"; the built-in ones are admin, user, agent, readonly, auditor");
    }
  }
  return {};
}

// "2025-12-31T23:59:59", with "Z" or without: UTC (ruling C27).
Result<std::optional<WallTime>> read_time(json::Value body, std::string_view name) {
  SP_TRY(std::string text, text_field(body, name));
  if (text.empty()) return std::optional<WallTime>();
  if (text.ends_with('Z')) text.pop_back();
  std::array<int, 6> part{};
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  bool good = text.size() == kShape.size();
  for (std::size_t i = 0, field = 0; good && i < text.size(); ++i) {
    if (kShape[i] != 'd') {
      good = text[i] == kShape[i];
      ++field;
    } else if (good = text[i] >= '0' && text[i] <= '9'; good) {
      part[field] = part[field] * 10 + (text[i] - '0');
    }
  }
  using namespace std::chrono;
  const year_month_day day{year(part[0]), month(static_cast<unsigned>(part[1])), std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!good || !day.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) {
    return fail(Code::validation, std::string(name) + " must be a time such as 2027-12-31T23:59:59 (UTC)");
  }
  return WallTime(sys_days(day) + hours(part[3]) + minutes(part[4]) + seconds(part[5]));
}

Result<KeyRecord> read_key(const Call& call) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, {"name", "description", "can_read", "can_create", "can_update", "can_delete", "can_execute",
                              "scopes", "roles", "expires_at"}));
  KeyRecord key;
  SP_TRY(key.name, text_field(body, "name"));
  SP_TRY(key.description, text_field(body, "description"));
  constexpr std::array<std::pair<std::string_view, Permission>, 5> kFlags{{
      {"can_read", Permission::tool_read}, {"can_create", Permission::tool_create}, {"can_update", Permission::tool_update},
      {"can_delete", Permission::tool_delete}, {"can_execute", Permission::tool_execute}}};
  for (const auto& [name, permission] : kFlags) {
    SP_TRY(const bool set, flag_field(body, name, false));
    if (set) key.permissions.add(permission);
  }
  SP_TRY(const auto scopes, texts_field(body, "scopes"));
  for (const auto& scope : scopes) {
    if (auto grant = parse_grant(scope)) key.grants.push_back(std::move(*grant));
    else if (const auto whole = parse_permissions(scope)) key.permissions.add(*whole);
    else if (scope.find('.') != std::string::npos && scope.find_first_of(":@/ ") == std::string::npos) key.dotted.push_back(scope);
    else return fail(Code::validation, "scope \"" + scope + "\": write tool:execute@server/tool, tool:read or gmail.send");
  }
  SP_TRY(key.roles, texts_field(body, "roles"));
  SP_CHECK(check_roles(call, key.roles));
  SP_TRY(key.expires_at, read_time(body, "expires_at"));
  if (key.expires_at && *key.expires_at <= call.request.now) return fail(Code::validation, "expires_at lies in the past");
  return key;
}

std::string actor_user(const Call& call) {
  return call.principal().kind == PrincipalKind::user ? call.principal().id.substr(5) : "";
}

Task<RestAnswer> toggle(Call& call, bool enabled) {
  auto& control = call.api.deps().control;
  auto user = co_await run_on<UserRecord>(control.executor(), control.set_user_enabled(call.parts[0], enabled, actor_user(call)));
  if (!user) co_return refuse(call, user.error());
  json::Writer w;
  write_user(w, *user);
  co_return ok(w);
}

// The password given, or a one-time one; its hash.
struct ChosenPassword {
  std::string shown;  // empty unless made here
  std::string hash;
};

Task<Result<ChosenPassword>> choose_password(Call& call, std::string name, std::string given) {
  ChosenPassword chosen;
  if (given.empty()) {
    SystemRandom random;
    given = one_time_password(random_id(random, 18));
    chosen.shown = given;
  } else if (const auto problem = control::password_problem(given, name)) {
    co_return fail(Code::validation, *problem);
  }
  auto& deps = call.api.deps();
  auto hash = co_await run_on<std::string>(deps.control.executor(),
                                           deps.accounts.hash_new_password(name, Secret(std::move(given))));
  if (!hash) co_return fail(std::move(hash).error());
  chosen.hash = std::move(*hash);
  co_return chosen;
}

}  // namespace

Task<RestAnswer> list_users(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, user] : call.request.snapshot->principals->users) {
    json::Writer w;
    write_user(w, *user);
    items.push_back(w.take());
  }
  co_return list(call, items);
}

namespace {

Result<control::NewUser> read_user(const Call& call) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, {"username", "email", "password", "roles", "is_admin", "must_change_password"}));
  control::NewUser user;
  SP_TRY(user.name, text_field(body, "username"));
  SP_TRY(user.email, text_field(body, "email"));
  SP_TRY(auto roles, texts_field(body, "roles"));
  SP_TRY(const bool admin, flag_field(body, "is_admin", false));
  if (admin) roles.emplace_back("admin");
  if (!roles.empty()) user.roles = std::move(roles);
  SP_CHECK(check_roles(call, user.roles));
  SP_TRY(user.must_change_password, flag_field(body, "must_change_password", false));
  return user;
}

}  // namespace

Task<RestAnswer> add_user(Call& call) {
  auto user = read_user(call);
  if (!user) co_return refuse(call, user.error());
  auto given = text_field(call.root(), "password");
  if (!given) co_return refuse(call, given.error());
  auto chosen = co_await choose_password(call, user->name, std::move(*given));
  if (!chosen) co_return refuse(call, chosen.error());
  user->password_hash = std::move(chosen->hash);
  if (!chosen->shown.empty()) user->must_change_password = true;
  auto& control = call.api.deps().control;
  auto made = co_await run_on<UserRecord>(control.executor(), control.create_user(std::move(*user)));
  if (!made) co_return refuse(call, made.error());
  json::Writer w;
  write_user(w, *made, chosen->shown);
  co_return ok(w, 201);
}

Task<RestAnswer> enable_user(Call& call) { co_return co_await toggle(call, true); }
Task<RestAnswer> disable_user(Call& call) { co_return co_await toggle(call, false); }

Task<RestAnswer> set_password(Call& call) {
  auto known = only_fields(call.root(), {"password", "generate"});
  if (!known) co_return refuse(call, known.error());
  auto given = text_field(call.root(), "password");
  if (!given) co_return refuse(call, given.error());
  auto chosen = co_await choose_password(call, call.parts[0], std::move(*given));
  if (!chosen) co_return refuse(call, chosen.error());
  auto& control = call.api.deps().control;
  auto user = co_await run_on<UserRecord>(
      control.executor(), control.set_user_password(call.parts[0], chosen->hash, !chosen->shown.empty()));
  if (!user) co_return refuse(call, user.error());
  json::Writer w;
  write_user(w, *user, chosen->shown);
  co_return ok(w);
}

Task<RestAnswer> list_keys(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, key] : call.request.snapshot->principals->keys) {
    json::Writer w;
    write_key(w, *key);
    items.push_back(w.take());
  }
  co_return list(call, items);
}

Task<RestAnswer> add_key(Call& call) {
  auto key = read_key(call);
  if (!key) co_return refuse(call, key.error());
  key->owner_user_id = actor_user(call);
  auto& control = call.api.deps().control;
  auto made = co_await run_on<control::NewKey>(control.executor(), control.create_key(std::move(*key)));
  if (!made) co_return refuse(call, made.error());
  json::Writer w;
  write_key(w, made->record, made->key.reveal());
  RestAnswer answer = ok(w, 201);
  answer.headers.emplace_back("Cache-Control", "no-store");
  co_return answer;
}

Task<RestAnswer> revoke_key(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_on<void>(control.executor(), control.delete_key(call.parts[0]));
  if (!done) co_return refuse(call, done.error());
  co_return no_content();
}

}  // namespace sallyport::api
