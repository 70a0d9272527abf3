// MCP over Streamable HTTP towards a tool server (MCP 2025-03-26 to 2025-11-25): one POST a message, answered as JSON
// or as an SSE stream; one GET stream for what the server says unasked; DELETE at the end. Every byte goes through the
// egress client and its SSRF guard; no header of a client and no WWW-Authenticate of the server ever crosses. One
// worker.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "model/server.h"
#include "net/egress_client.h"
#include "net/sse.h"
#include "request/upstream/connection.h"
#include "request/upstream/deps.h"
#include "request/upstream/incoming.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class HttpConnection final : public Connection {
 public:
  HttpConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                 Unsolicited unsolicited);
  ~HttpConnection() override;

  Task<Result<void>> open(SteadyTime deadline) override;
  Task<Result<Reply>> request(Outgoing message, CallEvents* events) override;
  Task<Result<void>> notify(std::string text, SteadyTime deadline) override;
  Result<void> negotiated(const ServerInfo& info) override;
  void listen() override;
  void forget_session() override;
  void expire(SteadyTime) override {}  // the egress client keeps the deadlines
  void abandon(const Error& why) override;
  Task<void> close() override;
  [[nodiscard]] bool alive() const noexcept override { return !end_; }
  [[nodiscard]] bool failed() const noexcept override { return false; }
  [[nodiscard]] bool stateless() const noexcept override { return session_id_.empty(); }

 private:
  using StreamPtr = std::unique_ptr<net::EgressStream>;
  class Reading;  // one SSE answer of one request

  Result<void> make_target();
  [[nodiscard]] net::EgressRequest http(std::string method, std::string body, SteadyTime deadline) const;
  Task<Result<Reply>> exchange(Outgoing& message, CallEvents* events);
  Task<Result<Reply>> read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events);
  Task<Result<void>> read_events(net::EgressStream& stream, Reading& reading);
  Task<void> answer_requests(Reading& reading);
  Task<Result<StreamPtr>> resume(std::string last_id, std::chrono::milliseconds wait, SteadyTime deadline);
  Result<Reply> answer_of(const net::ResponseHead& head, std::string_view body, const Outgoing& message);
  Result<void> take_session(const net::ResponseHead& head);
  [[nodiscard]] Error refusal(int status) const;
  void tell(std::string text);  // a POST of its own, nobody waits for it
  Task<void> tell_task(std::string text);
  Task<void> listen_loop();
  Task<bool> listen_once(std::string& last_id, std::optional<std::uint32_t>& retry_ms);

  Executor executor_;
  const Deps& deps_;
  Settings settings_;
  ServerPtr server_;
  Unsolicited unsolicited_;
  TaskGroup tasks_;
  net::Headers configured_;  // resolved; they hold credentials
  std::string session_id_;
  std::string version_;                              // after initialize
  std::shared_ptr<const net::EgressTarget> target_;  // with all fixed headers written once, since every call sends them
  std::set<net::EgressStream*> streams_;             // open ones, to be cut by abandon()
  std::optional<Error> end_;
  bool listening_ = false;
};

}  // namespace sallyport::upstream
