#include "model/login_session.h"

namespace sallyport {

void LoginSession::touch(WallTime now) const noexcept {
  constexpr std::int64_t kStep = 1'000'000;
  const std::int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  if (micros - used.load(std::memory_order_relaxed) >= kStep) used.store(micros, std::memory_order_relaxed);
}

LoginSessionPtr LoginSessions::find(std::string_view id) const {
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : found->second;
}

bool LoginSessions::over(const LoginSession& session, WallTime now) const noexcept {
  return session.expires_at <= now || session.last_used() + idle <= now;
}

bool LoginSessions::bound_to(const LoginSession& session, std::string_view address,
                             std::string_view user_agent) const noexcept {
  const bool by_address = binding == SessionBinding::address || binding == SessionBinding::both;
  const bool by_agent = binding == SessionBinding::user_agent || binding == SessionBinding::both;
  return (!by_address || session.client.address == address) &&
         (!by_agent || session.client.user_agent == user_agent.substr(0, LoginSession::kUserAgentMax));
}

}  // namespace sallyport
