#include "api/idempotency.h"

#include <algorithm>

namespace sallyport::api {
namespace {

std::string name_of_entry(const std::string& who, const std::string& key) { return who + '\n' + key; }

}  // namespace

void Idempotency::drop_old(WallTime now) {
  while (!entries_.empty() && (entries_.size() >= kEntriesMax || now - entries_.front().at > kAge)) {
    by_name_.erase(entries_.front().name);
    entries_.pop_front();
  }
}

Result<std::optional<RestAnswer>> Idempotency::begin(const std::string& who, const std::string& key,
                                                     const std::string& request, WallTime now) {
  const std::scoped_lock lock(mutex_);
  const std::string name = name_of_entry(who, key);
  if (const auto found = by_name_.find(name); found != by_name_.end() && now - found->second->at <= kAge) {
    const Entry& entry = *found->second;
    if (entry.request != request) return fail(Code::conflict, "this Idempotency-Key was used for another request");
    if (entry.running) return fail(Code::conflict, "the first request with this Idempotency-Key is still running");
    if (!entry.answer) return fail(Code::conflict, "this was begun before and its answer was not kept; look whether it was done");
    return entry.answer;
  }
  if (const auto stale = by_name_.find(name); stale != by_name_.end()) {  // a clock set back leaves it behind others
    entries_.erase(stale->second);
    by_name_.erase(stale);
  }
  drop_old(now);
  entries_.push_back({name, request, now, true, std::nullopt});
  by_name_[name] = std::prev(entries_.end());
  return std::nullopt;
}

void Idempotency::end(const std::string& who, const std::string& key, const std::optional<RestAnswer>& answer) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name_of_entry(who, key));
  if (found == by_name_.end()) return;
  if (answer && answer->status >= 400 && !answer->carried_out) {
    entries_.erase(found->second);
    by_name_.erase(found);
    return;
  }
  Entry& entry = *found->second;
  entry.running = false;
  if (!answer || answer->body.size() > kAnswerBytesMax) return;
  const bool secret = std::ranges::any_of(
      answer->headers, [](const auto& h) { return h.first == "Cache-Control" && h.second == "no-store"; });
  if (!secret) entry.answer = answer;
}

}  // namespace sallyport::api
