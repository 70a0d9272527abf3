#include "control/passwords.h"

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

#include "crypto/known_secrets.h"
#include "crypto/password.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kPasswordCharactersMin = 12;

// Nice 10 and not SCHED_IDLE: with every core busy an admin must still get in, at about a tenth of a core.
void lower_priority() noexcept { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 10); }

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_symbol(char c) noexcept { return !is_digit(c) && !is_lower(c) && !is_upper(c); }
// Of UTF-8, every byte but continuations.
constexpr bool starts_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::optional<std::string> password_problem(std::string_view password, std::string_view user_name) {
  using std::ranges::any_of;
  if (password.size() > crypto::kPasswordBytesMax) return "The password is longer than 1024 bytes";
  // First, so that a default is named as one: C8, S1-7.
  if (crypto::is_known_secret(password)) return "The password is a published default";
  if (std::ranges::count_if(password, starts_character) < static_cast<std::ptrdiff_t>(kPasswordCharactersMin)) {
    return "The password has fewer than 12 characters";
  }
  if (!any_of(password, is_upper) || !any_of(password, is_lower) || !any_of(password, is_digit) ||
      !any_of(password, is_symbol)) {
    return "The password needs an upper-case letter, a lower-case letter, a digit and a symbol";
  }
  if (std::ranges::any_of(password, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; })) {
    return "The password contains control characters";
  }
  std::string lower = lowered(password);
  const bool names_user = user_name.size() >= 4 && lower.find(lowered(user_name)) != std::string::npos;
  wipe(lower);
  if (names_user) return "The password contains the user name";
  return std::nullopt;
}

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
