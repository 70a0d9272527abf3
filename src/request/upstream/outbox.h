// What waits to be written to a child's stdin. A child that does not read must neither block the worker nor deadlock
// with its own full stdout (mcp-spec.md, 10, trap 14): messages queue here up to a cap of bytes, the reader goes on by
// itself. One worker; run() is a task of the owner's group, and ends by cancellation, by close(), or when the pipe
// breaks.
#pragma once

#include <deque>
#include <string>

#include "core/task.h"

namespace sallyport::upstream {

class Outbox {
 public:
  using Pipe = asio::posix::basic_stream_descriptor<Executor>;

  // `fd` is non-blocking; owned from here on.
  Outbox(Executor executor, int fd, std::size_t bytes_max);

  // Queues one message and its LF, written at once where the pipe has room. Errors: upstream_unavailable (closed or
  // broken), limit (the child does not read its input).
  Result<void> push(std::string message);
  Task<void> run();
  void close();
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return bytes_; }

 private:
  void written(std::size_t bytes);

  Pipe pipe_;
  SteadyTimer wake_;
  std::size_t bytes_max_;
  std::deque<std::string> queue_;
  std::size_t front_done_ = 0;  // bytes of the first message that are written
  std::size_t bytes_ = 0;
  bool open_ = true;
};

}  // namespace sallyport::upstream
