// One MCP session with one tool server, whatever its era and transport: Link finds those out. Made by Upstreams, held
// by shared_ptr while a call runs. Everything of it stays on the worker that made it; another worker reaches it by
// run_on. Limits: calls in flight (settings), bytes of a result (ServerRecord::result_bytes_max), call_max of time.
#pragma once

#include <memory>
#include <string>

#include "model/server.h"
#include "request/upstream/link.h"
#include "request/upstream/watch.h"

namespace sallyport::upstream {

class Breaker;

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `principal` is empty for a shared session. Upstreams makes, opens and closes sessions.
  Session(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server, std::string principal,
          Unsolicited unsolicited, std::shared_ptr<Breaker> breaker = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // One call; many may be in flight. `events` may be null and must outlive the await. Ends with the reply of the
  // server, or upstream_timeout (deadline), cancelled (asio cancellation), upstream_unavailable (the server went away),
  // upstream_refused (HTTP status), upstream_too_large, upstream_protocol, breaker_open, limit, and of a modern server
  // method_not_found (ping, resources/subscribe...: gone in 2026-07-28). On time-out and cancellation the server is told
  // (notifications/cancelled; modern HTTP: its stream is closed) and its late answer is dropped (MCP, Cancellation). A
  // message that the server refused unread because of its era or of a session it forgot is sent again once, after a new
  // handshake.
  Task<Result<Reply>> call(Call call, CallEvents* events);
  // A notification of ours; params minified JSON object or empty. A modern server hears none: nothing is sent then.
  Task<Result<void>> notify(std::string method, std::string params);
  // From now on the listener shall hear of these and, on a modern server, of no others: subscriptions/listen, or
  // resources/subscribe and unsubscribe for the difference. Returns at once; errors are logged and tried again. To be
  // said again to another session, should this one end. A session that watches is not idle.
  void watch(Interest interest) { watch_.want(std::move(interest)); }
  // Until the server knows of it, or refused it, or `until` has passed.
  Task<void> watched(SteadyTime until) { return watch_.settle(until); }
  [[nodiscard]] bool watching() const noexcept { return !watch_.idle(); }

  // What a legacy server with the capability `logging` shall log from now on: a severity of model/log_level.h. Returns at
  // once. A call's own log_level goes before it where it wants more (MCP 2025-11-25, Logging). Never of a shared session:
  // its logs reach nobody.
  void want_log_level(std::string_view level);

  [[nodiscard]] const ServerInfo& info() const noexcept { return link_.info(); }
  [[nodiscard]] const ServerRecord& server() const noexcept { return *server_; }
  [[nodiscard]] const ServerPtr& server_ptr() const noexcept { return server_; }
  [[nodiscard]] const std::string& principal() const noexcept { return principal_; }
  [[nodiscard]] bool alive() const noexcept { return link_.alive(); }
  // HTTP without Mcp-Session-Id: calls need not go to the principal's home worker.
  [[nodiscard]] bool stateless() const noexcept { return link_.stateless(); }
  // It ended by itself (exit, broken protocol), not by us.
  [[nodiscard]] bool failed() const noexcept { return link_.failed(); }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] SteadyTime last_used() const noexcept { return last_used_; }

  // For Upstreams. Connects and shakes hands; once, before any call.
  Task<Result<void>> open(SteadyTime deadline);
  // Pending calls fail with `why` now, nothing is accepted afterwards; close() ends the transport.
  void abandon(const Error& why);
  Task<void> close();
  void expire(SteadyTime now) { link_.expire(now); }

 private:
  Task<Result<Reply>> run(Call call, CallEvents* events);
  Task<Result<Reply>> send(const Call& call, CallEvents* events);
  Task<Result<Reply>> send_modern(const Call& call, CallEvents* events, Connection& connection);
  Task<void> tell_log_level(std::string_view level, bool may_raise, SteadyTime deadline);
  [[nodiscard]] bool wants_handshake(const Result<Reply>& reply) const;

  ServerPtr server_;
  std::string principal_;
  const Settings settings_;
  const Deps deps_;  // with its principal
  const Clock& clock_;
  std::shared_ptr<Breaker> breaker_;
  Link link_;
  Watch watch_;
  TaskGroup tasks_;
  int told_level_ = -1;  // -1: the server logs what it likes
  std::uint64_t told_in_ = 0;  // in which handshake
  std::uint64_t answered_ = 0;
  std::size_t in_flight_ = 0;
  SteadyTime last_used_;
};

using SessionPtr = std::shared_ptr<Session>;

}  // namespace sallyport::upstream
