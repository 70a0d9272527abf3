// Opens, renews and ends login sessions (S1-9, S2-3). A refresh token is opaque, is kept as a keyed hash, and is good
// once: the one that it was exchanged for is then the only good one, and whoever shows a used one ends the whole session
// (RFC 9700 4.14.2: the legitimate client and the thief cannot be told apart). Its MAC says that we made it, so that
// a stranger who guesses a session's id cannot end it. One LoginDesk a process, on the control executor only; owned by
// the ControlPlane.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "core/task.h"
#include "crypto/key_store.h"
#include "model/login_session.h"
#include "model/principal.h"

namespace sallyport::control {

struct SessionRules {
  std::chrono::seconds idle{3600};  // 60 s..7 days
  std::chrono::seconds lifetime{12 * 3600};  // 60 s..30 days
  std::size_t per_user = 5;  // the oldest ends
  std::size_t per_key = 100;  // of one API key: it may serve many processes
  SessionBinding binding = SessionBinding::none;
};

struct StoredSession {
  LoginSessionPtr session;
  std::string refresh_hash;  // HMAC-SHA-256 of the one good refresh token, hex
};

// What keeps sessions for good. Each call is one durable transaction; error `storage`.
class SessionStore {
 public:
  virtual ~SessionStore() = default;
  virtual Result<void> put_session(const StoredSession& session) = 0;
  virtual Result<void> delete_sessions(std::span<const std::string> ids) = 0;  // unknown ones are passed over
  // The last uses. Written behind, by 5 s at most.
  virtual Result<void> touch_sessions(std::span<const LoginSessionPtr> sessions) = 0;
};

struct OpenSession {
  LoginSessionPtr session;
  Secret refresh_token;
};

class LoginDesk {
 public:
  using Publish = std::function<Task<Result<void>>(std::shared_ptr<const LoginSessions>)>;

  // `publish` returns when every worker decides by the sessions. All outlive the desk.
  LoginDesk(SessionStore& store, const crypto::KeyStore& keys, Random& random, Publish publish);

  // Before any worker runs.
  void load(std::vector<StoredSession> stored, SessionRules rules);
  [[nodiscard]] std::shared_ptr<const LoginSessions> sessions() const;

  // Known to every worker when it returns. `owner`: Principal::id of a user or key.
  // `key_secret`: of a key's (Principal::key_secret).
  Task<Result<OpenSession>> open(std::string owner, ClientMark client, WallTime now, std::uint32_t key_secret = 0);
  // Exchanges a refresh token. Code::unauthenticated for every refusal ("refresh.reused", "refresh.unknown", ...): after
  // the first of these the session has ended on every worker. Of any number of callers with one token, one is answered.
  // A key's is good from the key's addresses alone.
  Task<Result<OpenSession>> renew(Secret refresh_token, ClientMark client, WallTime now,
                                  std::shared_ptr<const Principals> principals);
  // In force on every worker when it returns, and even where the store fails (error `storage`: it would come back with a
  // restart). Says how many there were; unknown ids are passed over.
  Task<Result<std::size_t>> end(std::vector<std::string> ids);
  Task<Result<std::size_t>> end_all_of(std::string owner, std::string except = {});

  // Every few seconds: ends what is over or has lost its owner, and writes the last uses.
  Task<Result<void>> sweep(const Principals& principals, WallTime now);

 private:
  struct Kept {
    StoredSession stored;
    WallTime written{};  // the last use, as stored
  };
  [[nodiscard]] Secret new_refresh_token(const std::string& id);
  [[nodiscard]] std::optional<std::string> id_of(std::string_view refresh_token) const;
  [[nodiscard]] std::string hash_of(std::string_view refresh_token) const;
  [[nodiscard]] std::vector<std::string> beyond_limit(const std::string& owner) const;
  [[nodiscard]] std::vector<std::string> owned_by(std::string_view owner) const;
  Result<void> write_uses();

  SessionStore& store_;
  const crypto::KeyStore& keys_;
  Random& random_;
  Publish publish_;
  SessionRules rules_;
  std::map<std::string, Kept, std::less<>> sessions_;
  std::uint64_t ended_ = 0;
};

// May the owner still have the session? Not when the owner is gone or disabled, or when all of its tokens from before were
// ended. For a key: nor when the secret that opened it is good no more.
[[nodiscard]] bool owner_lives(const Principals& principals, const LoginSession& session, WallTime now);

}  // namespace sallyport::control
