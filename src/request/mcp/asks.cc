#include "request/mcp/asks.h"

namespace sallyport::mcp {

Task<std::optional<Answer>> PendingAsk::wait() {
  while (!answer_) {
    co_await done_.async_wait(use_task_ec);
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) break;
  }
  co_return answer_;
}

void PendingAsk::answer(const std::shared_ptr<PendingAsk>& ask, Answer answer) {
  asio::dispatch(ask->executor_, [ask, answer = std::move(answer)]() mutable {
    if (ask->answer_) return;
    ask->answer_ = std::move(answer);
    ask->done_.cancel();
  });
}

bool AskTable::put(std::string id, PendingAskPtr ask) {
  if (asks_.size() >= kAsksMax) return false;
  asks_[std::move(id)] = std::move(ask);
  return true;
}

void AskTable::erase(std::string_view id) {
  if (const auto found = asks_.find(id); found != asks_.end()) asks_.erase(found);
}

bool AskTable::answer(std::string_view id, Answer answer) {
  const auto found = asks_.find(id);
  if (found == asks_.end()) return false;
  PendingAsk::answer(found->second, std::move(answer));
  asks_.erase(found);
  return true;
}

}  // namespace sallyport::mcp
