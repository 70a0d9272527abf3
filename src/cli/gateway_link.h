// Inside cli only: HTTP between the stdio bridge and the gateway, the same for both eras: a request to its endpoint, the
// messages of an answer whether it comes as JSON or as events. On the bridge's thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "net/egress_client.h"

namespace sallyport::cli {

using StreamPtr = std::unique_ptr<net::EgressStream>;

inline constexpr std::chrono::seconds kAnswer{310};  // the longest call of the gateway is 300 s

// How one answer is read, and what is known of its stream afterwards.
struct Reading {
  std::function<void(std::string_view text)> sink;  // each message; views live during the call
  std::function<bool()> enough = [] { return false; };  // nothing more is waited for
  std::chrono::seconds linger{1};  // then the stream is given so long to end by itself
  std::chrono::seconds silence = kAnswer;  // longest time without a byte
  std::string last_id;  // of events that had one
  std::optional<std::uint32_t> retry_ms;  // what the server asked for
  bool moved = false;  // an event came
};

class GatewayLink {
 public:
  GatewayLink(net::EgressClient& client, const Clock& clock, std::shared_ptr<const net::EgressTarget> target)
      : client_(client), clock_(clock), target_(std::move(target)) {}

  // Fields of the endpoint's every request; `silence` until the head of the answer.
  [[nodiscard]] net::EgressRequest request(std::string_view method, std::string body,
                                           std::chrono::seconds silence = kAnswer) const;
  Task<Result<StreamPtr>> open(net::EgressRequest request) { return client_.open(std::move(request)); }
  Task<Result<void>> discard(net::EgressRequest request);

  // Until the answer ends, or is enough. Errors: it broke off, or was silent for too long, or holds a message over kMessageMax.
  Task<Result<void>> read(net::EgressStream& stream, Reading& reading) const;
  // A body that is no stream, to its end. Errors: also upstream_too_large.
  static Task<Result<std::string>> body(net::EgressStream& stream, std::size_t bytes_max);

  static bool is_event_stream(const net::ResponseHead& head);

 private:
  Task<Result<void>> read_events(net::EgressStream& stream, Reading& reading) const;

  net::EgressClient& client_;
  const Clock& clock_;
  std::shared_ptr<const net::EgressTarget> target_;
};

// Time to wait before a stream is opened again: what the server asked for (2025-11-25: it must be honoured), doubled with
// each failure in a row.
std::chrono::milliseconds reconnect_pause(std::optional<std::uint32_t> retry_ms, int failures);

}  // namespace sallyport::cli
