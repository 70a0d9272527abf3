// Inside cli only: the legacy half of the stdio bridge (2024-11-05 to 2025-11-25): one MCP session with the gateway. On the
// bridge's thread only.
#pragma once

#include <string>
#include <string_view>

#include "cli/client_lines.h"
#include "cli/client_message.h"
#include "cli/gateway_link.h"

namespace sallyport::cli {

class BridgeSession {
 public:
  BridgeSession(GatewayLink& link, const ClientLines& lines, Executor executor)
      : link_(link), lines_(lines), renewed_(executor, SteadyTimer::time_point::max()) {}

  // Sends one message, prints what comes back. A stream that breaks is resumed where its events had ids; every request
  // is answered, by an error if by nothing else. Initialize ends the session before it.
  Task<void> exchange(ClientMessage message);
  // The GET stream, opened again when it ends, until cancelled or refused.
  Task<void> listen();
  // DELETE, if there is a session.
  Task<void> end();
  // The client sent initialize.
  [[nodiscard]] bool begun() const noexcept { return !initialize_.empty(); }

 private:
  [[nodiscard]] net::EgressRequest request(std::string_view method, std::string body,
                                           std::chrono::seconds silence = kAnswer) const;
  // One POST; the HTTP status, or an error before there was one. A refusal's body goes to `refusal`.
  Task<Result<int>> post(const ClientMessage& message, Reading& reading, std::string& refusal);
  // GET with Last-Event-ID until `reading` has enough, or there is no hope left.
  Task<void> resume(const std::string& session, Reading& reading);
  // One GET stream to its end; true: it was one, and the next may be tried at once.
  Task<bool> listen_once(Reading& reading, const std::string& session, bool& refused);
  // True: there is another session than `stale`; all who ask at once get the same one.
  Task<bool> renew(const std::string& stale);
  Task<bool> begin_again();
  Task<void> while_renewing();
  void note_session(const net::ResponseHead& head);
  void note_initialize(std::string_view answer);

  GatewayLink& link_;
  const ClientLines& lines_;
  std::string session_, version_, initialize_;
  SteadyTimer renewed_;
  bool renewing_ = false;
};

}  // namespace sallyport::cli
