// Logging in, renewing, and one's own password (S0-1, S1-8, S1-9, S1-10, S1-12; ruling C1).
#include <charconv>

#include "api/people.h"
#include "api/standing.h"
#include "core/encoding.h"
#include "crypto/hash.h"
#include "request/identity/identity.h"

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

// Whose failed login it was, for the audit alone: the user, or a keyed digest of a name that nobody has, since people type
// passwords there. Both are made in either case, so that time tells nothing.
std::string account_mark(const Call& call, const std::string& name) {
  const auto key = call.api.deps().keys.key(crypto::Purpose::audit_redaction);
  const auto digest = crypto::hmac_sha256(key, "login name:" + name);
  const auto& ids = call.request.snapshot->principals->user_ids;
  const auto id = ids.find(name);
  return id == ids.end() ? "name#" + hex_encode(std::span(digest).first(8)) : "user:" + id->second;
}

ClientMark client_of(const Call& call) { return {call.request.address, call.request.user_agent}; }

// S1-9; the refresh token is shown here and never again.
RestAnswer tokens(const Call& call, const Result<control::TokenAnswer>& answer, std::string_view action) {
  RestAnswer out;
  if (!answer) {
    out = refuse_to_wait(call, answer.error());
  } else if (!answer->second_step_token.empty()) {
    json::Writer w;
    w.object().member("mfa_token", answer->second_step_token).member("verify", "/api/v1/auth/mfa/verify").end_object();
    out = refuse(call, {Code::second_factor_required, "login.second_step"}, {}, w.text());
  } else {
    json::Writer w;
    w.object().member("access_token", answer->access_token).member("refresh_token", answer->refresh_token.reveal());
    w.member("token_type", answer->token_type).member("expires_in", answer->expires_in.count());
    w.member("must_change_password", answer->must_change_password);
    if (answer->must_enroll) w.member("must_enroll_second_factor", true);
    w.end_object();
    out = ok(w);
    out.reason = answer->principal + " session=" + answer->session;
  }
  out.headers.emplace_back("Cache-Control", "no-store");
  out.action = action;
  return out;
}

struct SecondStep {
  Result<control::TokenAnswer> answer;
  std::string account;  // whose half login it is, where that can be told
};

// On the control executor.
Task<Result<SecondStep>> second_step(ApiDeps& deps, std::string token, Secret code, ClientMark client, WallTime now) {
  const auto user = deps.factors.open_second_step(token, now);
  auto answer = co_await deps.accounts.login_second_step(std::move(token), std::move(code), std::move(client), now);
  co_return SecondStep{std::move(answer), user ? "user:" + *user : std::string()};
}

// The one field of the body, which must be there.
Result<Secret> only_secret(const Call& call, std::string_view name) {
  SP_CHECK(only_fields(call.root(), {name}));
  SP_TRY(auto text, text_field(call.root(), name));
  if (text.empty()) return fail(Code::validation, std::string(name) + " is needed");
  return Secret(std::move(text));
}

}  // namespace

RestAnswer refuse_to_wait(const Call& call, const Error& error) {
  RestAnswer refused = refuse(call, error);
  if (error.code == Code::rate_limited) refused.headers.emplace_back("Retry-After", retry_after(error));
  return refused;
}

Task<RestAnswer> login(Call& call) {
  auto given = credentials(call);
  if (!given) co_return refuse(call, given.error());
  if (given->name.empty() || given->password.empty()) {
    co_return refuse(call, {Code::validation, "username and password are both needed"});
  }
  auto& deps = call.api.deps();
  Secret password(std::move(given->password));
  const std::string account = account_mark(call, given->name);
  auto answer = co_await run_on<control::TokenAnswer>(
      deps.control.executor(),
      deps.accounts.login(given->name, std::move(password), client_of(call), call.request.now));
  RestAnswer out = tokens(call, answer, "login");
  if (!answer || answer->access_token.empty()) out.reason += " account=" + account;
  if (answer && answer->clock_set_back) out.reason += " tokens_valid_from=lowered";
  co_return out;
}

// The second step, for people with a second factor (S3-23): the token of the first and a code, or a recovery code.
Task<RestAnswer> login_second_step(Call& call) {
  auto known = only_fields(call.root(), {"mfa_token", "code"});
  auto token = text_field(call.root(), "mfa_token");
  auto code = text_field(call.root(), "code");
  for (const Error* error :
       {known ? nullptr : &known.error(), token ? nullptr : &token.error(), code ? nullptr : &code.error()}) {
    if (error != nullptr) co_return refuse(call, *error);
  }
  auto& deps = call.api.deps();
  auto done = co_await run_on<SecondStep>(
      deps.control.executor(),
      second_step(deps, std::move(*token), Secret(std::move(*code)), client_of(call), call.request.now));
  if (!done) co_return refuse(call, done.error());
  RestAnswer out = tokens(call, done->answer, "login");
  if (!done->answer && !done->account.empty()) out.reason += " account=" + done->account;
  co_return out;
}

// S1-12. The key is judged as if it had come with the request itself.
Task<RestAnswer> login_by_key(Call& call) {
  const auto key = only_secret(call, "api_key");
  if (!key) co_return refuse(call, key.error());
  auto& deps = call.api.deps();
  CredentialView seen;
  seen.api_key = key->reveal();
  seen.address = call.request.address;
  seen.user_agent = call.request.user_agent;
  auto principal = Identity(deps.tokens).verify(*call.request.snapshot, seen, call.request.now);
  if (!principal) co_return tokens(call, fail(std::move(principal).error()), "login_by_key");
  auto answer = co_await run_on<control::TokenAnswer>(
      deps.control.executor(), deps.accounts.login_by_key(std::move(*principal), client_of(call), call.request.now));
  co_return tokens(call, answer, "login_by_key");
}

Task<RestAnswer> refresh(Call& call) {
  auto token = only_secret(call, "refresh_token");
  if (!token) co_return refuse(call, token.error());
  auto& deps = call.api.deps();
  auto answer = co_await run_on<control::TokenAnswer>(
      deps.control.executor(), deps.accounts.refresh(std::move(*token), client_of(call), call.request.now));
  co_return tokens(call, answer, "refresh");
}

Task<RestAnswer> me(Call& call) {
  const Principal& principal = call.principal();
  json::Writer w;
  w.object().member("id", principal.id).member("name", principal.name).key("roles").array();
  for (const auto& role : principal.roles) w.value(role);
  w.end_array();
  write_texts(w, "groups", principal.groups);
  w.member("auth_type", principal.auth_type).member("must_change_password", principal.must_change_password);
  const UserRecord* const user = find_user(*call.request.snapshot, actor_user(call));
  if (user != nullptr) w.member("user_id", user->id).member("email", user->email);
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
  auto& deps = call.api.deps();
  auto done = co_await run_for_caller<void>(
      call, deps.accounts.change_password(call.request.principal, Secret(std::move(*old_password)),
                                          Secret(std::move(*new_password)), call.request.address, call.request.now));
  if (!done) co_return refuse_to_wait(call, done.error());
  RestAnswer answer = no_content();
  answer.action = "change_password";
  co_return answer;
}

}  // namespace sallyport::api
