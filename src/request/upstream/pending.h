// The calls of one connection that wait for an answer, by the id that we minted. Each Slot lives in the frame of its
// waiting coroutine and takes itself out when that ends, however it ends. One worker.
#pragma once

#include <map>
#include <optional>

#include "request/upstream/connection.h"

namespace sallyport::upstream {

class PendingCalls {
 public:
  class Slot {
   public:
    Slot(PendingCalls& calls, Executor executor, const Outgoing& message, CallEvents* events)
        : id(message.id),
          deadline(message.deadline),
          wants_progress(message.wants_progress),
          events(events),
          calls_(calls),
          wake_(executor, SteadyTimer::time_point::max()) {
      calls_.slots_.emplace(id, this);
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { calls_.slots_.erase(id); }

    // Returns when there is an answer, or when the waiting coroutine is cancelled (then there is none).
    Task<void> wait() {
      if (!answer_) co_await wake_.async_wait(use_task_ec);
    }
    void answer(Result<Reply> reply) {
      if (answer_) return;  // the first one counts
      answer_ = std::move(reply);
      wake_.cancel();
    }
    [[nodiscard]] std::optional<Result<Reply>>& answered() noexcept { return answer_; }

    const std::uint64_t id;
    const SteadyTime deadline;
    const bool wants_progress;
    CallEvents* const events;

   private:
    PendingCalls& calls_;
    SteadyTimer wake_;
    std::optional<Result<Reply>> answer_;
  };

  // Null where no call waits under that id any more; one that has its answer is as good as gone.
  [[nodiscard]] Slot* find(std::uint64_t id) const {
    const auto found = slots_.find(id);
    return found == slots_.end() || found->second->answered() ? nullptr : found->second;
  }
  // The call in flight, if there is exactly one: what cannot be attributed otherwise belongs to it.
  [[nodiscard]] Slot* only() const { return slots_.size() == 1 ? find(slots_.begin()->first) : nullptr; }
  void fail_all(const Error& why) {
    for (const auto& [id, slot] : slots_) slot->answer(fail(why));
  }
  // Calls fn(slot) for each call whose deadline has passed and that has no answer.
  template <class Fn>
  void expire(SteadyTime now, Fn&& fn) {
    for (const auto& [id, slot] : slots_)
      if (!slot->answered() && slot->deadline <= now) fn(*slot);
  }
  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

 private:
  std::map<std::uint64_t, Slot*> slots_;
};

}  // namespace sallyport::upstream
