#include "api/api.h"

#include <array>

#include "api/people.h"

namespace sallyport::api {
namespace {

using enum Permission;

constexpr std::array kRoutes{
    Route{"GET", "/health", std::nullopt, true, "public", "", health},
    Route{"GET", "/health/live", std::nullopt, true, "public", "", health},
    Route{"GET", "/health/ready", std::nullopt, true, "public", "", ready},
    Route{"GET", "/metrics", std::nullopt, true, "public", "", metrics},
    Route{"POST", "/auth/login", std::nullopt, true, "login", "authentication", login},
    Route{"POST", "/auth/api-key-login", std::nullopt, true, "login", "authentication", login_by_key},
    Route{"POST", "/auth/refresh", std::nullopt, true, "public", "authentication", refresh},
    Route{"POST", "/auth/mfa/verify", std::nullopt, true, "login", "authentication", login_second_step},
    Route{"POST", "/auth/step-up", std::nullopt, false, "login", "authentication", step_up},
    Route{"GET", "/auth/mfa", std::nullopt, false, "read", "", factor_status},
    Route{"POST", "/auth/mfa/enroll", std::nullopt, false, "write", "authentication", enroll_factor},
    Route{"POST", "/auth/mfa/confirm", std::nullopt, false, "login", "authentication", confirm_factor},
    Route{"POST", "/auth/mfa/recovery", std::nullopt, false, "login", "authentication", renew_recovery_codes},
    Route{"POST", "/auth/mfa/disable", std::nullopt, false, "login", "authentication", disable_factor},
    Route{"POST", "/auth/logout", std::nullopt, false, "write", "authentication", logout},
    Route{"POST", "/auth/logout-all", std::nullopt, false, "write", "authentication", logout_all},
    Route{"GET", "/auth/sessions", std::nullopt, false, "read", "", list_own_sessions},
    Route{"DELETE", "/auth/sessions/{id}", std::nullopt, false, "delete", "authentication", end_own_session},
    Route{"GET", "/sessions", user_read, false, "admin", "", list_sessions},
    Route{"DELETE", "/sessions/{id}", user_write, false, "delete", "authentication", end_session},
    Route{"DELETE", "/users/{id}/sessions", user_write, false, "delete", "authentication", end_user_sessions},
    Route{"DELETE", "/tokens/{id}", user_write, false, "delete", "authentication", revoke_token},
    Route{"GET", "/auth/me", std::nullopt, false, "read", "", me},
    Route{"PUT", "/auth/me", std::nullopt, false, "write", "system", update_me},
    Route{"POST", "/auth/password", std::nullopt, false, "login", "authentication", change_password},
    Route{"GET", "/status", system_admin, false, "admin", "", status},
    Route{"GET", "/audit", audit_read, false, "admin", "", audit_tail},
    Route{"GET", "/tools", std::nullopt, false, "read", "", list_tools},
    Route{"GET", "/tools/{id}", std::nullopt, false, "read", "", show_tool},
    Route{"POST", "/tools/{id}/execute", std::nullopt, false, "execute", "tool_execution", execute_tool},
    Route{"GET", "/servers", server_read, false, "read", "", list_servers},
    Route{"POST", "/servers", server_write, false, "admin", "tool_operation", add_server},
    Route{"GET", "/servers/{name}", server_read, false, "read", "", show_server},
    Route{"DELETE", "/servers/{name}", server_write, false, "delete", "tool_operation", remove_server},
    Route{"POST", "/servers/{name}/probe", server_write, false, "admin", "tool_operation", probe_server},
    Route{"POST", "/servers/{name}/restart", server_write, false, "admin", "system", restart_server},
    Route{"GET", "/users", user_read, false, "admin", "", list_users},
    Route{"POST", "/users", user_write, false, "admin", "system", add_user, true},
    Route{"GET", "/users/{id}", user_read, false, "admin", "", show_user},
    Route{"PUT", "/users/{id}", user_write, false, "admin", "system", update_user, true},
    Route{"DELETE", "/users/{id}", user_write, false, "delete", "system", remove_user, true},
    Route{"POST", "/users/{id}/toggle", user_write, false, "admin", "system", toggle_user, true},
    Route{"POST", "/users/{id}/enable", user_write, false, "admin", "system", enable_user, true},
    Route{"POST", "/users/{id}/disable", user_write, false, "admin", "system", disable_user, true},
    Route{"PUT", "/users/{id}/password", user_write, false, "admin", "system", set_password, true},
    Route{"GET", "/users/{id}/mfa", user_read, false, "admin", "", factor_status},
    Route{"DELETE", "/users/{id}/mfa", user_write, false, "admin", "authentication", reset_factor, true},
    Route{"POST", "/users/{id}/mfa/enroll", user_write, false, "admin", "authentication", enroll_factor, true},
    Route{"POST", "/users/{id}/mfa/confirm", user_write, false, "admin", "authentication", confirm_factor, true},
    Route{"POST", "/users/{id}/mfa/recovery", user_write, false, "admin", "authentication", renew_recovery_codes, true},
    Route{"GET", "/keys", key_read, false, "admin", "", list_keys},
    Route{"POST", "/keys", key_write, false, "admin", "system", add_key},
    Route{"DELETE", "/keys/{id}", key_write, false, "delete", "system", revoke_key},
};

// Ruling C23: /api/v1 is the canonical prefix, /api and the root are aliases; S1-17: people are below /admin too.
std::string_view below_prefix(std::string_view path) {
  for (const std::string_view prefix : {"/api/v1", "/api"}) {
    if (path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/') {
      path.remove_prefix(prefix.size());
      break;
    }
  }
  constexpr std::string_view kAdmin = "/admin";
  if (path == "/admin/users" || path.starts_with("/admin/users/")) path.remove_prefix(kAdmin.size());
  return path;
}

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// `parts` may be null. A placeholder takes one whole segment, never an empty one.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string_view>* parts) {
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      if (parts != nullptr) parts->push_back(given);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

struct Found {
  const Route* route = nullptr;
  bool path_known = false;
  std::vector<std::string_view> parts;
};

Found find(std::string_view method, std::string_view full_path) {
  const auto path = below_prefix(full_path);
  Found found;
  for (const Route& route : kRoutes) {
    std::vector<std::string_view> parts;
    if (!matches(route.path, path, &parts)) continue;
    found.path_known = true;
    if (route.method != method) continue;
    found.route = &route;
    found.parts = std::move(parts);
    return found;
  }
  return found;
}

Result<void> read_body(Call& call) {
  if (call.request.body.empty()) return {};
  const bool form = call.request.content_type.starts_with("application/x-www-form-urlencoded");
  if (form) return {};  // only login takes forms (C1), and reads them itself
  if (!call.request.content_type.starts_with("application/json")) {
    return fail(Code::unsupported_media, "send Content-Type: application/json");
  }
  SP_TRY(call.body, json::read(call.request.body));
  if (!call.root().is_object()) return fail(Code::validation, "the body is not an object");
  return {};
}

// Only people have a second factor; who has none is not asked (second_factor.required_roles makes people have one).
bool lacks_recent_factor(const Call& call) {
  const UserRecord* const user = find_user(*call.request.snapshot, actor_user(call));
  if (user == nullptr || !user->second_factor.confirmed) return false;
  return !call.api.deps().factors.recent(call.principal().session_id, call.request.now);
}

Result<void> permit(const Call& call, const Route& route) {
  if (route.is_public) return {};
  const Principal& principal = call.principal();
  if (principal.must_change_password && route.path != "/auth/password" && route.path != "/auth/logout" &&
      route.path != "/auth/logout-all" && route.path != "/auth/me") {
    return fail(Code::password_change_required, "must_change_password");
  }
  if (principal.must_enroll && !route.path.starts_with("/auth/")) {
    return fail(Code::second_factor_enrollment, "must_enroll");
  }
  if (route.step_up && lacks_recent_factor(call)) return fail(Code::second_factor_required, "step_up");
  if (!route.permission) return {};  // objects are asked for one by one
  AccessRequest access{.principal = principal};
  access.channel = call.request.channel;
  access.action = *route.permission;
  access.remote_address = call.request.address;
  access.now = call.request.now;
  const Decision decision = call.request.decider->decide(*call.request.snapshot, access);
  if (decision.allow) return {};
  return fail(Code::access_denied, decision.rule_id + " " + decision.reason);
}

}  // namespace

RestRoute Api::route(std::string_view method, std::string_view path) {
  const Found found = find(method, path);
  if (found.route == nullptr) return {found.path_known, false, "read"};
  return {true, found.route->is_public, found.route->limit_class};
}

Task<RestAnswer> Api::answer(RestRequest request) {
  Call call{*this, std::move(request), {}, {}};
  const Found found = find(call.request.method, call.request.path);  // parts of the path point into it
  if (found.route == nullptr) {
    co_return refuse(call, {found.path_known ? Code::method_not_allowed : Code::not_found, ""});
  }
  for (const auto part : found.parts) {
    auto decoded = percent_decode(part);
    if (!decoded) co_return refuse(call, {Code::validation, "path"}, "The path holds a bad escape");
    call.parts.push_back(std::move(*decoded));
  }
  if (auto permitted = permit(call, *found.route); !permitted) co_return refuse(call, permitted.error());
  if (auto read = read_body(call); !read) co_return refuse(call, read.error());
  RestAnswer answer = co_await found.route->handle(call);
  if (answer.event_type.empty()) answer.event_type = found.route->event;
  if (answer.action.empty()) answer.action = std::string(found.route->method) + " " + std::string(found.route->path);
  co_return answer;
}

}  // namespace sallyport::api
