// MCP over Streamable HTTP towards a legacy tool server (MCP 2025-03-26 to 2025-11-25): one POST a message, answered as
// JSON or as an SSE stream; one GET stream for what the server says unasked; DELETE at the end. http_modern.h is the way
// of 2026-07-28. One worker.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "net/sse.h"
#include "request/upstream/http_endpoint.h"
#include "request/upstream/http_reading.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class HttpConnection final : public Connection {
 public:
  HttpConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                 Unsolicited unsolicited);

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

  Result<void> aim();
  Task<Result<Reply>> exchange(Outgoing& message, CallEvents* events, CallRequests& requests);
  Task<Result<Reply>> read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events,
                                  CallRequests& requests);
  Task<Result<void>> read_events(net::EgressStream& stream, HttpReading& reading);
  Task<Result<StreamPtr>> resume(std::string last_id, std::chrono::milliseconds wait, SteadyTime deadline);
  Result<Reply> answer_of(const net::ResponseHead& head, std::string_view body, const Outgoing& message);
  Result<void> take_session(const net::ResponseHead& head);
  void tell(std::string text);  // a POST of its own, nobody waits for it
  Task<void> tell_task(std::string text);
  Task<void> listen_loop();
  Task<bool> listen_once(std::string& last_id, std::optional<std::uint32_t>& retry_ms);
  bool on_unasked(const net::SseEvent& event, std::string& minified);

  Executor executor_;
  const Deps& deps_;
  Settings settings_;
  ServerPtr server_;
  Unsolicited unsolicited_;
  TaskGroup tasks_;
  HttpEndpoint endpoint_;
  OpenStreams streams_;
  std::list<CallRequests*> calls_;  // those that wait for their answer
  std::string session_id_;
  std::string version_;  // after initialize
  std::optional<Error> end_;
  bool listening_ = false;
};

}  // namespace sallyport::upstream
