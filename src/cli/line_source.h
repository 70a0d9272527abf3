// Inside cli only: lines of a descriptor (pipe, terminal or file) for a coroutine. A thread of its own reads, since
// epoll refuses files; at most 64 lines wait. One consumer, on the executor's thread.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "core/task.h"

namespace sallyport::cli {

class LineSource {
 public:
  static constexpr std::size_t kLineMax = 16U << 20;

  LineSource(Executor executor, int fd);
  ~LineSource();  // ends the thread, whatever the descriptor does
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  // The next line without its end; nothing: the descriptor ended. A line longer than kLineMax comes cut there.
  Task<std::optional<std::string>> next();

 private:
  static constexpr std::ptrdiff_t kWaiting = 64;
  void read_all();
  bool wait_readable();
  void take(std::string_view bytes, std::string& line);
  void hand_over(std::optional<std::string> line);

  Executor executor_;
  SteadyTimer arrived_;
  std::deque<std::optional<std::string>> lines_;
  std::counting_semaphore<kWaiting> room_{kWaiting};
  std::atomic<bool> stop_{false};
  int fd_;
  int wake_;
  std::thread thread_;
};

}  // namespace sallyport::cli
