// The SSE half of HttpConnection: streams that answer a request, their resumption, and the GET stream.
#include <algorithm>

#include "request/upstream/codec.h"
#include "request/upstream/http_reading.h"
#include "request/upstream/notices.h"

namespace sallyport::upstream {
namespace {

constexpr int kResumesMax = 10;
constexpr std::uint64_t kListenBytesMax = 1ULL << 30;
constexpr std::chrono::hours kListenFor{1};
constexpr std::chrono::seconds kListenBackoffMax{60};

// Enters an open stream where abandon() finds it.
class Enlisted {
 public:
  Enlisted(std::set<net::EgressStream*>& all, net::EgressStream* stream) : all_(all), stream_(stream) {
    all_.insert(stream);
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;
  ~Enlisted() { all_.erase(stream_); }

 private:
  std::set<net::EgressStream*>& all_;
  net::EgressStream* stream_;
};

bool is_stream(const net::EgressStream& stream) {
  return stream.status() == 200 && stream.head().find("content-type").value_or("").starts_with("text/event-stream");
}

}  // namespace

Task<Result<Reply>> HttpConnection::read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events) {
  Reading reading(message, events, server_->result_bytes_max);
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

Task<Result<void>> HttpConnection::read_events(net::EgressStream& stream, Reading& reading) {
  const Enlisted here(streams_, &stream);
  while (!reading.done()) {
    SP_CO_TRY(const std::string bytes, co_await stream.read_some());
    if (bytes.empty()) break;
    SP_CO_CHECK(reading.feed(bytes));
    co_await answer_requests(reading);
  }
  co_return Result<void>{};
}

Task<void> HttpConnection::answer_requests(Reading& reading) {
  for (auto& asked : std::exchange(reading.asked, {})) {
    Reply reply{false, "{}"};
    if (asked.method != "ping") {
      if (reading.events() != nullptr)
        reply = co_await reading.events()->on_request(asked.method, std::move(asked.params));
      else reply = method_not_found(asked.method);
    }
    tell(legacy::answer(asked.raw_id, reply));
  }
}

Task<Result<HttpConnection::StreamPtr>> HttpConnection::resume(std::string last_id, std::chrono::milliseconds wait,
                                                               SteadyTime deadline) {
  SteadyTimer timer(executor_, wait);
  co_await timer.async_wait(use_task_ec);
  if (end_) co_return fail(*end_);
  auto request = http("GET", {}, deadline);
  request.headers.emplace_back("Last-Event-ID", std::move(last_id));
  request.limits.body_bytes = kListenBytesMax;
  SP_CO_TRY(StreamPtr stream, co_await deps_.egress->open(std::move(request)));
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
  auto request = http("GET", {}, deps_.clock.steady() + kListenFor);
  if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
  request.limits.body_bytes = kListenBytesMax;
  auto stream = co_await deps_.egress->open(std::move(request));
  if (!stream) co_return true;
  if (!is_stream(**stream)) co_return (*stream)->status() >= 500;
  const Enlisted here(streams_, stream->get());
  net::SseReader sse(server_->result_bytes_max);
  std::string minified;
  for (;;) {
    const auto bytes = co_await (*stream)->read_some();
    if (!bytes || bytes->empty()) break;
    const auto fed = sse.feed(*bytes, [&](const net::SseEvent& event) {
      const auto in = read_incoming(event.data, server_->result_bytes_max, minified);
      if (!in) return true;
      if (in->kind == Incoming::Kind::request)
        tell(legacy::answer(in->raw_id, in->method == "ping" ? Reply{false, "{}"} : method_not_found(in->method)));
      if (in->kind == Incoming::Kind::notification && is_notice(in->method) && unsolicited_)
        unsolicited_(in->method, in->params);
      return !end_;
    });
    if (!fed || end_) break;
  }
  last_id = sse.last_id();
  retry_ms = sse.retry_ms();
  co_return true;
}

}  // namespace sallyport::upstream
