// One initialized MCP session with one tool server, over stdio or Streamable HTTP. Made by Upstreams, held by
// shared_ptr while a call runs. Everything of it stays on the worker that made it; another worker reaches it by run_on.
// Limits: calls in flight (settings), bytes of a result (ServerRecord::result_bytes_max), call_max of time.
#pragma once

#include <memory>
#include <string>

#include "model/server.h"
#include "request/upstream/call.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class Breaker;
class Connection;

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `principal` is empty for a shared session. Upstreams makes, opens and closes sessions.
  Session(Executor executor, ServerPtr server, std::string principal, std::unique_ptr<Connection> connection,
          const Settings& settings, const Clock& clock, std::shared_ptr<Breaker> breaker = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // One call; many may be in flight. `events` may be null and must outlive the await. Ends with the reply of the
  // server, or upstream_timeout (deadline), cancelled (asio cancellation), upstream_unavailable (the server went away),
  // upstream_refused (HTTP status), upstream_too_large, upstream_protocol, breaker_open, limit. On time-out and
  // cancellation the server is told by notifications/cancelled and its late answer is dropped (MCP, Cancellation).
  Task<Result<Reply>> call(Call call, CallEvents* events);
  // A notification of ours; params minified JSON object or empty.
  Task<Result<void>> notify(std::string method, std::string params);

  [[nodiscard]] const ServerInfo& info() const noexcept { return info_; }
  [[nodiscard]] const ServerRecord& server() const noexcept { return *server_; }
  [[nodiscard]] const ServerPtr& server_ptr() const noexcept { return server_; }
  [[nodiscard]] const std::string& principal() const noexcept { return principal_; }
  [[nodiscard]] bool alive() const noexcept;
  // HTTP without Mcp-Session-Id: calls need not go to the principal's home worker.
  [[nodiscard]] bool stateless() const noexcept;
  // It ended by itself (exit, broken protocol), not by us.
  [[nodiscard]] bool failed() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] SteadyTime last_used() const noexcept { return last_used_; }

  // For Upstreams. Connects, sends initialize and initialized; once, before any call.
  Task<Result<void>> open(SteadyTime deadline);
  // Pending calls fail with `why` now, nothing is accepted afterwards; close() ends the transport.
  void abandon(const Error& why);
  Task<void> close();
  void expire(SteadyTime now);

 private:
  Task<Result<Reply>> run(Call call, CallEvents* events);
  Task<Result<Reply>> send(const Call& call, CallEvents* events);
  Task<Result<void>> handshake(SteadyTime deadline);
  Task<Result<void>> renew(std::uint64_t seen_epoch, SteadyTime deadline);

  ServerPtr server_;
  std::string principal_;
  std::unique_ptr<Connection> connection_;
  const Settings settings_;
  const Clock& clock_;
  std::shared_ptr<Breaker> breaker_;
  ServerInfo info_;
  std::uint64_t next_id_ = 1;
  std::uint64_t epoch_ = 0;  // handshakes done
  std::uint64_t answered_ = 0;
  std::size_t in_flight_ = 0;
  SteadyTime last_used_;
  bool renewing_ = false;
  SteadyTimer renewed_;
};

using SessionPtr = std::shared_ptr<Session>;

}  // namespace sallyport::upstream
