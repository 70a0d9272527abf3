// Logging in and out, and one's own password (S0-1, S1-8, S1-9, S1-10; ruling C1).
#include <charconv>

#include "api/route.h"

namespace sallyport::api {
namespace {

struct Credentials {
  std::string name;
  std::string password;
};

// Both media types on each path (C1).
Result<Credentials> credentials(const Call& call) {
  if (call.request.content_type.starts_with("application/x-www-form-urlencoded")) {
    return Credentials{query_value(call.request.body, "username").value_or(""),
                       query_value(call.request.body, "password").value_or("")};
  }
  SP_CHECK(only_fields(call.root(), {"username", "password"}));
  SP_TRY(auto name, text_field(call.root(), "username"));
  SP_TRY(auto password, text_field(call.root(), "password"));
  return Credentials{std::move(name), std::move(password)};
}

// "retry_after=12 ..." of a login that must wait.
std::string retry_after(const Error& error) {
  constexpr std::string_view kKey = "retry_after=";
  const auto at = error.detail.find(kKey);
  if (at == std::string::npos) return "1";
  const auto start = at + kKey.size();
  return error.detail.substr(start, error.detail.find_first_not_of("0123456789", start) - start);
}

}  // namespace

Task<RestAnswer> login(Call& call) {
  auto given = credentials(call);
  if (!given) co_return refuse(call, given.error());
  if (given->name.empty() || given->password.empty()) {
    co_return refuse(call, {Code::validation, "username and password are both needed"});
  }
  auto& deps = call.api.deps();
  Secret password(std::move(given->password));
  auto answer = co_await run_on<control::TokenAnswer>(
      deps.control.executor(), deps.accounts.login(given->name, std::move(password), call.request.address, call.request.now));
  if (!answer) {
    RestAnswer refused = refuse(call, answer.error());
    refused.action = "login";
    if (answer.error().code == Code::rate_limited) refused.headers.emplace_back("Retry-After", retry_after(answer.error()));
    co_return refused;
  }
  json::Writer w;
  w.object().member("access_token", answer->access_token).member("token_type", answer->token_type);
  w.member("expires_in", answer->expires_in.count()).member("must_change_password", answer->must_change_password);
  w.end_object();
  RestAnswer out = ok(w);
  out.headers.emplace_back("Cache-Control", "no-store");
  out.action = "login";
  out.reason = "user:" + answer->user_id;
  co_return out;
}

Task<RestAnswer> logout(Call& call) {
  const Principal& principal = call.principal();
  if (principal.kind != PrincipalKind::user) co_return refuse(call, {Code::conflict, "only a login can be ended; revoke a key instead"});
  auto& control = call.api.deps().control;
  const WallTime until = call.request.now + std::chrono::hours(24);  // the longest that a token lives
  auto done = co_await run_on<void>(control.executor(), control.revoke_token(principal.credential_id, until));
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  answer.action = "logout";
  co_return answer;
}

Task<RestAnswer> me(Call& call) {
  const Principal& principal = call.principal();
  json::Writer w;
  w.object().member("id", principal.id).member("name", principal.name).key("roles").array();
  for (const auto& role : principal.roles) w.value(role);
  w.end_array().member("auth_type", principal.auth_type).member("must_change_password", principal.must_change_password);
  w.end_object();
  co_return ok(w);
}

Task<RestAnswer> change_password(Call& call) {
  auto known = only_fields(call.root(), {"old_password", "new_password"});
  auto old_password = text_field(call.root(), "old_password");
  auto new_password = text_field(call.root(), "new_password");
  for (const Error* error : {known ? nullptr : &known.error(), old_password ? nullptr : &old_password.error(),
                             new_password ? nullptr : &new_password.error()}) {
    if (error != nullptr) co_return refuse(call, *error);
  }
  if (const auto problem = control::password_problem(*new_password, call.principal().name)) {
    co_return refuse(call, {Code::validation, *problem});
  }
  auto& deps = call.api.deps();
  auto done = co_await run_on<void>(
      deps.control.executor(), deps.accounts.change_password(call.request.principal, Secret(std::move(*old_password)),
                                                             Secret(std::move(*new_password)), call.request.now));
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  answer.action = "change_password";
  co_return answer;
}

}  // namespace sallyport::api
