// A thread beside the workers, for questions that people ask now and then and that may take long (why a call was refused): no
// request waits for them. One after the other, 16 at most with those that wait. One a process; any worker awaits on it and is resumed
// on its own executor. stop() before the workers' io_contexts go.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "core/task.h"

namespace sallyport {

class Aside {
 public:
  static constexpr int kAtOnce = 16;

  Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside();

  // `work` owns what it uses. Code::rate_limited: 16 are there already; else what it returns.
  template <class T>
  Task<Result<T>> run(std::function<Result<T>()> work) {
    const Place place(taken_);
    if (!place.free) co_return fail(Code::rate_limited, "too many questions wait");
    co_return co_await run_on<T>(io_.get_executor(), done<T>(std::move(work)));
  }

  // What runs ends, what waits is never answered. Idempotent.
  void stop();

 private:
  struct Place {
    explicit Place(std::atomic<int>& of) : taken(of), free(of.fetch_add(1) < kAtOnce) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { --taken; }
    std::atomic<int>& taken;
    bool free;
  };
  template <class T>
  static Task<Result<T>> done(std::function<Result<T>()> work) {
    co_return work();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> open_;
  std::atomic<int> taken_{0};
  std::thread thread_;
};

}  // namespace sallyport
