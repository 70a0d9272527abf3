#include "core/task.h"

#include <cassert>

namespace sallyport {

TaskGroup::TaskGroup(Executor executor, std::function<void(const char*)> on_exception)
    : executor_(executor), on_exception_(std::move(on_exception)), empty_(executor, SteadyTimer::time_point::max()) {}

TaskGroup::~TaskGroup() { assert(running_.empty() && "join() a TaskGroup before it goes"); }

void TaskGroup::spawn(Task<void> task) {
  const auto entry = running_.emplace(running_.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(entry->slot(), [this, entry](const std::exception_ptr& error) {
                   ended(entry, error);
                 }));
}

void TaskGroup::ended(std::list<asio::cancellation_signal>::iterator task, const std::exception_ptr& error) {
  if (error) {
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
      if (e.code() != asio::error::operation_aborted) on_exception_(e.what());
    } catch (const std::exception& e) {
      on_exception_(e.what());
    } catch (...) {
      on_exception_("unknown exception");
    }
  }
  running_.erase(task);
  if (running_.empty()) empty_.cancel();
}

void TaskGroup::cancel() {
  // A cancelled task may end, and leave the list, while its signal is emitted: step first. It may also spawn, at the end.
  for (auto it = running_.begin(); it != running_.end();) (it++)->emit(asio::cancellation_type::terminal);
}

Task<void> TaskGroup::join() {
  while (!running_.empty()) co_await empty_.async_wait(use_task_ec);
}

}  // namespace sallyport
