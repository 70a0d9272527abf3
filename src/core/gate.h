// So much of something at a time: who comes when all places are taken waits, in the order in which they came, a bounded number of
// them. One a worker, that worker's thread only; it outlives its passes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/task.h"

namespace sallyport {

class Gate {
 public:
  struct Sizes {
    std::size_t at_once = 2;
    std::size_t waiting = 64;
    std::size_t waiting_of_one = 16;
  };
  using Pass = std::shared_ptr<void>;  // inside for as long as it is there

  Gate() = default;
  explicit Gate(Sizes sizes) : sizes_(sizes) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // In the name of `who`. `waits` is called where there is no place yet, once, with what ends the waiting: to be called on this
  // thread, from outside of the call, at any time, or never. Errors: rate_limited, with words
  // for whoever asks (too many wait already), cancelled (the waiting was ended).
  Task<Result<Pass>> enter(std::string who, std::function<void(std::function<void()> end)> waits);
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  struct Place;
  void leave(const std::shared_ptr<Place>& place);
  [[nodiscard]] Result<void> may_wait(const std::string& who) const;

  Sizes sizes_;
  std::size_t inside_ = 0;
  std::deque<std::shared_ptr<Place>> waiting_;
};

}  // namespace sallyport
