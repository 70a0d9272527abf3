// One HTTP/1.1 server connection: requests in order, one at a time, each handed to the handler as a ServerExchange. The
// handler sees the head first and asks for the body when it wants it, so that identity comes before the body. Owned by
// the listener's worker; that worker's thread only. Limits and timeouts are settings; pipelined bytes kept while a
// handler runs are bounded by kAheadBytesMax.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/task.h"
#include "net/http_message.h"
#include "net/http_reader.h"
#include "net/stream.h"
#include "net/timeouts.h"

namespace sallyport::net {

inline constexpr std::size_t kAheadBytesMax = 16U << 10;

class ServerConnection;

class ServerExchange {
 public:
  explicit ServerExchange(ServerConnection& connection) noexcept : connection_(connection) {}
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  // Views live until the handler returns.
  [[nodiscard]] const RequestHead& head() const noexcept;
  [[nodiscard]] const Peer& peer() const noexcept;
  std::string request_id;  // written by the handler; the connection only carries it

  // The whole body; sends 100 Continue first where the client waits for it. Errors: bad_framing, body_too_large,
  // request_timeout, cancelled (the client is gone). After an error respond() still works where the client is there.
  Task<Result<std::string_view>> read_body();

  // Exactly one answer: respond(), or start_stream() .. end_stream(). Errors: cancelled (the client is gone or
  // stalled), internal (answered twice, or a header that would break the framing).
  Task<Result<void>> respond(Response response);
  // Chunked; to an HTTP/1.0 client ended by close. One writer at a time: await each before the next.
  Task<Result<void>> start_stream(int status, Headers headers);
  Task<Result<void>> write(std::string_view bytes);
  Task<Result<void>> end_stream();
  [[nodiscard]] bool answered() const noexcept;  // a head has been written

  // From now on notice when the client goes, and call `on_gone` once, on this thread, not from inside this call.
  void watch_gone(std::function<void()> on_gone);
  [[nodiscard]] bool gone() const noexcept;

  // Lines that go into every answer of this exchange; `block` ("Name: value\r\n"...) must outlive it.
  void set_common_headers(std::string_view block) noexcept;
  // One more header of this exchange's answer. False: the name or value cannot be written, and is not.
  bool add_header(std::string_view name, std::string_view value);

 private:
  ServerConnection& connection_;
};

// Runs on the worker's thread. An exception that escapes answers 500 where nothing was answered, and closes.
using Handler = std::function<Task<void>(ServerExchange&)>;

struct ServerSettings {
  HttpLimits limits;
  Timeouts timeouts;
  std::string common_headers;  // default of set_common_headers
  // Makes the answer to a request that never reached the handler (framing, time-out) or whose handler failed: to
  // count, audit and word it. Empty: a short JSON error. The connection closes after it.
  std::function<Response(ServerExchange&, const Error&)> refuse;
  std::function<void(const char*)> on_exception;  // what a handler let escape; for the log
  std::function<void(const Peer&)> on_flood;  // Stream::flooded() ended the connection
};

// What the connections of one worker share. Outlives them.
class ServerContext {
 public:
  ServerContext(const ServerSettings& settings, Handler handler, DeadlineSweep& sweep);
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // Idle connections end now, others after the exchange they are in; new ones are not served.
  void begin_drain();
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

 private:
  friend class ServerConnection;
  const ServerSettings& settings_;
  Handler handler_;
  DeadlineSweep& sweep_;
  bool draining_ = false;
  std::uint64_t requests_ = 0;
  std::list<ServerConnection*> connections_;
};

// Serves one connection until it ends. `context` outlives the task.
Task<void> serve_connection(Stream stream, Peer peer, ServerContext& context);

}  // namespace sallyport::net
