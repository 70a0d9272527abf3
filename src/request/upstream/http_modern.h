// MCP 2026-07-28 over Streamable HTTP towards a tool server: one POST a request, whole in itself, with headers that say
// what its body says; no session, no GET, no DELETE. A call that is cancelled closes its stream, which is the cancel. The
// server may only notify and answer: a request of its own is dropped (mcp-spec.md, 2.4). One worker.
#pragma once

#include <memory>
#include <optional>

#include "request/upstream/http_endpoint.h"
#include "request/upstream/http_reading.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class ModernHttpConnection final : public Connection {
 public:
  ModernHttpConnection(const Deps& deps, ServerPtr server);

  Task<Result<void>> open(SteadyTime deadline) override;
  // JSON-RPC errors in HTTP 400 and 404 are replies (mcp-spec.md, 2.5). session_unknown: a 400, 404 or 405 that no
  // server of this era gives.
  Task<Result<Reply>> request(Outgoing message, CallEvents* events) override;
  // No notification of a client exists on this transport: nothing is sent.
  Task<Result<void>> notify(std::string text, SteadyTime deadline) override;
  Result<void> negotiated(const ServerInfo&) override { return {}; }
  void listen() override {}
  void forget_session() override {}
  void expire(SteadyTime) override {}  // the egress client keeps the deadlines
  void abandon(const Error& why) override;
  Task<void> close() override { co_return; }
  [[nodiscard]] bool alive() const noexcept override { return !end_; }
  [[nodiscard]] bool failed() const noexcept override { return false; }
  [[nodiscard]] bool stateless() const noexcept override { return true; }

 private:
  using StreamPtr = std::unique_ptr<net::EgressStream>;

  Task<Result<Reply>> exchange(Outgoing& message, CallEvents* events);
  Task<Result<Reply>> read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events);
  Result<Reply> answer_of(const net::ResponseHead& head, std::string_view body, const Outgoing& message);

  const Deps& deps_;
  ServerPtr server_;
  HttpEndpoint endpoint_;
  OpenStreams streams_;
  std::optional<Error> end_;
};

}  // namespace sallyport::upstream
