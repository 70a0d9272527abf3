// The calls of one connection that wait for an answer, by the id that we minted. Each Slot lives in the frame of its
// waiting coroutine and takes itself out when that ends, however it ends. One worker.
#pragma once

#include <map>
#include <optional>

#include "request/upstream/connection.h"
#include "request/upstream/server_requests.h"

namespace sallyport::upstream {

class PendingCalls {
 public:
  class Slot {
   public:
    Slot(PendingCalls& calls, Executor executor, const Outgoing& message, CallEvents* events,
         const ServerRecord& server, CallRequests::Send send)
        : id(message.id),
          deadline(message.deadline),
          wants_progress(message.wants_progress),
          cancellable(message.cancellable),
          listens(message.listens),
          events(events),
          requests(executor, server, events, std::move(send)),
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
    const bool cancellable;
    const bool listens;
    CallEvents* const events;
    CallRequests requests;  // of the server, inside this call

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
  [[nodiscard]] Slot* only() const {
    Slot* found = nullptr;
    for (const auto& [id, slot] : slots_) {
      if (slot->listens) continue;
      if (found != nullptr) return nullptr;
      found = slot;
    }
    return found == nullptr || found->answered() ? nullptr : found;
  }
  // Whose client a request of the server is for: the only call's; of several, the youngest that has somebody to ask.
  [[nodiscard]] Slot* asker() const {
    if (auto* slot = only()) return slot;
    for (auto it = slots_.rbegin(); it != slots_.rend(); ++it)
      if (it->second->events != nullptr && !it->second->listens && !it->second->answered()) return it->second;
    return nullptr;
  }
  // The server takes back what it asked in some call.
  void cancel_request(std::string_view raw_id) {
    for (const auto& [id, slot] : slots_) slot->requests.cancel(raw_id);
  }
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
