// The transport under a Session, one class for each way to speak (connections.h). It carries finished messages of ours
// and sorts what comes back; it knows JSON-RPC ids, progress and whose request of the server is whose, nothing else of
// MCP's methods. One worker; the Link of a session owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "request/upstream/call.h"

namespace sallyport::upstream {

struct Outgoing {
  std::uint64_t id = 0;  // minted by the session; also the progress token
  std::string text;      // one minified message, no line break
  SteadyTime deadline{};
  bool wants_progress = false;
  bool cancellable = true;  // initialize must not be cancelled (MCP, Cancellation)
  bool listens = false;     // subscriptions/listen: its events hear every notification that names it
  mcp_header::Headers headers;  // modern over HTTP: Mcp-Method, Mcp-Name, Mcp-Param-*
  int* status = nullptr;        // HTTP: where set, the answer's status is written there, for the era probe
  std::function<void()>
      sending;  // where set, called right before the first byte goes out; again where it is sent again
};

// What belongs to no call. Views die when it returns.
using Unsolicited = std::function<void(std::string_view method, std::string_view params)>;

class Connection {
 public:
  virtual ~Connection() = default;
  // stdio: starts the process. HTTP: resolves the configured headers.
  virtual Task<Result<void>> open(SteadyTime deadline) = 0;
  // Errors: upstream_*, cancelled; session_unknown (the message was not executed, and a new handshake is due: HTTP 404
  // on a session, a refusal that no server of this era gives).
  virtual Task<Result<Reply>> request(Outgoing message, CallEvents* events) = 0;
  virtual Task<Result<void>> notify(std::string text, SteadyTime deadline) = 0;
  // The version of the handshake is known: HTTP says it in a header from now on.
  virtual Result<void> negotiated(const ServerInfo& info) = 0;
  // After `initialized` was sent: HTTP may open its GET stream.
  virtual void listen() = 0;
  // Forgets the session id, so that initialize may be sent again.
  virtual void forget_session() = 0;
  // Ends calls whose deadline has passed; called by the owner's sweep.
  virtual void expire(SteadyTime now) = 0;
  // Every pending request fails with `why`; nothing is accepted afterwards.
  virtual void abandon(const Error& why) = 0;
  // After abandon(): ends the transport; nothing of it runs when this returns.
  virtual Task<void> close() = 0;
  [[nodiscard]] virtual bool alive() const noexcept = 0;
  // After the handshake: the server keeps nothing between requests, so any worker may have a session of its own with
  // it.
  [[nodiscard]] virtual bool stateless() const noexcept { return false; }
  // Whether it failed by itself (back-off counts it), not by abandon().
  [[nodiscard]] virtual bool failed() const noexcept = 0;
};

}  // namespace sallyport::upstream
