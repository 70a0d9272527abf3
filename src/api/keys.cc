// API keys (S1-11, S1-18). A secret is shown once, in the answer that made it.
#include <algorithm>
#include <array>
#include <charconv>

#include "api/people.h"
#include "api/standing.h"

namespace sallyport::api {

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
  const year_month_day day{year(part[0]), month(static_cast<unsigned>(part[1])),
                           std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!good || !day.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) {
    return fail(Code::validation, std::string(name) + " must be a time such as 2027-12-31T23:59:59 (UTC)");
  }
  return WallTime(sys_days(day) + hours(part[3]) + minutes(part[4]) + seconds(part[5]));
}

namespace {

constexpr std::array<std::pair<std::string_view, Permission>, 5> kFlags{{{"can_read", Permission::tool_read},
                                                                         {"can_create", Permission::tool_create},
                                                                         {"can_update", Permission::tool_update},
                                                                         {"can_delete", Permission::tool_delete},
                                                                         {"can_execute", Permission::tool_execute}}};

void write_scopes(json::Writer& w, const KeyRecord& key) {
  w.key("scopes").array();
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    const auto permission = static_cast<Permission>(i);
    if (key.permissions.has(permission) && !control::kFlagPermissions.has(permission)) w.value(kPermissionNames[i]);
  }
  for (const auto& grant : key.grants) w.value(to_string(grant));
  for (const auto& dotted : key.dotted) w.value(dotted);
  w.end_array();
}

void write_use(json::Writer& w, const KeyRecord& key) { api::write_use(w, *key.usage, "use_count", "last_used_at"); }

// Without its use, and without the end of the members: what only those who write the key change.
void begin_key(json::Writer& w, const KeyRecord& key, WallTime now, std::string_view secret = {}) {
  w.object().member("id", key.id).member("name", key.name).member("description", key.description);
  if (!secret.empty()) w.member("api_key", secret);
  for (const auto& [name, permission] : kFlags) w.member(name, key.permissions.has(permission));
  write_texts(w, "roles", key.roles);
  write_scopes(w, key);
  w.key("addresses").array();
  for (const Cidr& address : key.addresses) w.value(address.text());
  w.end_array().member("enabled", key.enabled).member("owner", key.owner_user_id);
  w.member("created_at", iso_time(key.created_at));
  write_time(w, "expires_at", key.expires_at);
  write_time(w, "rotated_at", key.rotated_at);
  const bool two = !key.previous_hash.empty() && key.previous_until > now;
  write_time(w, "previous_secret_until", two ? std::optional(key.previous_until) : std::nullopt);
}

RestAnswer shown(const Call& call, const KeyRecord& key, int status = 200, std::string_view secret = {}) {
  json::Writer w;
  begin_key(w, key, call.request.now, secret);
  std::string version(w.text());
  write_use(w, key);
  w.end_object();
  RestAnswer answer = ok(w, status);
  answer.reason = audit_text("key", key.id, key.roles);
  if (secret.empty()) answer.version = std::move(version);
  else answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

RestAnswer shown(const Call& call, const Result<KeyRecord>& key) {
  return key ? shown(call, *key) : refuse_gift(call, key.error());
}

RestAnswer shown(const Call& call, const Result<control::NewKey>& made, int status) {
  return made ? shown(call, made->record, status, made->key.reveal()) : refuse_gift(call, made.error());
}

Result<std::optional<WallTime>> read_expiry(const Call& call) {
  SP_TRY(const auto time, read_time(call.root(), "expires_at"));
  if (time && *time <= call.request.now) return fail(Code::validation, "expires_at lies in the past");
  return time;
}

// An IPv4-mapped network counts as the IPv4 one, as the addresses of callers do.
Result<std::vector<Cidr>> read_addresses(json::Value body) {
  std::vector<Cidr> out;
  SP_TRY(const auto texts, texts_field(body, "addresses"));
  for (const auto& text : texts) {
    const auto address = Cidr::parse(text);
    if (!address) {
      return fail(Code::validation, "address \"" + text +
                                        "\": write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32; the bits "
                                        "behind the prefix are zero");
    }
    out.push_back(address->unmapped());
  }
  return out;
}

Result<KeyRecord> read_key(const Call& call) {
  const json::Value body = call.root();
  SP_CHECK(only_fields(body, {"name", "description", "can_read", "can_create", "can_update", "can_delete",
                              "can_execute", "scopes", "roles", "expires_at", "addresses"}));
  KeyRecord key;
  SP_TRY(key.name, text_field(body, "name"));
  SP_TRY(key.description, text_field(body, "description"));
  for (const auto& [name, permission] : kFlags) {
    SP_TRY(const bool set, flag_field(body, name, false));
    if (set) key.permissions.add(permission);
  }
  SP_TRY(auto scopes, read_scopes(body));
  key.permissions.add(scopes.everywhere);
  key.grants = std::move(scopes.grants);
  key.dotted = std::move(scopes.dotted);
  SP_TRY(key.roles, texts_field(body, "roles"));
  SP_CHECK(check_roles(call, key.roles));
  SP_TRY(key.expires_at, read_expiry(call));
  SP_TRY(key.addresses, read_addresses(body));
  return key;
}

bool named(json::Value body, std::string_view name) {
  const auto value = body.find(name);
  return value && !value->is_null();
}

// What the body does not name stays; `expires_at` null is none.
Result<control::KeyChange> read_change(const Call& call) {
  const json::Value body = call.root();
  control::KeyChange change;
  if (named(body, "name")) {
    SP_TRY(change.name, text_field(body, "name"));
  }
  if (named(body, "description")) {
    SP_TRY(change.description, text_field(body, "description"));
  }
  for (const auto& [name, permission] : kFlags) {
    if (!named(body, name)) continue;
    SP_TRY(const bool set, flag_field(body, name, false));
    (set ? change.given : change.taken).add(permission);
  }
  if (named(body, "scopes")) {
    SP_TRY(change.scopes, read_scopes(body));
  }
  if (named(body, "roles")) {
    SP_TRY(change.roles, texts_field(body, "roles"));
    SP_CHECK(check_roles(call, *change.roles));
  }
  if (named(body, "addresses")) {
    SP_TRY(change.addresses, read_addresses(body));
  }
  if (body.find("expires_at")) {
    SP_TRY(change.expires_at, read_expiry(call));
  }
  return change;
}

// The person who asks; for a key, the person behind it, so that what it makes ends with them too.
std::string owner_of_new(const Call& call) {
  const auto& key = call.principal().key;
  return key != nullptr ? key->owner_user_id : actor_user(call);
}

Task<RestAnswer> enable(Call& call, std::optional<bool> enabled) {
  auto& control = call.api.deps().control;
  co_return shown(call, co_await run_for_caller<KeyRecord>(
                            call, control.set_key_enabled(call.parts[0], enabled, call.request.principal)));
}

}  // namespace

Task<RestAnswer> list_keys(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, key] : call.request.snapshot->principals->keys) {
    json::Writer w;
    begin_key(w, *key, call.request.now);
    write_use(w, *key);
    w.end_object();
    items.push_back(w.take());
  }
  co_return co_await (call.request.path.starts_with("/admin/") ? list_as_s1(call, items, "api_keys")
                                                               : list(call, items));
}

Task<RestAnswer> show_key(Call& call) {
  const auto& keys = call.request.snapshot->principals->keys;
  const auto key = keys.find(call.parts[0]);
  if (key == keys.end()) co_return refuse(call, {Code::not_found, "no key " + call.parts[0]});
  co_return shown(call, *key->second);
}

Task<RestAnswer> add_key(Call& call) {
  auto key = read_key(call);
  if (!key) co_return refuse(call, key.error());
  key->owner_user_id = owner_of_new(call);
  auto& control = call.api.deps().control;
  co_return shown(
      call, co_await run_for_caller<control::NewKey>(call, control.create_key(std::move(*key), call.request.principal)),
      201);
}

Task<RestAnswer> update_key(Call& call) {
  auto change = read_change(call);
  if (!change) co_return refuse(call, change.error());
  auto& control = call.api.deps().control;
  co_return shown(call, co_await run_for_caller<KeyRecord>(
                            call, control.update_key(call.parts[0], std::move(*change), call.request.principal)));
}

Task<RestAnswer> enable_key(Call& call) { co_return co_await enable(call, true); }
Task<RestAnswer> disable_key(Call& call) { co_return co_await enable(call, false); }
Task<RestAnswer> toggle_key(Call& call) { co_return co_await enable(call, std::nullopt); }  // S1-18

Task<RestAnswer> rotate_key(Call& call) {
  auto& deps = call.api.deps();
  const auto grace = number_field(call.root(), "grace_seconds", deps.key_grace.count());
  if (!grace) co_return refuse(call, grace.error());
  auto& control = deps.control;
  co_return shown(call,
                  co_await run_for_caller<control::NewKey>(
                      call, control.rotate_key(call.parts[0], std::chrono::seconds(*grace), call.request.principal)),
                  200);
}

Task<RestAnswer> revoke_key(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_for_caller<void>(call, control.delete_key(call.parts[0], call.request.principal));
  if (!done) co_return refuse_gift(call, done.error());
  co_return no_content();
}

}  // namespace sallyport::api
