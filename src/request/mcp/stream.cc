#include "request/mcp/stream.h"

#include "net/sse.h"

namespace sallyport::mcp {

net::Headers sse_headers() {
  return {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
}

EventStream::EventStream(Executor executor, net::ServerExchange& exchange)
    : executor_(executor),
      exchange_(exchange),
      wake_(executor, SteadyTimer::time_point::max()),
      ended_(executor, SteadyTimer::time_point::max()) {}

void EventStream::start() {
  if (pumping_ || closed_ || !start_) return;
  pumping_ = true;
  std::exchange(start_, nullptr)();
}

Task<bool> EventStream::seal() {
  closed_ = true;
  start_ = nullptr;
  if (!pumping_) co_return false;
  wake_.cancel();
  const auto self = shared_from_this();
  while (pumping_) co_await ended_.async_wait(use_task_ec);
  co_return true;
}

// At once where we are on its worker already: an answer read from the same bytes as the last event, and awaited without a
// detour, would otherwise seal the stream before a posted event arrives.
void EventStream::push(std::string message) {
  asio::dispatch(executor_, [self = shared_from_this(), message = std::move(message)]() mutable {
    self->push_here(std::move(message));
  });
}

void EventStream::push_here(std::string message) {
  if (closed_ || broken_) return;
  queued_bytes_ += message.size();
  if (queued_bytes_ > kStreamQueueBytes) {
    broken_ = true;
  } else {
    queue_.push_back(std::move(message));
  }
  start();
  wake_.cancel();
}

void EventStream::close() {
  asio::post(executor_, [self = shared_from_this()] {
    self->closed_ = true;
    self->wake_.cancel();
  });
}

Task<Result<void>> EventStream::write_queued() {
  std::string bytes;
  while (!queue_.empty()) {
    SP_CO_CHECK(net::append_event(bytes, queue_.front()));
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
  }
  co_return co_await exchange_.write(bytes);
}

Task<void> EventStream::pump(net::Headers headers, bool eagerly, std::chrono::milliseconds keep_alive) {
  const auto self = shared_from_this();
  pumping_ = true;
  while (!broken_ && !(closed_ && queue_.empty())) {
    if (!started_ && (eagerly || !queue_.empty())) {
      started_ = true;
      broken_ = !co_await exchange_.start_stream(200, std::move(headers));
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
      broken_ = !co_await exchange_.write(net::kKeepAliveComment);
    }
  }
  closed_ = true;
  pumping_ = false;
  ended_.cancel();
}

}  // namespace sallyport::mcp
