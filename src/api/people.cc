// API keys (S1-11, S1-18). A key is shown once, in the answer that made it.
#include <algorithm>
#include <array>
#include <charconv>

#include "api/people.h"

namespace sallyport::api {
namespace {

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

}  // namespace

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
