// Logging in, by password or API key, renewing, and changing passwords (S0-1, S1-8, S1-9, S1-10, S1-12), for REST and CLI
// alike. One Accounts a process, on the control executor. A name that is unknown, disabled or given with a wrong password gets one answer after the same
// work. Tokens live 30 minutes by default (C2). It reads users from the current Snapshot and hands changed ones to
// AccountStore.
#pragma once

#include <chrono>
#include <string>

#include "control/account_store.h"
#include "control/accounts_lockout.h"
#include "control/login_desk.h"
#include "control/password_rules.h"
#include "control/passwords.h"
#include "control/second_factor.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/task.h"
#include "engines/token/token.h"
#include "model/snapshot.h"

namespace sallyport::control {

struct TokenAnswer {
  std::string access_token;
  Secret refresh_token;
  std::string token_type = "bearer";
  std::chrono::seconds expires_in{};
  std::string principal;  // Principal::id
  std::string session;  // LoginSession::id
  bool must_change_password = false;
  bool must_enroll = false;  // a role asks for a second factor: the token opens nothing but setting one up
  bool clock_set_back = false;  // tokens_valid_from lay ahead, and came down to the time of this login: for the audit
  std::string
      second_step_token;  // not empty: the password was right, a code is still needed, and there is no access token
};

struct AccountRules {
  std::chrono::seconds token_lifetime{1800};  // 60 s..24 h
  LockoutLimits lockout;
  PasswordProfile passwords = PasswordProfile::guide;
};

class Accounts {
 public:
  // All of them outlive it.
  Accounts(AccountStore& store, LoginDesk& logins, const token::TokenCodec& tokens, PasswordPool& passwords,
           SecondFactors& factors, Random& random, const Clock& clock, AccountRules rules = {});

  // Code::unauthenticated for every refusal of the credentials; Code::rate_limited while the account or address waits
  // (detail: "retry_after=<seconds> ...") or the pool is full. `name` at most 255 bytes. Opens a login session, but for
  // those with a second factor, who go on with login_second_step. A password past its age (S2-36) must be changed first.
  Task<Result<TokenAnswer>> login(std::string name, Secret password, ClientMark client, WallTime now);
  // S1-12: `key` is the principal of a verified API key. The tokens may what the key may, and end with it.
  Task<Result<TokenAnswer>> login_by_key(PrincipalPtr key, ClientMark client, WallTime now);
  // Exchanges a refresh token, once. Code::unauthenticated as LoginDesk::renew, and where the owner is gone or disabled.
  Task<Result<TokenAnswer>> refresh(Secret refresh_token, ClientMark client, WallTime now);

  // The second step: `step_token` of the first and a code, or a recovery code. Code::unauthenticated for every refusal.
  Task<Result<TokenAnswer>> login_second_step(std::string step_token, Secret code, ClientMark client, WallTime now);

  // Ends must_change_password and every session of the user that there is when it returns: no login with the old password
  // outlives it. Code::access_denied for a wrong old password or a principal that is no user, Code::validation with a
  // sentence for a new one against the rules or used before (S2-37), and those of still_stands() for whoever was ended
  // meanwhile. `address`: the client's, for the delays.
  Task<Result<void>> change_password(PrincipalPtr principal, Secret old_password, Secret new_password,
                                     std::string address, WallTime now);

  // The present password of whoever is logged in. A stolen token must not become a way to guess it: the delays of a login.
  // Code::access_denied for a wrong one, Code::rate_limited as login(). Ask still_stands() anew afterwards.
  Task<Result<void>> check_password(std::string user_id, Secret password, std::string address, WallTime now);

  // SecondFactors::confirm; then every session of the user but `session` ends: they were opened by the password alone.
  Task<Result<RecoveryCodes>> confirm_factor(std::string user_id, Secret code, std::string session, WallTime now);

  // Checks the rules and hashes: for new users (no hash in `owner` yet) and resets by an admin. Code::validation as above.
  // `turn`: whose work it is (passwords.h); by default the admin's.
  Task<Result<std::string>> hash_new_password(UserRecord owner, Secret password, PasswordTurn turn = {});

 private:
  Task<Result<std::string>> rehash(UserRecord user, Secret password);
  Task<Result<bool>> follow_clock(UserRecord checked, WallTime now);
  Task<Result<void>> impose_duties(const std::string& user_id, WallTime now);
  const UserRecord* unchanged(const UserRecord& checked) const;
  Task<Result<void>> check_new(UserRecord owner, Secret password, PasswordTurn turn);
  Task<Result<TokenAnswer>> open(std::string principal, ClientMark client, WallTime now, std::uint32_t key_secret = 0);
  Result<TokenAnswer> answer(OpenSession opened, WallTime now);

  AccountStore& store_;
  LoginDesk& logins_;
  const token::TokenCodec& tokens_;
  PasswordPool& passwords_;
  SecondFactors& factors_;
  Random& random_;
  const Clock& clock_;
  AccountRules rules_;
  Lockout lockout_;
};

}  // namespace sallyport::control
