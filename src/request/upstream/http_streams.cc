// The SSE half of HttpConnection: streams that answer a request, their resumption, and the GET stream.
#include <algorithm>

#include "request/upstream/codec.h"
#include "request/upstream/http_connection.h"
#include "request/upstream/notices.h"

namespace sallyport::upstream {
namespace {

constexpr int kResumesMax = 10;
constexpr std::chrono::hours kListenFor{1};
constexpr std::chrono::seconds kListenBackoffMax{60};

bool is_stream(const net::EgressStream& stream) { return stream.status() == 200 && is_event_stream(stream.head()); }

}  // namespace

Task<Result<Reply>> HttpConnection::read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events,
                                                CallRequests& requests) {
  HttpReading reading(message, events, server_->result_bytes_max,
                      {[&](Asked asked) { requests.ask(std::move(asked)); },
                       [&](const Incoming& in) {
                         if (in.method == kCancelled) requests.cancel(cancelled_request(in.params));
                         else if (events != nullptr && is_notice(in.method)) events->notification(in.method, in.params);
                       }});
  for (int resumes = 0;; ++resumes) {
    const auto end = co_await read_events(*stream, reading);
    if (reading.done()) co_return std::move(*reading.answer);
    if (!end && end.error().code != Code::upstream_unavailable) co_return fail(Error(end.error()));
    const std::string last_id = reading.last_id();
    if (last_id.empty() || resumes == kResumesMax)
      co_return fail(Code::upstream_unavailable, "the stream of " + server_->name + " ended before the answer");
    // MCP 2025-11-25, resumability: a GET with Last-Event-ID goes on with the same stream.
    SP_CO_TRY(stream, co_await resume(last_id, reading.retry(), message.deadline));
    reading.restart();
  }
}

Task<Result<void>> HttpConnection::read_events(net::EgressStream& stream, HttpReading& reading) {
  const OpenStreams::Entry here(streams_, &stream);
  while (!reading.done()) {
    SP_CO_TRY(const std::string bytes, co_await stream.read_some());
    if (bytes.empty()) break;
    SP_CO_CHECK(reading.feed(bytes));
  }
  co_return Result<void>{};
}

Task<Result<HttpConnection::StreamPtr>> HttpConnection::resume(std::string last_id, std::chrono::milliseconds wait,
                                                               SteadyTime deadline) {
  SteadyTimer timer(executor_, wait);
  co_await timer.async_wait(use_task_ec);
  if (end_) co_return fail(*end_);
  auto request = endpoint_.request("GET", {}, deadline);
  request.headers.emplace_back("Last-Event-ID", std::move(last_id));
  request.limits.body_bytes = kStreamBytesMax;
  SP_CO_TRY(StreamPtr stream, co_await endpoint_.egress().open(std::move(request)));
  if (is_stream(*stream)) co_return stream;
  co_return fail(Code::upstream_unavailable, "the stream of " + server_->name + " broke off and cannot be resumed");
}

void HttpConnection::listen() {
  if (listening_ || end_ || !settings_.http_listen) return;
  listening_ = true;
  tasks_.spawn(listen_loop());
}

Task<void> HttpConnection::listen_loop() {
  std::string last_id;
  std::chrono::milliseconds wait{1'000};
  while (!end_) {
    const SteadyTime began = deps_.clock.steady();
    std::optional<std::uint32_t> retry_ms;
    if (!co_await listen_once(last_id, retry_ms)) break;  // 405 and its like: the server offers no such stream
    const bool lasted = deps_.clock.steady() - began > std::chrono::seconds(10);
    wait = lasted ? std::chrono::milliseconds{1'000} : std::min<std::chrono::milliseconds>(wait * 2, kListenBackoffMax);
    const std::chrono::milliseconds asked{retry_ms.value_or(0)};
    SteadyTimer timer(executor_, std::clamp<std::chrono::milliseconds>(asked, wait, kListenBackoffMax));
    co_await timer.async_wait(use_task_ec);
  }
  listening_ = false;
}

Task<bool> HttpConnection::listen_once(std::string& last_id, std::optional<std::uint32_t>& retry_ms) {
  auto request = endpoint_.request("GET", {}, deps_.clock.steady() + kListenFor);
  if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
  request.limits.body_bytes = kStreamBytesMax;
  auto stream = co_await endpoint_.egress().open(std::move(request));
  if (!stream) co_return true;
  if (!is_stream(**stream)) co_return (*stream)->status() >= 500;
  const OpenStreams::Entry here(streams_, stream->get());
  net::SseReader sse(server_->result_bytes_max);
  std::string minified;
  for (;;) {
    const auto bytes = co_await (*stream)->read_some();
    if (!bytes || bytes->empty()) break;
    const auto fed = sse.feed(*bytes, [&](const net::SseEvent& event) { return on_unasked(event, minified); });
    if (!fed || end_) break;
  }
  last_id = sse.last_id();
  retry_ms = sse.retry_ms();
  co_return true;
}

// MCP, Streamable HTTP: what comes by GET should be unrelated to running requests. Servers ask there in the middle of a call
// nevertheless; where one call alone runs, it is the one.
bool HttpConnection::on_unasked(const net::SseEvent& event, std::string& minified) {
  const auto in = read_incoming(event.data, server_->result_bytes_max, minified);
  if (!in) return true;
  if (in->kind == Incoming::Kind::request) {
    if (calls_.size() == 1) calls_.front()->ask({std::string(in->raw_id), in->method, std::string(in->params)});
    else tell(legacy::answer(in->raw_id, answer_outside(*server_, in->method)));
  }
  if (in->kind == Incoming::Kind::notification && is_notice(in->method) && unsolicited_)
    unsolicited_(in->method, in->params);
  return !end_;
}

}  // namespace sallyport::upstream
