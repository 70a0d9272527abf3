// Coroutines: Task<T> runs on one worker's io_context and never leaves it; what is spawned takes its values by value and
// belongs to a TaskGroup, which can be cancelled and joined. Never `asio::detached` outside this header: it swallows
// exceptions. No lock is held over a co_await.
#pragma once

#include <exception>
#include <functional>
#include <list>
#include <utility>

#include "core/asio.h"
#include "core/result.h"

namespace sallyport {

using Executor = asio::io_context::executor_type;

template <class T>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> use_task{};
// Errors come as the first member of the awaited tuple instead of an exception:
// `auto [ec, n] = co_await socket.async_read_some(buffer, use_task_ec);`
inline constexpr auto use_task_ec = asio::as_tuple(use_task);

using SteadyTimer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

namespace detail {
using TurnHandler = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;
void join_turn(const Executor& executor, TurnHandler handler);
}  // namespace detail

// Lets everything that is ready on this worker run first; on its own thread only. Before a message is sent: under load all
// that one turn of the event loop produces goes out in one burst, and the peer is woken once instead of once a message
// (measured: a wake-up of a sleeping peer costs the sender more than all our stages). Who waits for the same turn goes on
// one after the other, by one handler of the loop.
inline auto after_this_turn(const Executor& executor) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>&, void()>(
      [](detail::TurnHandler handler, const Executor& ex) { detail::join_turn(ex, std::move(handler)); }, use_task,
      executor);
}

// Runs `task` on `executor` and resumes the caller on its own executor with the result: how another worker's state is
// reached (design, Threads). The task must own what it uses. An exception becomes Code::internal. Cancelling the caller
// does not cancel the task: Asio 1.81 posts a cancellation to another thread by a raw pointer to a signal that may be gone.
template <class T>
Task<Result<T>> run_on(Executor executor, Task<Result<T>> task) {
  auto [error, value] = co_await asio::co_spawn(
      executor, std::move(task), asio::bind_cancellation_slot(asio::cancellation_slot(), asio::as_tuple(use_task)));
  if (error) co_return fail(Code::internal, "exception in a task of another worker");
  co_return std::move(value);
}

// Tasks of one worker. Not thread-safe: spawn, cancel and join on the executor's thread. Destroy it only after join().
class TaskGroup {
 public:
  // `on_exception` gets the text of whatever a task let escape; it must not throw.
  TaskGroup(Executor executor, std::function<void(const char*)> on_exception);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  void spawn(Task<void> task);
  // Terminal cancellation of every task: their pending operations end with operation_aborted.
  void cancel();
  // Waits until the last task has ended.
  Task<void> join();
  [[nodiscard]] std::size_t size() const noexcept { return running_.size(); }
  [[nodiscard]] Executor executor() const noexcept { return executor_; }

 private:
  void ended(std::list<asio::cancellation_signal>::iterator task, const std::exception_ptr& error);

  Executor executor_;
  std::function<void(const char*)> on_exception_;
  std::list<asio::cancellation_signal> running_;
  SteadyTimer empty_;
};

}  // namespace sallyport
