#include "control/second_factor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "control/request_age.h"
#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/one_time_code.h"
#include "engines/rbac/rights.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kRecoveryCodes = 10;
constexpr std::size_t kRecoveryBytes = 10;  // 80 bits, 16 characters of base32
constexpr std::chrono::minutes kSecondStep{5};
constexpr std::size_t kUsedLaterMax = 32;
constexpr std::string_view kStepLabel = "second step of a login";

std::string sealed_as(std::string_view user_id) { return "one-time secret of user " + std::string(user_id); }

// As people type it: without dashes and spaces, in any case.
std::string folded(std::string_view code) {
  std::string out;
  for (const char c : code) {
    if (c != '-' && c != ' ') out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string in_groups(std::string_view code) {
  std::string out;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (i > 0 && i % 4 == 0) out += '-';
    out += code[i];
  }
  return out;
}

// RFC 3986, 2.3.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      (out += '%') += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

// A password changed or tokens ended meanwhile: the first step is void.
std::string state_of(const UserRecord& user) {
  const auto digest =
      crypto::sha256(user.password_hash + std::to_string(user.tokens_valid_from.time_since_epoch().count()));
  return hex_encode(std::span(digest).first(8));
}

// The time step up to which no code is taken at `now`. One that was used while the clock was ahead counts when its time comes
// again: until then its owner gets in, and then it is not taken twice.
std::uint64_t used_up_to(const SecondFactor& factor, WallTime now) {
  std::uint64_t last = factor.last_step;
  for (const std::uint64_t step : factor.used_later) {
    if (step <= crypto::one_time_step(now) + 1) last = std::max(last, step);
  }
  return last;
}

// Whatever the clock does, a step that is forgotten by itself takes all before it along.
void note_used(SecondFactor& factor, std::uint64_t step) {
  auto& used = factor.used_later;
  used.insert(std::ranges::upper_bound(used, step), step);
  if (used.size() <= kUsedLaterMax) return;
  factor.last_step = std::max(factor.last_step, used.front());
  used.erase(used.begin());
}

}  // namespace

SecondFactors::SecondFactors(AccountStore& store, const crypto::KeyStore& keys, Random& random, SecondFactorRules rules)
    : store_(store), keys_(keys), random_(random), rules_(std::move(rules)), lockout_(rules_.lockout, random) {}

bool SecondFactors::required(const std::vector<std::string>& roles) const {
  return std::ranges::find_first_of(roles, rules_.required_roles) != roles.end();
}

const UserRecord* SecondFactors::find(std::string_view user_id) const {
  // The snapshot that holds the record is the store's own: it lives until the next change, which comes after a co_await.
  const auto& users = store_.snapshot()->principals->users;
  const auto user = users.find(user_id);
  return user == users.end() ? nullptr : user->second.get();
}

Result<Secret> SecondFactors::secret_of(const UserRecord& user) const {
  const auto sealed = base64url_decode(user.second_factor.sealed_secret);
  if (!sealed) return fail(Code::crypto, "second_factor.not_base64");
  const std::string_view bytes(reinterpret_cast<const char*>(sealed->data()), sealed->size());
  SP_TRY(std::string secret, crypto::open(keys_.key(crypto::Purpose::second_factor), bytes, sealed_as(user.id)));
  return Secret(std::move(secret));
}

std::string SecondFactors::recovery_hash(std::string_view user_id, std::string_view code) const {
  std::string text = "recovery:" + std::string(user_id) + ":" + folded(code);
  const auto digest = crypto::hmac_sha256(keys_.key(crypto::Purpose::second_factor), text);
  wipe(text);
  return hex_encode(digest);
}

RecoveryCodes SecondFactors::fresh_recovery_codes(UserRecord& user) {
  RecoveryCodes codes;
  user.second_factor.recovery.clear();
  for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
    std::string bytes(kRecoveryBytes, '\0');
    random_.fill(std::as_writable_bytes(std::span(bytes)));
    codes.push_back(in_groups(crypto::base32_encode(bytes)));
    wipe(bytes);
    user.second_factor.recovery.push_back(recovery_hash(user.id, codes.back()));
  }
  return codes;
}

Task<Result<Enrollment>> SecondFactors::enroll(std::string user_id) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + user_id);
  if (found->second_factor.confirmed) co_return fail(Code::conflict, "a second factor is in force: disable it first");
  UserRecord user = *found;
  std::string bytes(crypto::kOneTimeSecretBytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(bytes)));
  SP_CO_TRY(const std::string sealed,
            crypto::seal(keys_.key(crypto::Purpose::second_factor), bytes, sealed_as(user.id), random_));
  Enrollment out;
  const std::string text = crypto::base32_encode(bytes);
  wipe(bytes);
  out.uri = Secret("otpauth://totp/Sallyport:" + percent_encoded(user.name) + "?secret=" + text +
                   "&issuer=Sallyport&algorithm=SHA1&digits=6&period=30");
  out.secret = Secret(text);
  const bool due = user.second_factor.due;
  user.second_factor = SecondFactor{};
  user.second_factor.due = due;
  user.second_factor.sealed_secret = base64url_encode(as_bytes(sealed));
  SP_CO_CHECK(co_await store_.save(std::move(user)));
  co_return out;
}

Task<Result<RecoveryCodes>> SecondFactors::confirm(std::string user_id, Secret code, WallTime now) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + user_id);
  if (found->second_factor.confirmed || found->second_factor.sealed_secret.empty()) {
    co_return fail(Code::conflict, "there is nothing to confirm: enroll first");
  }
  UserRecord user = *found;
  SP_CO_TRY(const Secret secret, secret_of(user));
  const auto step = crypto::matching_step(secret.reveal(), code.reveal(), now, 0);
  if (!step) co_return fail(Code::validation, "the code is wrong: is the clock of the device right?");
  user.second_factor.confirmed = true;
  user.second_factor.due = false;
  note_used(user.second_factor, *step);
  RecoveryCodes codes = fresh_recovery_codes(user);
  SP_CO_CHECK(co_await store_.save(std::move(user)));
  co_return codes;
}

// True where the code was good; the record then no longer takes it.
Result<bool> SecondFactors::use_up(UserRecord& user, std::string_view code, WallTime now) const {
  SP_TRY(const Secret secret, secret_of(user));
  const std::uint64_t used = used_up_to(user.second_factor, now);
  if (const auto step = crypto::matching_step(secret.reveal(), code, now, used)) {
    note_used(user.second_factor, *step);
    return true;
  }
  const std::string hash = recovery_hash(user.id, code);
  return std::erase_if(user.second_factor.recovery,
                       [&](const std::string& one) { return equal_constant_time(as_bytes(one), as_bytes(hash)); }) > 0;
}

Task<Result<void>> SecondFactors::check(std::string user_id, Secret code, std::string address, WallTime now) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr || !found->second_factor.confirmed)
    co_return fail(Code::conflict, "no second factor is in force");
  if (const auto wait = lockout_.wait(user_id, address, now); wait.count() > 0) {
    co_return fail(Code::rate_limited, "retry_after=" + std::to_string(wait.count()) + " second_factor.locked");
  }
  UserRecord user = *found;
  SP_CO_TRY(const bool good, use_up(user, code.reveal(), now));
  if (!good) {
    lockout_.failed(user_id, address, now);
    co_return fail(Code::unauthenticated, "second_factor.wrong");
  }
  lockout_.succeeded(user_id, address, now);
  co_return co_await store_.save(std::move(user));  // no wait since find(): one code is taken once
}

Task<Result<RecoveryCodes>> SecondFactors::renew_recovery_codes(std::string user_id) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr || !found->second_factor.confirmed)
    co_return fail(Code::conflict, "no second factor is in force");
  UserRecord user = *found;
  RecoveryCodes codes = fresh_recovery_codes(user);
  SP_CO_CHECK(co_await store_.save(std::move(user)));
  co_return codes;
}

Task<Result<void>> SecondFactors::disable(std::string user_id) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + user_id);
  if (required(rbac::roles_of(*found, *store_.snapshot()->principals)))
    co_return fail(Code::conflict, "your role requires a second factor");
  UserRecord user = *found;
  user.must_change_password =
      user.must_change_password || (rules_.password_leans_on_it && user.second_factor.confirmed);
  user.second_factor = SecondFactor{};
  co_return co_await store_.save(std::move(user));
}

Task<Result<void>> SecondFactors::reset(std::string user_id, WallTime now) {
  const UserRecord* const found = find(user_id);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + user_id);
  UserRecord user = *found;
  user.must_change_password =
      user.must_change_password || (rules_.password_leans_on_it && user.second_factor.confirmed);
  user.second_factor = SecondFactor{};
  user.tokens_valid_from = now;
  co_return co_await store_.save(std::move(user));
}

Result<std::string> SecondFactors::second_step_token(const UserRecord& user, WallTime now) {
  const auto until = (now + kSecondStep).time_since_epoch().count();
  const std::string text = user.id + ":" + state_of(user) + ":" + std::to_string(until);
  SP_TRY(const std::string sealed, crypto::seal(keys_.key(crypto::Purpose::request_state), text, kStepLabel, random_));
  return base64url_encode(as_bytes(sealed));
}

Result<std::string> SecondFactors::open_second_step(std::string_view token, WallTime now) const {
  const auto refused = [](const char* why) {
    return fail(Code::unauthenticated, std::string("login.second_step_") + why);
  };
  const auto sealed = token.size() > 512 ? std::nullopt : base64url_decode(token);
  if (!sealed) return refused("form");
  const std::string_view bytes(reinterpret_cast<const char*>(sealed->data()), sealed->size());
  const auto text = crypto::open(keys_.key(crypto::Purpose::request_state), bytes, kStepLabel);
  if (!text) return refused("forged");
  const auto first = text->find(':');
  const auto second = text->rfind(':');
  std::int64_t until = 0;
  std::from_chars(text->data() + second + 1, text->data() + text->size(), until);
  if (now.time_since_epoch().count() >= until) return refused("late");
  const UserRecord* const user = find(std::string_view(*text).substr(0, first));
  if (user == nullptr || !user->enabled || text->substr(first + 1, second - first - 1) != state_of(*user)) {
    return refused("void");
  }
  return user->id;
}

// One token, one login: with several codes at hand it would be several.
Result<void> SecondFactors::use_up_second_step(std::string_view token, WallTime now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(used_steps_, [&](const auto& entry) { return entry.second <= now; });
  const auto [at, fresh] = used_steps_.emplace(hex_encode(crypto::sha256(token)), now + kSecondStep);
  if (!fresh) return fail(Code::unauthenticated, "login.second_step_used");
  return {};
}

void SecondFactors::mark(std::string_view session_id, WallTime now) {
  if (session_id.empty()) return;  // a certificate, say: one mark would stand for everybody without a session
  const std::scoped_lock lock(mutex_);
  std::erase_if(marks_, [&](const auto& entry) { return now - entry.second >= rules_.step_up; });
  marks_.insert_or_assign(std::string(session_id), now);
}

bool SecondFactors::recent(std::string_view session_id, WallTime now) {
  const std::scoped_lock lock(mutex_);
  const auto mark = marks_.find(session_id);
  return mark != marks_.end() && mark->second <= now + kRequestAge && now - mark->second < rules_.step_up;
}

bool SecondFactors::fresh(const LoginSession& login, WallTime now) const {
  return login.created_at <= now + kRequestAge && now - login.created_at < rules_.step_up;
}

}  // namespace sallyport::control
