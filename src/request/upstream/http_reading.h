// One SSE answer while it is read: sorts its events for the request that it answers. In http_connection*.cc only.
#pragma once

#include <string>
#include <vector>

#include "request/upstream/http_connection.h"

namespace sallyport::upstream {

class HttpConnection::Reading {
 public:
  Reading(const Outgoing& message, CallEvents* events, std::size_t bytes_max)
      : sse_(bytes_max), message_(message), events_(events), bytes_max_(bytes_max) {}

  struct Asked {
    std::string raw_id, method, params;
  };

  Result<void> feed(std::string_view bytes);
  [[nodiscard]] bool done() const noexcept { return answer.has_value(); }
  [[nodiscard]] std::string last_id() const { return std::string(sse_.last_id()); }
  [[nodiscard]] std::chrono::milliseconds retry() const {
    return std::chrono::milliseconds{std::min<std::uint32_t>(sse_.retry_ms().value_or(1'000), 10'000)};
  }
  // A resumed stream starts in the middle of nothing: a new parser, the same memory.
  void restart() { sse_ = net::SseReader(bytes_max_); }

  std::optional<Result<Reply>> answer;
  std::vector<Asked> asked;  // requests of the server, to be answered after the bytes at hand
  [[nodiscard]] CallEvents* events() const noexcept { return events_; }

 private:
  void on_event(std::string_view data);
  void on_notification(const Incoming& in);

  net::SseReader sse_;
  const Outgoing& message_;
  CallEvents* events_;
  std::size_t bytes_max_;
  std::string minified_;
};

}  // namespace sallyport::upstream
