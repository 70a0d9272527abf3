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

#include "core/limit_address.h"
#include "crypto/password.h"

namespace sallyport::control {
namespace {

// As many as Lockout looks at side by side for one account and address (LockoutLimits::account_free), so that it is felt
// by those alone who come from several.
constexpr std::size_t kWaitingOfAccount = 5;

// Nice 10 and not SCHED_IDLE: with every core busy the pool still gets about a tenth of one.
void lower_priority() noexcept { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 10); }

}  // namespace

struct PasswordPool::Impl {
  // Called once: with true on a pool thread to do the work, with false to be told that it will never be done.
  using Job = std::function<void(bool)>;

  struct Queued {
    Job job;
    std::string whose;  // a stranger's address, or an account
  };

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Queued> known;
  std::deque<Queued> strangers;
  bool stopping = false;
  std::size_t queued_max = 0;
  std::vector<std::thread> threads;

  bool push(Job job, PasswordTurn turn) {
    const std::scoped_lock lock(mutex);
    std::deque<Queued>& queue = turn.stranger ? strangers : known;
    if (stopping || queue.size() >= queued_max) return false;
    std::string whose = turn.stranger ? limit_address(turn.address) : std::move(turn.account);
    const std::size_t share = turn.stranger ? 1 : whose.empty() ? queued_max : kWaitingOfAccount;
    if (static_cast<std::size_t>(std::ranges::count(queue, whose, &Queued::whose)) >= share) return false;
    queue.push_back({std::move(job), std::move(whose)});
    wake.notify_one();
    return true;
  }

  void run() {
    ::prctl(PR_SET_NAME, "passwords");
    lower_priority();
    for (;;) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || !known.empty() || !strangers.empty(); });
      std::deque<Queued>& queue = known.empty() ? strangers : known;
      if (queue.empty()) return;
      const Job job = std::move(queue.front().job);
      queue.pop_front();
      const bool work = !stopping;
      lock.unlock();
      job(work);
    }
  }

  // Runs `work` on a pool thread and resumes the caller on its own executor.
  template <class T>
  Task<Result<T>> submit(std::function<Result<T>()> work, PasswordTurn turn) {
    auto start = [this](auto handler, std::function<Result<T>()> task, PasswordTurn whose) {
      const auto executor = asio::get_associated_executor(handler);
      // std::function copies, a handler only moves: it is shared, and moved out where it is called, once.
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      auto deliver = [executor, shared, guard = asio::make_work_guard(executor)](Result<T> result) mutable {
        asio::post(executor, [shared = std::move(shared), result = std::move(result)]() mutable {
          std::move (*shared)(std::move(result));
        });
      };
      Job job = [deliver, task = std::move(task)](bool go) mutable {
        deliver(go ? task() : Result<T>(fail(Code::draining, "password pool is stopping")));
      };
      const bool taken = push(std::move(job), std::move(whose));
      if (!taken) deliver(fail(Code::rate_limited, "password queue is full"));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Result<T>)>(
        std::move(start), use_task, std::move(work), std::move(turn));
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

Task<Result<bool>> PasswordPool::verify(std::string hash, Secret password, PasswordTurn turn) {
  auto shared = std::make_shared<const Secret>(std::move(password));
  std::function<Result<bool>()> work = [hash = std::move(hash), shared]() -> Result<bool> {
    const bool known = !hash.empty();
    const bool equal =
        crypto::verify_password(known ? std::string_view(hash) : crypto::dummy_password_hash(), shared->reveal());
    return known && equal;
  };
  const auto impl = impl_;
  co_return co_await impl->submit<bool>(std::move(work), std::move(turn));
}

Task<Result<std::string>> PasswordPool::hash(Secret password, PasswordTurn turn) {
  auto shared = std::make_shared<const Secret>(std::move(password));
  std::function<Result<std::string>()> work = [shared] { return crypto::hash_password(shared->reveal()); };
  const auto impl = impl_;
  co_return co_await impl->submit<std::string>(std::move(work), std::move(turn));
}

}  // namespace sallyport::control
