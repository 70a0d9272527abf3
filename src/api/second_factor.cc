// One's own second factor below /auth/mfa, and those of others below /users/{id}/mfa (S3-23). Secrets, QR codes and recovery
// codes are shown once, in the answer that made them.
#include <algorithm>

#include "api/people.h"
#include "api/qr_image.h"
#include "api/standing.h"
#include "core/encoding.h"
#include "engines/rbac/rights.h"

namespace sallyport::api {
namespace {

// Whose it is: {id} of the path, else one's own. Code::conflict for who is no person.
Result<const UserRecord*> subject(const Call& call) {
  const bool own = call.parts.empty();
  if (own && actor_user(call).empty()) return fail(Code::conflict, "only a person has a second factor");
  const UserRecord* const user = find_user(*call.request.snapshot, own ? actor_user(call) : call.parts[0]);
  if (user == nullptr) return fail(Code::not_found, "no user " + (own ? actor_user(call) : call.parts[0]));
  return user;
}

// Setting up another's second factor shows its secret: for the operator at the machine alone, who owns the home and its keys.
// An admin elsewhere resets it, and its owner sets up a new one.
Result<const UserRecord*> subject_to_set_up(const Call& call) {
  if (!call.parts.empty() && call.request.channel != Channel::local) {
    return fail(Code::access_denied, "second_factor.of_another");
  }
  return subject(call);
}

Result<Secret> code_of(const Call& call) {
  SP_CHECK(only_fields(call.root(), {"code"}));
  SP_TRY(std::string code, text_field(call.root(), "code"));
  if (code.empty()) return fail(Code::validation, "code is needed: six digits of the app, or a recovery code");
  return Secret(std::move(code));
}

RestAnswer no_store(RestAnswer answer) {
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

RestAnswer show_codes(const control::RecoveryCodes& codes) {
  json::Writer w;
  w.object();
  write_texts(w, "recovery_codes", codes);
  w.end_object();
  return no_store(ok(w));
}

// A code of the caller's own second factor, used up.
Task<Result<void>> check_own_code(Call& call) {
  SP_CO_TRY(Secret code, code_of(call));
  if (actor_user(call).empty()) co_return fail(Code::conflict, "only a person has a second factor");
  auto& deps = call.api.deps();
  SP_CO_CHECK(co_await run_for_caller<void>(
      call, deps.factors.check(actor_user(call), std::move(code), call.request.address, call.request.now)));
  deps.factors.mark(call.principal().session_id, call.request.now);
  co_return Result<void>();
}

// Whose session was stolen must not find the thief's second factor in force: the password, or a login of just now, comes
// first. The operator at the machine sets up any.
Task<Result<void>> prove_owner(Call& call, const std::string& user_id) {
  if (!call.parts.empty()) co_return Result<void>();
  SP_CO_CHECK(only_fields(call.root(), {"password"}));
  SP_CO_TRY(std::string password, text_field(call.root(), "password"));
  auto& deps = call.api.deps();
  const LoginSessionPtr login = call.request.snapshot->sessions->find(call.principal().session_id);
  if (password.empty()) {
    if (login && deps.factors.fresh(*login, call.request.now)) co_return Result<void>();
    co_return fail(Code::validation, "password is needed: the current one, since this login is not a recent one");
  }
  co_return co_await run_for_caller<void>(
      call, deps.accounts.check_password(user_id, Secret(std::move(password)), call.request.address, call.request.now));
}

// RFC 2397, for an <img>.
std::string data_uri(std::string_view png) {
  std::string text = base64url_encode(as_bytes(png));
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return "data:image/png;base64," + text;
}

RestAnswer show_enrollment(const Call& call, const control::Enrollment& made) {
  auto qr = draw_qr(made.uri);
  if (!qr) return refuse(call, qr.error());
  json::Writer w;
  w.object().member("secret", made.secret.reveal()).member("uri", made.uri.reveal());
  w.member("qr_text", qr->text).member("qr_svg", qr->svg);
  w.member("qr_png", data_uri(qr->png)).end_object();
  return no_store(ok(w, 201));
}

}  // namespace

Task<RestAnswer> factor_status(Call& call) {
  auto user = subject(call);
  if (!user) co_return refuse(call, user.error());
  const SecondFactor& factor = (*user)->second_factor;
  json::Writer w;
  w.object().member("enabled", factor.confirmed).member("pending", !factor.confirmed && !factor.sealed_secret.empty());
  w.member("required", call.api.deps().factors.required(rbac::roles_of(**user, *call.request.snapshot->principals)));
  w.member("recovery_codes_left", factor.recovery.size()).end_object();
  co_return ok(w);
}

Task<RestAnswer> enroll_factor(Call& call) {
  auto user = subject_to_set_up(call);
  if (!user) co_return refuse(call, user.error());
  const std::string id = (*user)->id;
  if (auto proved = co_await prove_owner(call, id); !proved) co_return refuse_to_wait(call, proved.error());
  auto& deps = call.api.deps();
  auto made = co_await run_for_caller<control::Enrollment>(call, deps.factors.enroll(id));
  if (!made) co_return refuse(call, made.error());
  co_return show_enrollment(call, *made);
}

Task<RestAnswer> confirm_factor(Call& call) {
  auto user = subject_to_set_up(call);
  if (!user) co_return refuse(call, user.error());
  auto code = code_of(call);
  if (!code) co_return refuse(call, code.error());
  auto& deps = call.api.deps();
  auto codes = co_await run_for_caller<control::RecoveryCodes>(
      call, deps.accounts.confirm_factor((*user)->id, std::move(*code), call.principal().session_id, call.request.now));
  if (!codes) co_return refuse(call, codes.error());
  if (call.parts.empty()) deps.factors.mark(call.principal().session_id, call.request.now);
  co_return show_codes(*codes);
}

Task<RestAnswer> renew_recovery_codes(Call& call) {
  auto user = subject_to_set_up(call);
  if (!user) co_return refuse(call, user.error());
  const std::string id = (*user)->id;
  if (call.parts.empty()) {
    if (auto right = co_await check_own_code(call); !right) co_return refuse_to_wait(call, right.error());
  }
  auto& deps = call.api.deps();
  auto codes = co_await run_for_caller<control::RecoveryCodes>(call, deps.factors.renew_recovery_codes(id));
  if (!codes) co_return refuse(call, codes.error());
  co_return show_codes(*codes);
}

Task<RestAnswer> disable_factor(Call& call) {
  if (auto right = co_await check_own_code(call); !right) co_return refuse_to_wait(call, right.error());
  auto& deps = call.api.deps();
  auto done = co_await run_for_caller<void>(call, deps.factors.disable(actor_user(call)));
  if (!done) co_return refuse(call, done.error());
  co_return no_content();
}

Task<RestAnswer> reset_factor(Call& call) {
  auto user = subject(call);
  if (!user) co_return refuse(call, user.error());
  auto& deps = call.api.deps();
  auto done = co_await run_over<void>(call, "user:" + (*user)->id, deps.factors.reset((*user)->id, call.request.now));
  if (!done) co_return refuse_gift(call, done.error());
  co_return no_content();
}

Task<RestAnswer> step_up(Call& call) {
  if (auto right = co_await check_own_code(call); !right) co_return refuse_to_wait(call, right.error());
  co_return no_content();
}

}  // namespace sallyport::api
