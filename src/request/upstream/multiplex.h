// What comes over one channel that all calls of a connection share - the stdout of a child, the stream of HTTP+SSE -
// sorted to whom it belongs: answers by our ids, progress by our tokens, requests of the server to the client behind a
// call, the rest to the session's listener. Everything in it is hostile. One worker; owned by its connection.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "model/server.h"
#include "request/upstream/deps.h"
#include "request/upstream/incoming.h"
#include "request/upstream/pending.h"

namespace sallyport::upstream {

class Multiplex {
 public:
  // A message of ours that nobody waits for: an answer, notifications/cancelled.
  using Send = std::function<void(std::string message)>;
  // A call's own message; an error of it is the call's.
  using SendCall = std::function<Result<void>(Outgoing& message)>;

  // What is referred to outlives it.
  Multiplex(Executor executor, const Deps& deps, ServerPtr server, Unsolicited unsolicited, Send send);

  // Sends it and waits for the answer, which fail_all() and expire() may give too. On time-out and cancellation the
  // server is told (MCP, Cancellation). Errors: those of `send_call` and of whoever fails it; upstream_timeout,
  // cancelled.
  Task<Result<Reply>> call(Outgoing message, CallEvents* events, const SendCall& send_call);
  // One message of the server. Errors: upstream_protocol, upstream_too_large (it is none; nothing was done).
  Result<void> read(std::string_view text);
  // MCP 2026-07-28: from now on the server only answers and notifies.
  void set_modern(bool modern) noexcept { modern_ = modern; }

  void expire(SteadyTime now);
  void fail_all(const Error& why) { pending_.fail_all(why); }
  [[nodiscard]] PendingCalls& pending() noexcept { return pending_; }

 private:
  void on_answer(const Incoming& in);
  void on_request(const Incoming& in);
  void on_notification(const Incoming& in);
  void on_subscription(std::uint64_t id, const Incoming& in);
  void say_cancelled(std::uint64_t id, std::string_view reason);

  Executor executor_;
  const Deps& deps_;
  ServerPtr server_;
  Unsolicited unsolicited_;
  Send send_;
  PendingCalls pending_;
  std::deque<std::uint64_t> ended_;  // listen streams of ours: what still comes of them is late, not foreign
  std::string minified_;  // what the Incoming of the current message points into
  bool modern_ = false;
};

}  // namespace sallyport::upstream
