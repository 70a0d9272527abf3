// The events of one client session's SSE streams, kept so that a client that lost its connection hears the rest (MCP
// 2025-11-25, Streamable HTTP: Resumability and Redelivery). A session has one log; any thread may call it, for a call's
// events, its answer and the GET that resumes it come from different workers; the lock is held for bookkeeping only.
// Limits: kLog*, kPending*; the oldest goes first, and a stream whose answer is gone cannot be resumed.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sallyport::mcp {

inline constexpr std::size_t kLogEventsMax = 500;
inline constexpr std::size_t kLogBytesMax = 2U << 20;
inline constexpr std::size_t kLogStreamsMax = 128;
inline constexpr std::size_t kPendingMax = 100;  // messages that came while no GET stream was open
inline constexpr std::size_t kPendingBytesMax = 1U << 20;
inline constexpr unsigned kLogSweeps = 3;  // a stream that has ended is forgotten at the third sweep after it
inline constexpr std::uint32_t kRetryMs = 1'000;  // what a polling client is asked to wait

// One event as it goes out. Without data it primes the client to come back (2025-11-25).
struct Event {
  std::string id;  // "<stream>-<number>", unique in the session; empty: the stream cannot be resumed
  std::shared_ptr<const std::string> data;
  bool last = false;  // the stream ends after it
};

// What carries a stream's events to one connection. Called under the log's lock: must only queue, and never call back.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void take(Event event) = 0;
  virtual void let_go() = 0;  // another connection carries the stream now, or nobody shall
};

class EventLog {
 public:
  using Sink = std::shared_ptr<EventSink>;
  // Before the first stream. `resumes`: events have ids and are kept; `primes`: a stream begins with an empty event.
  void configure(bool resumes, bool primes);

  // The stream of a POST, carried by `sink` first. Returns its number, to be used with append.
  std::uint64_t open(Sink sink);
  // One message on that stream; after `last` nothing more is taken.
  void append(std::uint64_t stream, std::string message, bool last);

  // A message that belongs to no request: to the GET stream, or kept until there is one.
  void deliver(std::string message);
  // A new GET stream, not later than `until`; one that was open before ends. False: the session has ended.
  bool listen(const Sink& sink, WallTime until);
  // GET with Last-Event-ID: replays what came after it on that stream, and goes on with it. False: no stream of this
  // session gave this id, or what followed is not kept any more.
  bool resume(std::string_view last_id, const Sink& sink, WallTime until);

  // This sink carries nothing any more; its stream stays.
  void detach(const EventSink& sink);
  // Lets the GET stream go; messages are kept from now on.
  void close_listener();
  void close_overdue(WallTime now);
  // The session ended: what GETs carry is let go, nothing is kept or opened.
  void end();
  // Once a minute.
  void sweep();
  [[nodiscard]] bool listening() const;

 private:
  struct Stream {
    Sink sink;
    bool by_get = false;  // the sink is a GET's
    bool listener = false;  // opened by GET: not a request's
    WallTime until = WallTime::max();
    std::uint64_t next = 1;
    std::uint64_t last = 0;  // number of its last event once that is known
    unsigned sweeps = 0;
  };
  using Text = std::shared_ptr<const std::string>;
  struct Kept {
    std::uint64_t stream, number;
    Text data;
  };

  void add(std::uint64_t number, Stream& stream, const Text& data, bool last);
  std::uint64_t new_stream(Stream stream);
  void make_room_for_stream();
  void forget(std::uint64_t stream);
  void leave_listener();
  void drop_oldest();
  bool replay(std::uint64_t number, Stream& stream, std::uint64_t after);

  mutable std::mutex mutex_;  // guards everything below
  std::map<std::uint64_t, Stream> streams_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  std::deque<Text> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t next_stream_ = 1;
  std::uint64_t listener_ = 0;  // the GET stream that is open; 0: none
  bool resumes_ = true, primes_ = false, ended_ = false;
};

}  // namespace sallyport::mcp
