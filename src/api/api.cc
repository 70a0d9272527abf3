#include "api/api.h"

#include "api/handlers.h"
#include "api/people.h"
#include "engines/rbac/rbac.h"
#include "model/registration.h"

namespace sallyport::api {
namespace {

Result<void> read_body(Call& call) {
  if (call.request.body.empty()) return {};
  const bool form = call.request.content_type.starts_with("application/x-www-form-urlencoded");
  if (form && call.route->handle == login) return {};  // only it takes forms (C1), and reads them itself
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

// What a token that must first change its password, or set up a second factor, opens beside that.
bool opens_with_duty(const Route& route) {
  return route.path == "/auth/password" || route.path == "/auth/logout" || route.path == "/auth/logout-all" ||
         (route.path == "/auth/me" && route.method == "GET");
}

}  // namespace

Result<void> permit(const Call& call, const Route& route) {
  if (route.is_public) return {};
  const Principal& principal = call.principal();
  if (principal.must_change_password && !opens_with_duty(route)) {
    return fail(Code::password_change_required, "must_change_password");
  }
  if (principal.must_enroll && !route.path.starts_with("/auth/")) {
    return fail(Code::second_factor_enrollment, "must_enroll");
  }
  if (route.step_up && lacks_recent_factor(call)) return fail(Code::second_factor_required, "step_up");
  if (!route.permission) return {};  // objects are asked for one by one
  if (route.own && query_value(call.request.query, "owner") == "me") return {};
  if (*route.permission == Permission::tool_read) {  // so are tools, once the caller may read any (S1-15)
    if (rbac::holds_somewhere(principal, *call.request.snapshot->roles, Permission::tool_read)) return {};
    return fail(Code::access_denied, "tool:read on nothing");
  }
  if (route.recovery && principal.kind == PrincipalKind::local) return {};
  return permit_action(call, *route.permission);
}

Result<void> permit_action(const Call& call, Permission action) {
  AccessRequest access{.principal = call.principal()};
  access.channel = call.request.channel;
  access.action = action;
  ToolRecord named;  // decided before any look-up
  if ((action == Permission::tool_update || action == Permission::tool_delete) && !call.parts.empty()) {
    const std::string prefix = std::string(kRegistry) + "/";
    named.server = kRegistry;
    named.name = call.parts[0].starts_with(prefix) ? call.parts[0].substr(prefix.size()) : call.parts[0];
    access.tool = &named;
  }
  access.remote_address = call.request.address;
  access.now = call.request.now;
  const Decision decision = call.request.decider->decide(*call.request.snapshot, access);
  if (decision.allow) return {};
  return fail(Code::access_denied, decision.rule_id + " " + decision.reason);
}

Task<void> prepare(Call& call, std::function<void()> rehearsal) {
  if (call.request.prepare) co_await call.request.prepare(std::move(rehearsal));
}

RestRoute Api::route(std::string_view method, std::string_view path) {
  const FoundRoute found = find_route(method, path);
  if (found.route == nullptr) return {!found.allowed.empty(), false, "default"};  // S1-21, C4
  return {true, found.route->is_public, found.route->limit_class, found.route->doc.list};
}

Task<RestAnswer> Api::answer(RestRequest request) {
  const FoundRoute found = find_route(request.method, request.path);
  Call call{*this, std::move(request), found.route, {}, {}};
  if (found.route == nullptr) {
    if (found.allowed.empty()) co_return refuse(call, {Code::not_found, ""});
    RestAnswer refused = refuse(call, {Code::method_not_allowed, ""});
    refused.headers.emplace_back("Allow", found.allowed);  // RFC 9110, 15.5.6
    co_return refused;
  }
  for (const auto& part : found.parts) {
    auto decoded = percent_decode(part);
    if (!decoded) co_return refuse(call, {Code::validation, "path"}, "The path holds a bad escape");
    call.parts.push_back(std::move(*decoded));
  }
  co_await prepare(call, [&] { (void)permit(call, *found.route); });
  if (auto permitted = permit(call, *found.route); !permitted) co_return refuse(call, permitted.error());
  if (auto read = read_body(call); !read) co_return refuse(call, read.error());
  std::string details;
  if (auto fits = check_input(call, details); !fits) co_return refuse(call, fits.error(), {}, details);
  RestAnswer answer = co_await handle_once(call);
  if (answer.event_type.empty()) answer.event_type = found.route->event;
  if (answer.action.empty()) answer.action = std::string(found.route->method) + " " + std::string(found.route->path);
  co_return answer;
}

}  // namespace sallyport::api
