// The one thread of storage: coroutines hand it a function and resume on their own executor with the result, so that no
// worker ever waits for a disk. Functions run one at a time, in the order in which they came. `app` owns it and stops it
// after everything that may call it has been joined; what was handed over before stop() still runs.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <type_traits>

#include "core/task.h"

namespace sallyport::storage {

class StorageThread {
 public:
  StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;
  ~StorageThread() { stop(); }

  // `fn` returns a Result<T> and owns what it uses:
  //   co_await storage.run([&repository, user] { return repository.put_user(user); })
  // `draining` after stop(). An exception becomes `internal`.
  template <class F>
  Task<std::invoke_result_t<F>> run(F fn) {
    if (stopped_.load()) co_return fail(Code::draining, "storage has stopped");
    co_return co_await run_on(context_.get_executor(), on_thread(std::move(fn)));
  }

  // Without an answer: what is written behind. Dropped after stop(): flush before.
  void post(std::function<void()> fn);

  // Runs what is queued, then joins. Any thread but its own; twice is once.
  void stop();

 private:
  template <class F>
  static Task<std::invoke_result_t<F>> on_thread(F fn) {
    co_return fn();
  }

  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace sallyport::storage
