// One SSE answer while it is read: sorts its events for the request that it answers. For the HTTP connections of both
// eras; lives in the frame of its request.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "net/sse.h"
#include "request/upstream/connection.h"
#include "request/upstream/incoming.h"
#include "request/upstream/server_requests.h"

namespace sallyport::upstream {

class HttpReading {
 public:
  // What stands beside progress and the answer: requests of the server, and notifications of the call.
  struct Sinks {
    std::function<void(Asked)> request;
    std::function<void(const Incoming&)> notification;
  };

  HttpReading(const Outgoing& message, CallEvents* events, std::size_t bytes_max, Sinks sinks)
      : sse_(bytes_max), message_(message), events_(events), bytes_max_(bytes_max), sinks_(std::move(sinks)) {}

  Result<void> feed(std::string_view bytes);
  [[nodiscard]] bool done() const noexcept { return answer.has_value(); }
  [[nodiscard]] std::string last_id() const { return std::string(sse_.last_id()); }
  [[nodiscard]] std::chrono::milliseconds retry() const {
    return std::chrono::milliseconds{std::min<std::uint32_t>(sse_.retry_ms().value_or(1'000), 10'000)};
  }
  // A resumed stream starts in the middle of nothing: a new parser, the same memory.
  void restart() { sse_ = net::SseReader(bytes_max_); }

  std::optional<Result<Reply>> answer;

 private:
  void on_event(std::string_view data);
  void on_notification(const Incoming& in);

  net::SseReader sse_;
  const Outgoing& message_;
  CallEvents* events_;
  std::size_t bytes_max_;
  Sinks sinks_;
  std::string minified_;
};

}  // namespace sallyport::upstream
