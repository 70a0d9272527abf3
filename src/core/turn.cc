#include "core/task.h"

#include <memory>
#include <vector>

namespace sallyport::detail {
namespace {

struct Turn {
  asio::io_context* loop = nullptr;
  bool open = true;  // may still be joined
  std::size_t next = 0;
  std::vector<TurnHandler> waiting;
};

// In the loop's queue; where the loop ends without it, so do those who waited.
class Runner {
 public:
  explicit Runner(std::shared_ptr<Turn> turn) noexcept : turn_(std::move(turn)) {}
  Runner(Runner&&) noexcept = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() {
    if (!turn_) return;
    turn_->open = false;
    turn_->waiting.clear();
  }

  void operator()() {
    const auto turn = std::move(turn_);
    turn->open = false;  // who comes from now on waits for the next
    while (turn->next < turn->waiting.size()) {
      TurnHandler handler = std::move(turn->waiting[turn->next++]);
      try {
        std::move(handler)();
      } catch (...) {  // the loop's affair; the others are not to wait for ever
        asio::post(*turn->loop, Runner(turn));
        throw;
      }
    }
  }

 private:
  std::shared_ptr<Turn> turn_;
};

thread_local std::shared_ptr<Turn>
    current;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): of the thread's loop

}  // namespace

void join_turn(const Executor& executor, TurnHandler handler) {
  auto& loop = executor.context();
  if (!current || !current->open || current->loop != &loop) {
    current = std::make_shared<Turn>(&loop);
    asio::post(executor, Runner(current));
  }
  current->waiting.push_back(std::move(handler));
}

}  // namespace sallyport::detail
