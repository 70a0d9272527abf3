#include "request/upstream/outbox.h"

namespace sallyport::upstream {

Outbox::Outbox(Executor executor, int fd, std::size_t bytes_max)
    : pipe_(executor, fd), wake_(executor, SteadyTimer::time_point::max()), bytes_max_(bytes_max) {
  pipe_.non_blocking(true);  // else write_some polls until the child reads
}

Result<void> Outbox::push(std::string message) {
  if (!open_) return fail(Code::upstream_unavailable, "the server's input is closed");
  if (bytes_ + message.size() + 1 > bytes_max_) return fail(Code::limit, "the server does not read its input");
  message += '\n';
  bytes_ += message.size();
  const bool idle = queue_.empty();
  queue_.push_back(std::move(message));
  if (!idle) return {};
  // At once, without a round through the reactor: the common case.
  boost::system::error_code ec;
  const std::size_t n = pipe_.write_some(asio::buffer(queue_.front()), ec);
  if (!ec) written(n);
  else if (ec != asio::error::would_block && ec != asio::error::try_again) close();
  if (!open_) return fail(Code::upstream_unavailable, "the server closed its input");
  if (!queue_.empty()) wake_.cancel();
  return {};
}

void Outbox::written(std::size_t bytes) {
  bytes_ -= bytes;
  front_done_ += bytes;
  if (front_done_ < queue_.front().size()) return;
  queue_.pop_front();
  front_done_ = 0;
}

Task<void> Outbox::run() {
  while (open_) {
    if (queue_.empty()) {
      co_await wake_.async_wait(use_task_ec);
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
      continue;
    }
    const auto [ec, n] = co_await pipe_.async_write_some(asio::buffer(queue_.front()) + front_done_, use_task_ec);
    if (!open_) co_return;
    if (ec) co_return close();
    written(n);
  }
}

void Outbox::close() {
  open_ = false;
  boost::system::error_code ignored;
  pipe_.close(ignored);  // before the queue goes: a write may still point into it
  queue_.clear();
  bytes_ = 0;
  wake_.cancel();
}

}  // namespace sallyport::upstream
