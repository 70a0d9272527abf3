// What a client hears over SSE: the events of one POST before its answer, or a session's GET stream. It lives on the
// worker of the connection; push() and close() may come from any worker, in order. A queue that grows over its cap ends
// the stream: a client that does not read must not eat the gateway's memory.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/task.h"
#include "net/server_connection.h"

namespace sallyport::mcp {

inline constexpr std::size_t kStreamQueueBytes = 4U << 20;

class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  // `exchange` must not be touched by anyone else until pump() has ended.
  EventStream(Executor executor, net::ServerExchange& exchange);

  // Called once, on the connection's worker, when the first event comes and nobody pumps yet.
  void on_first(std::function<void()> start) { start_ = std::move(start); }

  // Any thread. One JSON-RPC message, minified.
  void push(std::string message);
  void close();

  // Connection's worker. Opens the SSE answer at the first event (or at once with `eagerly`), writes events as they come,
  // a comment after `keep_alive` of silence, until close() or until the client goes. Does not end the answer.
  Task<void> pump(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive);
  // Connection's worker. Without waiting for an event: a long call keeps its connection alive by comments.
  void start();
  // Connection's worker. Ends it: true when pump() was started, and has ended when it returns.
  Task<bool> seal();
  // After pump() ended: was the answer opened as a stream?
  [[nodiscard]] bool started() const noexcept { return started_; }
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  void push_here(std::string message);
  Task<Result<void>> write_queued();

  Executor executor_;
  net::ServerExchange& exchange_;
  SteadyTimer wake_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  std::function<void()> start_;
  SteadyTimer ended_;
  bool pumping_ = false;
  bool closed_ = false;
  bool started_ = false;
  bool broken_ = false;
};

// The headers of an SSE answer (MCP, Streamable HTTP; X-Accel-Buffering keeps nginx from holding events back).
net::Headers sse_headers();

}  // namespace sallyport::mcp
