#include "cli/line_source.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sallyport::cli {

LineSource::LineSource(Executor executor, int fd)
    : executor_(executor),
      arrived_(executor, SteadyTimer::time_point::max()),
      fd_(fd),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { read_all(); });
}

LineSource::~LineSource() {
  stop_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
  room_.release();
  thread_.join();
  ::close(wake_);
}

Task<std::optional<std::string>> LineSource::next() {
  while (lines_.empty()) {
    auto [ec] = co_await arrived_.async_wait(use_task_ec);
    if (ec && lines_.empty() &&
        (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
      co_return std::nullopt;
    }
  }
  std::optional<std::string> line = std::move(lines_.front());
  if (!line) co_return std::nullopt;  // stays in front: the end is the end
  lines_.pop_front();
  room_.release();
  co_return line;
}

bool LineSource::wait_readable() {
  std::array<pollfd, 2> fds{{{fd_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return !stop_;
}

void LineSource::hand_over(std::optional<std::string> line) {
  room_.acquire();
  if (stop_) return;
  asio::post(executor_, [this, line = std::move(line)]() mutable {
    lines_.push_back(std::move(line));
    arrived_.cancel();
  });
}

void LineSource::take(std::string_view bytes, std::string& line) {
  while (!bytes.empty() && !stop_) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view part = bytes.substr(0, end);
    line.append(part.substr(0, kLineMax > line.size() ? kLineMax - line.size() : 0));
    if (end == bytes.size()) return;
    bytes.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) hand_over(std::move(line));
    line.clear();
  }
}

void LineSource::read_all() {
  std::string line;
  std::string buffer(64U << 10, '\0');
  while (wait_readable()) {
    const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) break;
    take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)), line);
  }
  if (stop_) return;
  if (!line.empty()) hand_over(std::move(line));
  hand_over(std::nullopt);
}

}  // namespace sallyport::cli
