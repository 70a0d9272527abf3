#include "control/passwords.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/password.h"

namespace sallyport::control {
namespace {

// Nice 10 and not SCHED_IDLE: with every core busy an admin must still get in, at about a tenth of a core.
void lower_priority() noexcept { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 10); }

}  // namespace

struct PasswordPool::Impl {
  // Called once: with true on a pool thread to do the work, with false to be told that it will never be done.
  using Job = std::function<void(bool)>;

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> queue;
  bool stopping = false;
  std::size_t queued_max = 0;
  std::vector<std::thread> threads;

  bool push(Job job) {
    const std::scoped_lock lock(mutex);
    if (stopping || queue.size() >= queued_max) return false;
    queue.push_back(std::move(job));
    wake.notify_one();
    return true;
  }

  void run() {
    ::prctl(PR_SET_NAME, "passwords");
    lower_priority();
    for (;;) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      Job job = std::move(queue.front());
      queue.pop_front();
      const bool work = !stopping;
      lock.unlock();
      job(work);
    }
  }

  // Runs `work` on a pool thread and resumes the caller on its own executor.
  template <class T>
  Task<Result<T>> submit(std::function<Result<T>()> work) {
    auto start = [this](auto handler, std::function<Result<T>()> task) {
      const auto executor = asio::get_associated_executor(handler);
      // std::function copies, a handler only moves: it is shared, and moved out where it is called, once.
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      auto deliver = [executor, shared, guard = asio::make_work_guard(executor)](Result<T> result) mutable {
        asio::post(executor, [shared = std::move(shared), result = std::move(result)]() mutable {
          std::move (*shared)(std::move(result));
        });
      };
      const bool taken = push([deliver, task = std::move(task)](bool go) mutable {
        deliver(go ? task() : Result<T>(fail(Code::draining, "password pool is stopping")));
      });
      if (!taken) deliver(fail(Code::rate_limited, "password queue is full"));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Result<T>)>(
        std::move(start), use_task, std::move(work));
  }
};

PasswordPool::PasswordPool(PasswordPoolLimits limits) : impl_(std::make_shared<Impl>()) {
  impl_->queued_max = std::clamp<std::size_t>(limits.queued_max, 1, 256);
  const std::size_t threads = std::clamp<std::size_t>(limits.threads, 1, 2);
  for (std::size_t i = 0; i < threads; ++i) impl_->threads.emplace_back([impl = impl_.get()] { impl->run(); });
}

PasswordPool::~PasswordPool() { stop(); }

void PasswordPool::stop() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_all();
  }
  for (std::thread& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

Task<Result<bool>> PasswordPool::verify(std::string hash, Secret password) {
  auto shared = std::make_shared<const Secret>(std::move(password));
  std::function<Result<bool>()> work = [hash = std::move(hash), shared]() -> Result<bool> {
    const bool known = !hash.empty();
    const bool equal =
        crypto::verify_password(known ? std::string_view(hash) : crypto::dummy_password_hash(), shared->reveal());
    return known && equal;
  };
  const auto impl = impl_;
  co_return co_await impl->submit<bool>(std::move(work));
}

Task<Result<std::string>> PasswordPool::hash(Secret password) {
  auto shared = std::make_shared<const Secret>(std::move(password));
  std::function<Result<std::string>()> work = [shared] { return crypto::hash_password(shared->reveal()); };
  const auto impl = impl_;
  co_return co_await impl->submit<std::string>(std::move(work));
}

}  // namespace sallyport::control
