// The gateway's end of the control socket: one small thread that alone reads and writes it, so that no worker blocks and
// results reach each caller on its own executor. Started with the first server. Internal to the launcher module.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/task.h"
#include "launcher/fd.h"
#include "launcher/launcher.h"
#include "launcher/protocol.h"

namespace sallyport::launcher {

// A coroutine asleep until another thread posts to its executor. Once it has given up (cancelled, or its frame was
// destroyed with its io_context) nothing of it touches that executor again: the mutex guards `abandoned` and `timer`.
struct Waiter {
  explicit Waiter(Executor where) : executor(where), timer(std::in_place, where, SteadyTimer::time_point::max()) {}
  Executor executor;
  std::mutex mutex;
  std::optional<SteadyTimer> timer;
  bool abandoned = false;
  bool done = false;  // the executor's thread only
};

// In the frame of the coroutine that waits.
class Abandon {
 public:
  explicit Abandon(std::shared_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
  Abandon(const Abandon&) = delete;
  Abandon& operator=(const Abandon&) = delete;
  ~Abandon() {
    const std::lock_guard lock(waiter_->mutex);
    waiter_->abandoned = true;
    waiter_->timer.reset();
  }

 private:
  std::shared_ptr<Waiter> waiter_;
};

// What is known of one server; shared by its Child and the control thread.
struct ChildState {
  std::uint64_t id = 0;
  Confinement confinement = Confinement::rlimits;
  std::weak_ptr<ControlThread> control;
  std::atomic<int> pid{0};
  std::mutex mutex;  // guards the two below; never held over a wait
  std::optional<Result<ExitStatus>> ended;
  std::vector<std::shared_ptr<Waiter>> waiters;
};

struct StartWaiter : Waiter {
  using Waiter::Waiter;
  std::shared_ptr<ChildState> child;
  std::optional<Error> error;
};

class ControlThread : public std::enable_shared_from_this<ControlThread> {
 public:
  ControlThread(Fd socket, pid_t launcher, Hello hello);
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  std::uint64_t next_id() noexcept { return next_id_.fetch_add(1); }
  // Queues a start; `waiter` is resumed with its outcome. `fds` go with the message and are closed here.
  void start(std::shared_ptr<StartWaiter> waiter, std::string message, std::array<Fd, 3> fds);
  void post(const Request& request);  // stop and kill
  // Ends the thread and the launcher process with all it started; what still waits gets Code::cancelled.
  void shut_down();

  [[nodiscard]] pid_t launcher() const noexcept { return launcher_; }
  [[nodiscard]] const Hello& hello() const noexcept { return hello_; }
  [[nodiscard]] bool alive() const noexcept;

 private:
  struct Outgoing {
    std::string bytes;
    std::array<Fd, 3> fds;
    std::size_t fd_count = 0;
  };

  void enqueue(Outgoing message, std::shared_ptr<StartWaiter> waiter);
  void run();
  bool send_queued();
  bool receive();
  void on_started(const Started& started);
  void on_refused(const Refused& refused);
  void on_exited(const Exited& exited);
  std::shared_ptr<StartWaiter> take_waiter(std::uint64_t id);
  void lost(Code code, const char* why);

  Fd socket_;
  Fd wake_;
  pid_t launcher_;
  Hello hello_;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards what follows, up to the thread
  std::deque<Outgoing> queue_;
  std::map<std::uint64_t, std::shared_ptr<StartWaiter>> starting_;
  std::optional<Error> lost_;
  std::thread thread_;

  // Control thread only.
  std::optional<Outgoing> sending_;  // waits for room in the socket
  std::map<std::uint64_t, std::shared_ptr<ChildState>> running_;
};

// Resumes every waiter of `child` with `result`, once.
void end_child(ChildState& child, Result<ExitStatus> result);

}  // namespace sallyport::launcher
