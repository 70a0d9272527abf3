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

class Connection;
class Guard;

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `principal` is empty for a shared session. Takes a connection that is not yet initialized.
  Session(ServerPtr server, std::string principal, std::unique_ptr<Connection> connection, const Settings& settings,
          const Clock& clock, std::shared_ptr<Guard> guard);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // One call; many may be in flight. `events` may be null and must outlive the await. Ends with the reply of the server,
  // or upstream_timeout (deadline), cancelled (asio cancellation), upstream_unavailable (the server went away),
  // upstream_too_large, upstream_protocol, breaker_open, limit. On time-out and cancellation the server is told by
  // notifications/cancelled and its late answer is dropped (MCP, Cancellation).
  Task<Result<Reply>> call(Call call, CallEvents* events);
  // A notification of ours, e.g. notifications/roots/list_changed; params minified JSON object or empty.
  Task<Result<void>> notify(std::string method, std::string params);

  // Sends initialize and initialized. Once, before any call; Upstreams does it.
  Task<Result<void>> handshake(SteadyTime deadline);
  // Pending calls fail with `why`; then the transport is closed (stdin closed, SIGTERM, SIGKILL; HTTP: DELETE).
  Task<void> close(Error why);

  [[nodiscard]] const ServerInfo& info() const noexcept { return info_; }
  [[nodiscard]] const ServerRecord& server() const noexcept { return *server_; }
  [[nodiscard]] const ServerPtr& server_ptr() const noexcept { return server_; }
  [[nodiscard]] const std::string& principal() const noexcept { return principal_; }
  [[nodiscard]] bool alive() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] SteadyTime last_used() const noexcept { return last_used_; }

 private:
  Task<Result<Reply>> run(Call call, CallEvents* events);

  ServerPtr server_;
  std::string principal_;
  std::unique_ptr<Connection> connection_;
  const Settings& settings_;
  const Clock& clock_;
  std::shared_ptr<Guard> guard_;
  ServerInfo info_;
  std::size_t in_flight_ = 0;
  SteadyTime last_used_;
  bool closed_ = false;
};

using SessionPtr = std::shared_ptr<Session>;

}  // namespace sallyport::upstream
