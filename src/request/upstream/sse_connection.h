// MCP over HTTP+SSE towards a tool server (MCP 2024-11-05, Transports): one GET stream whose first event names where
// messages are POSTed; every answer comes over the stream. The session is the stream, and the URI of its `endpoint`
// event a bearer secret: it must be of the stream's own origin, and is never logged. A stream that breaks fails the
// calls that wait; the next call finds session_unknown and shakes hands over another. One worker; owned by its Link.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/sse.h"
#include "request/upstream/http_endpoint.h"
#include "request/upstream/multiplex.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

// Path and query of the `endpoint` event's URI, resolved against the stream's URL. Errors: upstream_protocol (another
// origin, which would be sent our credentials: mcp-spec.md, 2.2; what is no URI; dot segments). Its text does not hold
// the URI.
Result<std::string> endpoint_path(const net::Url& stream, std::string_view endpoint);

class SseConnection final : public Connection {
 public:
  SseConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                Unsolicited unsolicited);
  ~SseConnection() override;

  Task<Result<void>> open(SteadyTime deadline) override;
  // The first one, initialize, opens the stream; `message.status` is then the status of the GET.
  Task<Result<Reply>> request(Outgoing message, CallEvents* events) override;
  Task<Result<void>> notify(std::string text, SteadyTime deadline) override;
  Result<void> negotiated(const ServerInfo&) override;
  void listen() override {}
  void forget_session() override;
  void expire(SteadyTime now) override { calls_.expire(now); }
  void abandon(const Error& why) override;
  Task<void> close() override;
  [[nodiscard]] bool alive() const noexcept override { return !end_; }
  [[nodiscard]] bool failed() const noexcept override { return false; }

 private:
  // One stream while it lasts.
  struct Channel {
    Channel(std::unique_ptr<net::EgressStream> s, std::size_t bytes_max) : stream(std::move(s)), sse(bytes_max) {}
    std::unique_ptr<net::EgressStream> stream;
    net::SseReader sse;
    std::string path;  // where messages are POSTed; empty: not yet known
    std::optional<Error> error;
  };
  using ChannelPtr = std::shared_ptr<Channel>;

  Task<Result<void>> connect(SteadyTime deadline, int* status);
  Task<Result<void>> read_some(Channel& channel);
  bool on_event(Channel& channel, const net::SseEvent& event);
  Task<void> pump(ChannelPtr channel);
  void drop(const Error& why);
  Task<Result<void>> post(std::string text, SteadyTime deadline, std::function<void()> sending = {});
  Task<void> post_call(Outgoing call);
  void tell(std::string text);
  Task<void> tell_task(std::string text);

  const Deps& deps_;
  Settings settings_;
  ServerPtr server_;
  TaskGroup tasks_;
  HttpEndpoint endpoint_;
  Multiplex calls_;
  ChannelPtr channel_;  // null: the next handshake opens one
  std::optional<Error> end_;
  bool negotiated_ = false;
};

}  // namespace sallyport::upstream
