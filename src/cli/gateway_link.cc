#include "cli/gateway_link.h"

#include <algorithm>

#include "cli/client_message.h"
#include "net/sse.h"

namespace sallyport::cli {

using std::chrono::milliseconds;

net::EgressRequest GatewayLink::request(std::string_view method, std::string body, std::chrono::seconds silence) const {
  net::EgressRequest r;
  r.target = target_;
  r.method = method;
  r.headers = {{"Accept", method == "GET" ? "text/event-stream" : "application/json, text/event-stream"}};
  if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
  r.body = std::move(body);
  r.deadline = clock_.steady() + silence;
  r.limits.body_bytes = std::uint64_t{1} << 40U;  // a stream has no length; each message has
  return r;
}

Task<Result<void>> GatewayLink::discard(net::EgressRequest request) {
  request.limits.body_bytes = 1U << 20;
  SP_CO_TRY(const auto unused, co_await client_.fetch(std::move(request)));
  co_return Result<void>();
}

bool GatewayLink::is_event_stream(const net::ResponseHead& head) {
  return head.find("content-type").value_or("").starts_with("text/event-stream");
}

Task<Result<std::string>> GatewayLink::body(net::EgressStream& stream, std::size_t bytes_max) {
  std::string body;
  while (true) {
    SP_CO_TRY(const std::string part, co_await stream.read_some());
    if (part.empty()) co_return body;
    if (body.size() + part.size() > bytes_max) co_return fail(Code::upstream_too_large, "an answer over the limit");
    body += part;
  }
}

Task<Result<void>> GatewayLink::read(net::EgressStream& stream, Reading& reading) const {
  if (is_event_stream(stream.head())) co_return co_await read_events(stream, reading);
  SP_CO_TRY(const std::string text, co_await body(stream, kMessageMax));
  if (!text.empty()) reading.sink(text);
  co_return Result<void>();
}

Task<Result<void>> GatewayLink::read_events(net::EgressStream& stream, Reading& reading) const {
  net::SseReader reader(kMessageMax);
  bool lingers = false;
  while (true) {
    SP_CO_TRY(const std::string part, co_await stream.read_some());
    if (part.empty()) co_return Result<void>();
    SP_CO_CHECK(reader.feed(part, [&](const net::SseEvent& event) {
      reading.moved = true;
      if (net::valid_field_value(event.id) && !event.id.empty()) reading.last_id = event.id;
      if (event.event == "message" && !event.data.empty()) reading.sink(event.data);
      return true;
    }));
    if (reader.retry_ms()) reading.retry_ms = reader.retry_ms();
    if (lingers) continue;
    lingers = reading.enough();
    if (lingers && reading.linger.count() == 0) co_return Result<void>();
    stream.set_deadline(clock_.steady() + (lingers ? reading.linger : reading.silence));
  }
}

milliseconds reconnect_pause(std::optional<std::uint32_t> retry_ms, int failures) {
  constexpr milliseconds kLeast{10};
  constexpr milliseconds kMost{30'000};
  constexpr milliseconds kPatience{300'000};  // who asks for more would rather not be asked
  const milliseconds asked = std::clamp(milliseconds(retry_ms.value_or(500)), kLeast, kPatience);
  return std::max(asked, std::min(asked * (1 << std::clamp(failures, 0, 10)), kMost));
}

}  // namespace sallyport::cli
