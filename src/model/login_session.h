// What one login opens: the session that its access tokens carry (claim sid) and its refresh tokens belong to. Ending it
// ends them all. Plain values, shared by every snapshot that knows the session; only the time of the last use changes, by
// any thread. The refresh token's hash is no worker's business: it stays with the control plane.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sallyport {

// Which properties of the client a session is bound to (setting auth.session_binding).
enum class SessionBinding : std::uint8_t { none, address, user_agent, both };

// Who speaks, as far as the HTTP head tells.
struct ClientMark {
  std::string address;
  std::string user_agent;  // at most kUserAgentMax bytes are kept
};

struct LoginSession {
  static constexpr std::size_t kUserAgentMax = 256;

  std::string id;  // 32 hex digits; no credential
  std::string owner;  // Principal::id: "user:<id>", or "key:<id>" for POST /auth/api-key-login
  std::uint32_t key_secret = 0;  // of a key's: the number of the secret that opened it
  ClientMark client;  // that opened it
  WallTime created_at{};
  WallTime expires_at{};  // whatever its use
  mutable std::atomic<std::int64_t> used{};  // last use, microseconds since 1970

  [[nodiscard]] WallTime last_used() const noexcept {
    return WallTime(std::chrono::microseconds(used.load(std::memory_order_relaxed)));
  }
  // Never backwards; a use within a second of the last one is not written, so that a busy session's cache line rests.
  void touch(WallTime now) const noexcept;
};

using LoginSessionPtr = std::shared_ptr<const LoginSession>;

struct LoginSessions {
  std::map<std::string, LoginSessionPtr, std::less<>> by_id;
  std::chrono::seconds idle{3600};
  SessionBinding binding = SessionBinding::none;
  std::uint64_t ended = 0;  // how many have ended so far: a snapshot with another count revokes something

  [[nodiscard]] LoginSessionPtr find(std::string_view id) const;
  // Idle for too long, or at its end.
  [[nodiscard]] bool over(const LoginSession& session, WallTime now) const noexcept;
  [[nodiscard]] bool bound_to(const LoginSession& session, std::string_view address,
                              std::string_view user_agent) const noexcept;
};

}  // namespace sallyport
