// The second factor of people (S3-23): one-time codes by time (RFC 6238), each good once, and recovery codes, one use each.
// Secrets are sealed by the KeyStore, recovery codes kept as keyed hashes. Wrong codes meet the growing delays of
// Lockout. One SecondFactors a process, owned by app; coroutines run on the control executor, the rest on any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control/account_store.h"
#include "control/accounts_lockout.h"
#include "core/random.h"
#include "core/secret.h"
#include "core/task.h"
#include "crypto/key_store.h"
#include "model/snapshot.h"

namespace sallyport::control {

struct SecondFactorRules {
  std::vector<std::string> required_roles;  // whose people must have one
  std::chrono::seconds step_up{600};  // how long a code stays good for dangerous operations
  bool password_leans_on_it = false;  // profile `nist`: without it the password may be too short
  LockoutLimits lockout;
};

struct Enrollment {
  Secret secret;  // base32, to be typed
  Secret uri;  // otpauth://, to be scanned
};

using RecoveryCodes = std::vector<std::string>;  // shown once

class SecondFactors {
 public:
  // All outlive it.
  SecondFactors(AccountStore& store, const crypto::KeyStore& keys, Random& random, SecondFactorRules rules = {});

  // A role asks for one.
  [[nodiscard]] bool required(const std::vector<std::string>& roles) const;

  // A new secret, in force once confirm() has seen a code of it; an unconfirmed one is replaced. Code::conflict where one is
  // in force, Code::not_found for no such user.
  Task<Result<Enrollment>> enroll(std::string user_id);
  // Code::validation for a wrong code.
  Task<Result<RecoveryCodes>> confirm(std::string user_id, Secret code, WallTime now);
  // A code of the app, or a recovery code; it is used up, durably, when this returns. Code::unauthenticated for a wrong one,
  // Code::rate_limited ("retry_after=<seconds> ...") while the user or address waits, Code::conflict where none is in force.
  Task<Result<void>> check(std::string user_id, Secret code, std::string address, WallTime now);
  // New ones; those before are dead.
  Task<Result<RecoveryCodes>> renew_recovery_codes(std::string user_id);
  // By its owner (after check()): Code::conflict where a role requires it.
  Task<Result<void>> disable(std::string user_id);
  // By an admin: for whoever lost the device. Ends every token of the user.
  Task<Result<void>> reset(std::string user_id, WallTime now);

  // What the first step of a login hands out: sealed, for this user and password, 5 minutes.
  [[nodiscard]] Result<std::string> second_step_token(const UserRecord& user, WallTime now);
  // The user's id; Code::unauthenticated for any other text.
  [[nodiscard]] Result<std::string> open_second_step(std::string_view token, WallTime now) const;
  // Code::unauthenticated from the second time on.
  Result<void> use_up_second_step(std::string_view token, WallTime now);

  // Step-up: a code was shown in this login session, and was it lately?
  void mark(std::string_view session_id, WallTime now);
  [[nodiscard]] bool recent(std::string_view session_id, WallTime now);
  // A login this young is as good as the password shown anew: for setting up the first factor.
  [[nodiscard]] bool fresh(const LoginSession& login, WallTime now) const;

 private:
  [[nodiscard]] const UserRecord* find(std::string_view user_id) const;
  [[nodiscard]] Result<Secret> secret_of(const UserRecord& user) const;
  [[nodiscard]] std::string recovery_hash(std::string_view user_id, std::string_view code) const;
  RecoveryCodes fresh_recovery_codes(UserRecord& user);
  Result<bool> use_up(UserRecord& user, std::string_view code, WallTime now) const;

  AccountStore& store_;
  const crypto::KeyStore& keys_;
  Random& random_;
  SecondFactorRules rules_;
  Lockout lockout_;
  std::mutex mutex_;
  std::map<std::string, WallTime, std::less<>> marks_;  // those of the last `step_up`
  std::map<std::string, WallTime, std::less<>> used_steps_;  // digests of second-step tokens, while those are good
};

}  // namespace sallyport::control
