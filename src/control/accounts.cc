#include "control/accounts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/request_age.h"
#include "control/standing.h"
#include "core/encoding.h"
#include "crypto/password.h"
#include "engines/rbac/rights.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kTokenIdBytes = 16;
constexpr std::size_t kTokenRolesMax = 64;  // engines/token issues none with more

const UserRecord* user_named(const Principals& principals, std::string_view name) {
  const auto id = principals.user_ids.find(name);
  if (id == principals.user_ids.end()) return nullptr;
  const auto user = principals.users.find(id->second);
  return user == principals.users.end() ? nullptr : user->second.get();
}

std::unexpected<Error> wrong_credentials(const char* reason) { return fail(Code::unauthenticated, reason); }

}  // namespace

Accounts::Accounts(AccountStore& store, LoginDesk& logins, const token::TokenCodec& tokens, PasswordPool& passwords,
                   SecondFactors& factors, Random& random, const Clock& clock, AccountRules rules)
    : store_(store),
      logins_(logins),
      tokens_(tokens),
      passwords_(passwords),
      factors_(factors),
      random_(random),
      clock_(clock),
      rules_(rules),
      lockout_(rules.lockout, random) {
  rules_.token_lifetime = std::clamp(rules_.token_lifetime, std::chrono::seconds(60), std::chrono::seconds(24 * 3600));
}

Task<Result<TokenAnswer>> Accounts::login(std::string name, Secret password, ClientMark client, WallTime now) {
  const std::string address = client.address;
  if (name.size() > kNameBytesMax) co_return wrong_credentials("login.name_too_long");
  const Lockout::Attempt attempt = lockout_.begin(name, address, now);
  if (attempt.wait().count() > 0) {
    co_return fail(Code::rate_limited, "retry_after=" + std::to_string(attempt.wait().count()) + " login.locked");
  }
  const SnapshotPtr snapshot = store_.snapshot();
  const UserRecord* const user = user_named(*snapshot->principals, name);
  // One verification in every case, by a dummy hash where there is no user: time tells nothing.
  std::string hash = user != nullptr ? user->password_hash : std::string();
  const bool outdated = user != nullptr && crypto::needs_rehash(hash);
  PasswordTurn turn{.stranger = !lockout_.trusts(name, address), .address = address, .account = name};
  const Result<bool> right = co_await passwords_.verify(std::move(hash), password.clone(), std::move(turn));
  if (right && (!*right || !user->enabled)) {
    co_return wrong_credentials(user == nullptr ? "login.user_unknown"
                                : *right        ? "login.user_disabled"
                                                : "login.password_wrong");
  }
  lockout_.give_back(attempt);
  if (!right) co_return fail(right.error());
  UserRecord checked = *user;
  // A failure to store a better hash is no reason to refuse the right password: it is tried again at the next login.
  if (outdated) {
    if (auto better = co_await rehash(checked, std::move(password))) checked.password_hash = std::move(*better);
  }
  SP_CO_TRY(const bool set_back, co_await follow_clock(checked, now));
  if (set_back) checked.tokens_valid_from = now;
  const UserRecord* current = unchanged(checked);
  if (current == nullptr) co_return wrong_credentials("login.changed_meanwhile");
  if (current->second_factor.confirmed) {
    TokenAnswer half;  // the delays that there are go on until the code was right, too
    half.clock_set_back = set_back;
    SP_CO_TRY(half.second_step_token, factors_.second_step_token(*current, now));
    co_return half;
  }
  lockout_.succeeded(name, address, now);
  SP_CO_CHECK(co_await impose_duties(checked.id, now));
  current = unchanged(checked);
  if (current == nullptr || current->second_factor.confirmed) co_return wrong_credentials("login.changed_meanwhile");
  SP_CO_TRY(TokenAnswer whole, co_await open("user:" + checked.id, std::move(client), now));
  whole.clock_set_back = set_back;
  co_return whole;
}

// The record as it is now, where what was checked still holds: `checked` may be old after any co_await, and whoever changed
// the password, disabled the user or ended the tokens has ended the sessions that there were then.
const UserRecord* Accounts::unchanged(const UserRecord& checked) const {
  const auto& users = store_.snapshot()->principals->users;
  const auto current = users.find(checked.id);
  if (current == users.end() || !current->second->enabled) return nullptr;
  const UserRecord& now = *current->second;
  const bool same = now.password_hash == checked.password_hash && now.tokens_valid_from == checked.tokens_valid_from;
  return same ? &now : nullptr;
}

Task<Result<TokenAnswer>> Accounts::login_second_step(std::string step_token, Secret code, ClientMark client,
                                                      WallTime now) {
  SP_CO_TRY(const std::string user_id, factors_.open_second_step(step_token, now));
  SP_CO_CHECK(co_await factors_.check(user_id, std::move(code), client.address, now));
  SP_CO_CHECK(factors_.use_up_second_step(step_token, now));
  const SnapshotPtr snapshot = store_.snapshot();
  const auto user = snapshot->principals->users.find(user_id);
  if (user == snapshot->principals->users.end()) co_return wrong_credentials("login.user_gone");
  lockout_.succeeded(user->second->name, client.address, now);
  SP_CO_CHECK(co_await impose_duties(user_id, now));
  SP_CO_CHECK(factors_.open_second_step(step_token, now));  // still: the password may have been changed meanwhile
  SP_CO_TRY(TokenAnswer out, co_await open("user:" + user_id, std::move(client), now));
  factors_.mark(out.session, now);
  co_return out;
}

// True: tokens_valid_from was set while the clock was ahead, would have refused every token of this login until then, and is
// `now`. Sessions that it ended stay ended. It is held to the clock and not to the request, which may have waited long for
// its turn: tokens that were ended meanwhile, or a moment ago, stay ended too.
Task<Result<bool>> Accounts::follow_clock(UserRecord checked, WallTime now) {
  if (checked.tokens_valid_from <= now) co_return false;
  if (checked.tokens_valid_from <= clock_.wall() + kRequestAge) co_return wrong_credentials("login.changed_meanwhile");
  if (unchanged(checked) == nullptr) co_return wrong_credentials("login.changed_meanwhile");
  SP_CO_CHECK(co_await logins_.end_all_of("user:" + checked.id));
  const UserRecord* const current = unchanged(checked);
  if (current == nullptr) co_return wrong_credentials("login.changed_meanwhile");
  UserRecord mended = *current;
  mended.tokens_valid_from = now;
  SP_CO_CHECK(co_await store_.save(std::move(mended)));
  co_return true;
}

// What must be done before anything else: on the record and not in the answer alone, since every door asks the record.
Task<Result<void>> Accounts::impose_duties(const std::string& user_id, WallTime now) {
  const SnapshotPtr snapshot = store_.snapshot();
  const auto current = snapshot->principals->users.find(user_id);
  if (current == snapshot->principals->users.end()) co_return fail(Code::unauthenticated, "login.user_gone");
  UserRecord bound = *current->second;
  bound.must_change_password |= password_expired(rules_.passwords, bound.password_set_at, now);
  bound.second_factor.due =
      !bound.second_factor.confirmed && factors_.required(rbac::roles_of(bound, *snapshot->principals));
  const bool changed = bound.must_change_password != current->second->must_change_password ||
                       bound.second_factor.due != current->second->second_factor.due;
  if (!changed) co_return Result<void>();
  co_return co_await store_.save(std::move(bound));
}

Task<Result<TokenAnswer>> Accounts::login_by_key(PrincipalPtr key, ClientMark client, WallTime now) {
  if (key->kind != PrincipalKind::key || !key->session_id.empty()) co_return wrong_credentials("login.no_key");
  // The worker that verified it may not have heard yet of what this thread decided.
  const SnapshotPtr snapshot = store_.snapshot();
  const auto record = snapshot->principals->keys.find(std::string_view(key->id).substr(4));
  if (record == snapshot->principals->keys.end()) co_return wrong_credentials("login.key_gone");
  if (!record->second->enabled || record->second->good_until(key->key_secret) <= now ||
      !record->second->allows_address(client.address)) {
    co_return wrong_credentials("login.key_changed");
  }
  co_return co_await open(key->id, std::move(client), now, key->key_secret);
}

Task<Result<TokenAnswer>> Accounts::open(std::string principal, ClientMark client, WallTime now,
                                         std::uint32_t key_secret) {
  SP_CO_TRY(OpenSession opened, co_await logins_.open(std::move(principal), std::move(client), now, key_secret));
  const std::string id = opened.session->id;
  auto answered = answer(std::move(opened), now);
  if (!answered) (void)co_await logins_.end(std::vector{id});  // nobody has its tokens
  co_return answered;
}

Task<Result<TokenAnswer>> Accounts::refresh(Secret refresh_token, ClientMark client, WallTime now) {
  SP_CO_TRY(OpenSession opened,
            co_await logins_.renew(std::move(refresh_token), std::move(client), now, store_.snapshot()->principals));
  const std::string id = opened.session->id;
  if (!owner_lives(*store_.snapshot()->principals, *opened.session, now)) {
    SP_CO_CHECK(co_await logins_.end(std::vector{id}));
    co_return wrong_credentials("refresh.owner_gone");
  }
  co_return answer(std::move(opened), now);
}

// The hash that the record has now.
Task<Result<std::string>> Accounts::rehash(UserRecord user, Secret password) {
  SP_CO_TRY(std::string better, co_await passwords_.hash(std::move(password), {.account = user.name}));
  // The record may have changed meanwhile (disabled, another password): only the hash that was verified is replaced.
  const UserRecord* const current = unchanged(user);
  if (current == nullptr) co_return fail(Code::conflict, "the user changed while the password was hashed");
  UserRecord changed = *current;
  changed.password_hash = better;
  SP_CO_CHECK(co_await store_.save(std::move(changed)));
  co_return better;
}

// Tokens end with their session, and with the secret of a key, at the latest, and `expires_in` tells the truth (C2).
Result<TokenAnswer> Accounts::answer(OpenSession opened, WallTime now) {
  using std::chrono::floor;
  using std::chrono::seconds;
  const Principals& principals = *store_.snapshot()->principals;
  const std::string& owner = opened.session->owner;
  TokenAnswer out;
  token::TokenClaims claims;
  claims.of_key = owner.starts_with("key:");
  WallTime end = opened.session->expires_at;
  claims.user_id = owner.substr(owner.find(':') + 1);
  if (claims.of_key) {
    const auto key = principals.keys.find(claims.user_id);
    if (key == principals.keys.end()) return wrong_credentials("login.key_gone");
    claims.roles = key->second->roles;
    end = std::min(end, key->second->good_until(opened.session->key_secret));
  } else {
    const auto user = principals.users.find(claims.user_id);
    if (user == principals.users.end()) return wrong_credentials("login.user_gone");
    claims.roles = rbac::roles_of(*user->second, principals);
    if (claims.roles.size() > kTokenRolesMax)
      claims.roles.resize(kTokenRolesMax);  // for people: nothing decides by them
    out.must_change_password = user->second->must_change_password;
    out.must_enroll = user->second->second_factor.due;
  }
  std::array<std::byte, kTokenIdBytes> id{};
  random_.fill(id);
  claims.id = hex_encode(id);
  claims.session_id = opened.session->id;
  claims.issued_at = now;
  claims.not_before = now;
  claims.expires_at = std::min<WallTime>(floor<seconds>(now) + rules_.token_lifetime, floor<seconds>(end));
  SP_TRY(out.access_token, tokens_.issue(store_.snapshot()->token_keys.get(), claims));
  out.refresh_token = std::move(opened.refresh_token);
  out.expires_in = floor<seconds>(claims.expires_at) - floor<seconds>(claims.issued_at);  // as the token itself has them
  out.principal = owner;
  out.session = opened.session->id;
  return out;
}

Task<Result<void>> Accounts::check_password(std::string user_id, Secret password, std::string address, WallTime now) {
  const SnapshotPtr snapshot = store_.snapshot();
  const auto user = snapshot->principals->users.find(user_id);
  if (user == snapshot->principals->users.end()) co_return fail(Code::access_denied, "password.user_unknown");
  const Lockout::Attempt attempt = lockout_.begin(user->second->name, address, now);
  if (attempt.wait().count() > 0) {
    co_return fail(Code::rate_limited, "retry_after=" + std::to_string(attempt.wait().count()) + " password.locked");
  }
  const Result<bool> right =
      co_await passwords_.verify(user->second->password_hash, std::move(password), {.account = user->second->name});
  if (right && !*right) co_return fail(Code::access_denied, "password.wrong");
  lockout_.give_back(attempt);
  if (!right) co_return fail(right.error());
  co_return Result<void>();
}

Task<Result<void>> Accounts::change_password(PrincipalPtr principal, Secret old_password, Secret new_password,
                                             std::string address, WallTime now) {
  if (principal->kind != PrincipalKind::user) co_return fail(Code::access_denied, "password.no_user");
  const SnapshotPtr before = store_.snapshot();
  const UserRecord* const user = user_named(*before->principals, principal->name);
  if (user == nullptr || !user->enabled || "user:" + user->id != principal->id) {
    co_return fail(Code::access_denied, "password.user_unknown");
  }
  SP_CO_CHECK(co_await check_password(user->id, std::move(old_password), std::move(address), now));
  SP_CO_TRY(std::string hash, co_await hash_new_password(*user, std::move(new_password), {.account = user->name}));
  SP_CO_CHECK(still_stands(*store_.snapshot(), *principal, now));  // logged out, say, while it was hashed
  const UserRecord* const current = unchanged(*user);
  if (current == nullptr) co_return fail(Code::conflict, "password.changed_meanwhile");
  UserRecord changed = *current;
  put_password(changed, std::move(hash), now);
  changed.must_change_password = false;
  changed.tokens_valid_from = now;
  SP_CO_CHECK(co_await store_.save(std::move(changed)));
  // Those too that a login or a refresh opened while we were hashing; a login that comes later finds the new password.
  SP_CO_CHECK(co_await logins_.end_all_of(principal->id));
  co_return Result<void>();
}

Task<Result<RecoveryCodes>> Accounts::confirm_factor(std::string user_id, Secret code, std::string session,
                                                     WallTime now) {
  SP_CO_TRY(RecoveryCodes codes, co_await factors_.confirm(user_id, std::move(code), now));
  // Ended for this process even where the store fails; the codes are shown once, and must not be lost over that.
  (void)co_await logins_.end_all_of("user:" + user_id, std::move(session));
  co_return codes;
}

Task<Result<void>> Accounts::check_new(UserRecord owner, Secret password, PasswordTurn turn) {
  const PasswordOwner called{.name = owner.name, .email = owner.email, .second_factor = owner.second_factor.confirmed};
  if (const auto problem = password_problem(rules_.passwords, password.reveal(), called)) {
    co_return fail(Code::validation, *problem);
  }
  if (owner.password_hash.empty()) co_return Result<void>();
  std::vector<std::string> used{owner.password_hash};
  if (remembers_passwords(rules_.passwords))
    used.insert(used.end(), owner.password_history.begin(), owner.password_history.end());
  for (std::string& hash : used) {
    SP_CO_TRY(const bool again, co_await passwords_.verify(std::move(hash), password.clone(), turn));
    if (again) co_return fail(Code::validation, "The password was used before: take one that is not among the last 5");
  }
  co_return Result<void>();
}

Task<Result<std::string>> Accounts::hash_new_password(UserRecord owner, Secret password, PasswordTurn turn) {
  SP_CO_CHECK(co_await check_new(std::move(owner), password.clone(), turn));
  co_return co_await passwords_.hash(std::move(password), std::move(turn));
}

}  // namespace sallyport::control
