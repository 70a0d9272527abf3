// What a client hears over SSE: the events of one POST and its answer, or what a GET carries. It lives on the worker of the
// connection; push(), take() and let_go() may come from any worker, in order. With a log its events have ids and outlive
// the connection (event_log.h). A queue that grows over its cap ends the connection: a client that does not read must not
// eat the gateway's memory.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/task.h"
#include "net/server_connection.h"
#include "request/mcp/event_log.h"

namespace sallyport::mcp {

inline constexpr std::size_t kStreamQueueBytes = 4U << 20;

class EventStream final : public EventSink, public std::enable_shared_from_this<EventStream> {
 public:
  // Of one answer. `exchange` must not be touched by anyone else until pump() has ended.
  EventStream(Executor executor, net::ServerExchange& exchange);
  // Without a connection of its own (HTTP+SSE: the POST is answered already): all goes to the session's GET stream.
  EventStream(Executor executor, std::shared_ptr<EventLog> log);

  // Before the first event. Those of a POST are written through `log` from now on, under a number of their own.
  void keep_in(std::shared_ptr<EventLog> log) { log_ = std::move(log); }
  // Before pump(). Bytes ahead of the first event; and each event names its type (HTTP+SSE, 2024-11-05).
  void begin_with(std::string bytes) { preface_ = std::move(bytes); }
  // Called once, on the connection's worker, when the first event comes and nobody pumps yet: it must start pump().
  void on_first(std::function<void()> start) { start_ = std::move(start); }

  // Any thread. One JSON-RPC message, minified.
  void push(std::string message);
  void close();
  void take(Event event) override;
  void let_go() override { close(); }

  // Connection's worker. Opens the SSE answer at the first event (or at once with `eagerly`), writes events as they come,
  // a comment after `keep_alive` of silence, until the last event, close() or until the client goes. Does not end the answer.
  Task<void> pump(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive);
  // Connection's worker. Without waiting for an event: a long call keeps its connection alive by comments.
  void start();
  // Connection's worker, when the answer is there. False: no stream was opened, and none will be: answer as you like.
  bool settle();
  // Connection's worker, after settle() said true. The answer goes the way of the events before it: to this connection, to
  // the one that carries the stream now, or to the log for whoever comes back. Returns when this connection is done.
  Task<void> finish(std::string answer);

  // Is there anything of a stream yet?
  [[nodiscard]] bool opened() const noexcept { return exchange_ == nullptr || pumping_ || started_; }
  // After pump() ended: was the answer opened as a stream?
  [[nodiscard]] bool started() const noexcept { return started_; }
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  struct Ended;
  void push_here(std::string message, bool last);
  void queue(Event event);
  Task<Result<void>> write_queued();
  Task<void> pump_on(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive);

  Executor executor_;
  net::ServerExchange* exchange_;
  std::shared_ptr<EventLog> log_;
  std::uint64_t number_ = 0;  // of a POST's stream in the log
  SteadyTimer wake_;
  std::deque<Event> queue_;
  std::size_t queued_bytes_ = 0;
  std::string preface_;
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
