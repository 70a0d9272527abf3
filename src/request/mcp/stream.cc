#include "request/mcp/stream.h"

#include "net/sse.h"

namespace sallyport::mcp {

net::Headers sse_headers() {
  return {
      {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
}

EventStream::EventStream(Executor executor, net::ServerExchange& exchange)
    : executor_(executor),
      exchange_(&exchange),
      wake_(executor, SteadyTimer::time_point::max()),
      ended_(executor, SteadyTimer::time_point::max()) {}

EventStream::EventStream(Executor executor, std::shared_ptr<EventLog> log)
    : executor_(executor),
      exchange_(nullptr),
      log_(std::move(log)),
      wake_(executor, SteadyTimer::time_point::max()),
      ended_(executor, SteadyTimer::time_point::max()) {}

void EventStream::start() {
  if (pumping_ || closed_ || !start_) return;
  pumping_ = true;
  if (log_) number_ = log_->open(shared_from_this());
  std::exchange(start_, nullptr)();
}

// At once where we are on its worker already: an answer read from the same bytes as the last event, and awaited without a
// detour, would otherwise end the stream before a posted event arrives.
void EventStream::push(std::string message) {
  asio::dispatch(executor_, [self = shared_from_this(), message = std::move(message)]() mutable {
    self->push_here(std::move(message), false);
  });
}

void EventStream::push_here(std::string message, bool last) {
  start();
  if (exchange_ == nullptr) return log_->deliver(std::move(message));
  if (number_ != 0) return log_->append(number_, std::move(message), last);
  queue({.id = {}, .data = std::make_shared<const std::string>(std::move(message)), .last = last});
}

void EventStream::take(Event event) {
  asio::post(executor_,
             [self = shared_from_this(), event = std::move(event)]() mutable { self->queue(std::move(event)); });
}

void EventStream::queue(Event event) {
  if (closed_ || broken_) return;
  if (event.data) queued_bytes_ += event.data->size();
  if (event.last) closed_ = true;
  if (queued_bytes_ > kStreamQueueBytes && !event.last) {  // an answer may be larger; there is one
    broken_ = true;
  } else {
    queue_.push_back(std::move(event));
  }
  wake_.cancel();
}

void EventStream::close() {
  asio::post(executor_, [self = shared_from_this()] {
    self->closed_ = true;
    self->wake_.cancel();
  });
}

bool EventStream::settle() {
  if (opened()) return true;
  closed_ = true;  // an event that is still on its way comes too late
  start_ = nullptr;
  return false;
}

Task<void> EventStream::finish(std::string answer) {
  const auto self = shared_from_this();
  push_here(std::move(answer), true);
  while (pumping_) co_await ended_.async_wait(use_task_ec);
}

Task<Result<void>> EventStream::write_queued() {
  std::string bytes;
  while (!queue_.empty()) {
    const Event event = std::move(queue_.front());
    queue_.pop_front();
    if (!event.data) {
      SP_CO_CHECK(net::append_poll_event(bytes, event.id, kRetryMs));
      continue;
    }
    queued_bytes_ -= event.data->size();
    if (!preface_.empty()) bytes += "event: message\n";
    SP_CO_CHECK(net::append_event(bytes, *event.data, event.id));
  }
  co_return co_await exchange_->write(bytes);
}

// However pump() ends: whoever waits for it goes on, and the log sends nothing here any more.
struct EventStream::Ended {
  EventStream& stream;
  ~Ended() {
    stream.closed_ = true;
    stream.pumping_ = false;
    stream.ended_.cancel();
    if (stream.log_) stream.log_->detach(stream);
  }
};

Task<void> EventStream::pump(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive) {
  const auto self = shared_from_this();
  pumping_ = true;
  const Ended ended{*this};
  co_await pump_on(std::move(headers), eagerly, keep_alive);
}

Task<void> EventStream::pump_on(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive) {
  while (!broken_ && !(closed_ && queue_.empty())) {
    if (!started_ && (eagerly || !queue_.empty())) {
      started_ = true;
      broken_ = !co_await exchange_->start_stream(200, std::move(headers));
      if (!broken_ && !preface_.empty()) broken_ = !co_await exchange_->write(preface_);
      continue;
    }
    if (!queue_.empty()) {
      broken_ = !co_await write_queued() || broken_;
      continue;
    }
    wake_.expires_after(keep_alive);
    const auto [woken] = co_await wake_.async_wait(use_task_ec);
    if (woken || closed_ || !queue_.empty()) continue;
    if (!started_) {
      eagerly = true;  // a long call: open the stream, so that nothing between us and the client gives up
    } else {
      broken_ = !co_await exchange_->write(net::kKeepAliveComment);
    }
  }
}

}  // namespace sallyport::mcp
