#include "core/gate.h"

#include <algorithm>
#include <utility>

namespace sallyport {

struct Gate::Place {
  Place(const Executor& executor, std::string name)
      : who(std::move(name)), called(executor, SteadyTimer::time_point::max()) {}
  void call() { called.expires_at(SteadyTimer::time_point::min()); }

  const std::string who;
  SteadyTimer called;
  bool inside = false;
  bool given_up = false;
};

Result<void> Gate::may_wait(const std::string& who) const {
  const auto of_one = std::ranges::count_if(waiting_, [&](const auto& place) { return place->who == who; });
  if (static_cast<std::size_t>(of_one) >= sizes_.waiting_of_one)
    return fail(Code::rate_limited, std::to_string(of_one) + " of yours wait already; fix: wait for an answer");
  if (waiting_.size() < sizes_.waiting) return {};
  return fail(Code::rate_limited, std::to_string(waiting_.size()) + " wait already; fix: ask again in a moment");
}

Task<Result<Gate::Pass>> Gate::enter(std::string who, std::function<void(std::function<void()>)> waits) {
  const bool free = inside_ < sizes_.at_once;  // then nobody waits
  if (!free) {
    SP_CO_CHECK(may_wait(who));
  }
  const auto place = std::make_shared<Place>(co_await asio::this_coro::executor, std::move(who));
  Pass pass(place.get(), [this, place](void*) { leave(place); });
  if (free) {
    place->inside = true;
    ++inside_;
    co_return pass;
  }
  waiting_.push_back(place);
  waits([place] {
    place->given_up = true;
    place->call();
  });
  co_await place->called.async_wait(use_task_ec);
  if (!place->inside || place->given_up) co_return fail(Code::cancelled, "gone while it waited");
  co_return pass;
}

void Gate::leave(const std::shared_ptr<Place>& place) {
  if (!place->inside) {
    std::erase(waiting_, place);
    return;
  }
  place->inside = false;
  --inside_;
  if (waiting_.empty()) return;
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->inside = true;
  ++inside_;
  next->call();
}

}  // namespace sallyport
