#include "launcher/control_thread.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "launcher/control_socket.h"

namespace sallyport::launcher {
namespace {

constexpr int kLauncherEndMilliseconds = 15'000;

// `before` runs on the waiter's thread, unless it gave up: then nothing happens and the answer is false.
template <class W, class F>
bool resume(const std::shared_ptr<W>& waiter, F before) {
  const std::lock_guard lock(waiter->mutex);
  if (waiter->abandoned) return false;
  asio::post(waiter->executor, [waiter, before = std::move(before)] {
    before(*waiter);
    waiter->done = true;
    if (waiter->timer) waiter->timer->cancel();
  });
  return true;
}

// A start that ended well. Its caller's own Child, if it is gone already, has queued the kill.
void deliver(const std::shared_ptr<StartWaiter>& waiter) { resume(waiter, [](StartWaiter&) {}); }

void deliver_error(const std::shared_ptr<StartWaiter>& waiter, Error error) {
  resume(waiter, [error = std::move(error)](StartWaiter& w) { w.error = error; });
}

void wait_for_end(pid_t pid) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{process.get(), POLLIN, 0};
  // Killed by force its supervisors still take their servers down (parent-death signal).
  if (process && ::poll(&ended, 1, kLauncherEndMilliseconds) == 0) ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

void end_child(ChildState& child, Result<ExitStatus> result) {
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(child.mutex);
    if (child.ended) return;
    child.ended = std::move(result);
    waiters.swap(child.waiters);
  }
  for (const auto& waiter : waiters) resume(waiter, [](Waiter&) {});
}

ControlThread::ControlThread(Fd socket, pid_t launcher, Hello hello)
    : socket_(std::move(socket)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), launcher_(launcher), hello_(std::move(hello)) {
  ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

ControlThread::~ControlThread() { shut_down(); }

bool ControlThread::alive() const noexcept {
  // Peeks: end of file says that the launcher is gone, also before the thread runs.
  char byte = 0;
  const ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void ControlThread::start(std::shared_ptr<StartWaiter> waiter, std::string message, std::array<Fd, 3> fds) {
  enqueue(Outgoing{std::move(message), std::move(fds), 3}, std::move(waiter));
}

void ControlThread::post(const Request& request) {
  if (auto bytes = encode(request)) enqueue(Outgoing{std::move(*bytes), {}, 0}, nullptr);
}

void ControlThread::enqueue(Outgoing message, std::shared_ptr<StartWaiter> waiter) {
  std::optional<Error> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = lost_;
    if (!lost) {
      if (waiter) starting_.emplace(waiter->child->id, waiter);
      queue_.push_back(std::move(message));
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
  }
  if (lost) {
    wipe(message.bytes);
    if (waiter) deliver_error(waiter, *lost);
    return;
  }
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

void ControlThread::run() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are for the main thread
  while (!stopping_) {
    const short interest = sending_ ? POLLIN | POLLOUT : POLLIN;
    pollfd fds[2] = {{socket_.get(), interest, 0}, {wake_.get(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    std::uint64_t count = 0;
    if (fds[1].revents != 0) static_cast<void>(!::read(wake_.get(), &count, sizeof count));
    if (stopping_) break;
    if (!send_queued() || ((fds[0].revents & ~POLLOUT) != 0 && !receive())) {
      lost(Code::upstream_unavailable, "the launcher process is gone");
      return;
    }
  }
  lost(Code::cancelled, "the launcher is shut down");
}

// Never blocks: were both ends to wait for room, neither would read.
bool ControlThread::send_queued() {
  for (;;) {
    if (!sending_) {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return true;
      sending_ = std::move(queue_.front());
      queue_.pop_front();
    }
    const int fds[3] = {sending_->fds[0].get(), sending_->fds[1].get(), sending_->fds[2].get()};
    const auto sent = send_packet(socket_.get(), sending_->bytes, std::span(fds, sending_->fd_count));
    if (sent && !*sent) return true;
    wipe(sending_->bytes);
    sending_.reset();
    if (!sent) return false;
  }
}

bool ControlThread::receive() {
  auto packet = receive_packet(socket_.get());
  if (!packet) return packet.error().code != Code::io;
  const auto reply = decode_reply(packet->bytes);
  if (!reply) return false;  // not our launcher any more
  if (const auto* started = std::get_if<Started>(&*reply)) on_started(*started);
  if (const auto* refused = std::get_if<Refused>(&*reply)) on_refused(*refused);
  if (const auto* exited = std::get_if<Exited>(&*reply)) on_exited(*exited);
  return true;
}

std::shared_ptr<StartWaiter> ControlThread::take_waiter(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  auto node = starting_.extract(id);
  return node ? std::move(node.mapped()) : nullptr;
}

void ControlThread::on_started(const Started& started) {
  auto waiter = take_waiter(started.id);
  if (!waiter) return;
  waiter->child->pid = started.pid;
  running_.emplace(started.id, waiter->child);
  deliver(waiter);
}

void ControlThread::on_refused(const Refused& refused) {
  if (auto waiter = take_waiter(refused.id)) deliver_error(waiter, refused.error);
}

void ControlThread::on_exited(const Exited& exited) {
  auto node = running_.extract(exited.id);
  if (node) end_child(*node.mapped(), exited.status);
}

void ControlThread::lost(Code code, const char* why) {
  std::map<std::uint64_t, std::shared_ptr<StartWaiter>> starting;
  {
    const std::lock_guard lock(mutex_);
    lost_ = Error{code, why};
    starting.swap(starting_);
    for (Outgoing& message : queue_) wipe(message.bytes);
    queue_.clear();
  }
  for (auto& [id, waiter] : starting) deliver_error(waiter, Error{code, why});
  for (auto& [id, child] : running_) end_child(*child, fail(code, why));
  running_.clear();
  if (sending_) wipe(sending_->bytes);
  sending_.reset();
}

void ControlThread::shut_down() {
  if (launcher_ <= 0) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    if (!lost_) lost_ = Error{Code::cancelled, "the launcher is shut down"};
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
  socket_.reset();
  wait_for_end(std::exchange(launcher_, 0));
}

}  // namespace sallyport::launcher
