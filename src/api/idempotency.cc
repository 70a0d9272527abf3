#include "api/idempotency.h"

#include <algorithm>
#include <utility>

namespace sallyport::api {

void Idempotency::drop_answer(Caller& caller, Entry& entry) {
  if (!entry.answer) return;
  caller.bytes -= entry.answer->body.size();
  bytes_ -= entry.answer->body.size();
  entry.answer.reset();
}

void Idempotency::drop_answers(Caller& caller, std::size_t bytes_max) {
  for (Entry& entry : caller.entries) {
    if (caller.bytes <= bytes_max) return;
    drop_answer(caller, entry);
  }
}

void Idempotency::forget(Caller& caller, std::list<Entry>::iterator entry) {
  drop_answer(caller, *entry);
  caller.entries.erase(entry);
  --entries_;
}

// Never one that is running: it would be done twice.
bool Idempotency::forget_oldest(Caller& caller) {
  const auto oldest = std::ranges::find(caller.entries, false, &Entry::running);
  if (oldest == caller.entries.end()) return false;
  forget(caller, oldest);
  return true;
}

void Idempotency::forget_old(WallTime now) {
  for (auto caller = callers_.begin(); caller != callers_.end();) {
    auto& entries = caller->second.entries;
    for (auto entry = entries.begin(); entry != entries.end();) {
      const auto here = entry++;
      if (now - here->at > kAge) forget(caller->second, here);
    }
    caller = entries.empty() ? callers_.erase(caller) : std::next(caller);
  }
}

// For the entry that `caller` has just been given. False: everything that could go is running.
bool Idempotency::make_room(Caller& caller, WallTime now) {
  if (caller.entries.size() > kCallerEntriesMax) return forget_oldest(caller);
  if (entries_ <= kEntriesMax) return true;
  forget_old(now);
  if (entries_ <= kEntriesMax) return true;
  const auto weight = [now](const Callers::value_type& one) {  // of callers with as many, the one that came first
    const auto& entries = one.second.entries;
    return std::pair(std::ranges::count(entries, false, &Entry::running), now - entries.front().at);
  };
  const auto largest = std::ranges::max_element(callers_, {}, weight);
  if (!forget_oldest(largest->second)) return false;
  if (largest->second.entries.empty()) callers_.erase(largest);
  return true;
}

Result<std::optional<RestAnswer>> Idempotency::begin(const std::string& who, const std::string& key,
                                                     const std::string& request, WallTime now) {
  const std::scoped_lock lock(mutex_);
  Caller& caller = callers_[who];
  const auto found = std::ranges::find(caller.entries, key, &Entry::key);
  if (found != caller.entries.end() && now - found->at <= kAge) {
    const Entry& entry = *found;
    if (entry.request != request) return fail(Code::conflict, "this Idempotency-Key was used for another request");
    if (entry.running) return fail(Code::conflict, "the first request with this Idempotency-Key is still running");
    if (!entry.answer) {
      return fail(Code::conflict, "this was begun before and its answer was not kept; look whether it was done");
    }
    return entry.answer;
  }
  if (found != caller.entries.end()) forget(caller, found);
  caller.entries.push_back({key, request, now, true, std::nullopt});
  ++entries_;
  if (make_room(caller, now)) return std::nullopt;
  forget(caller, std::prev(caller.entries.end()));
  if (caller.entries.empty()) callers_.erase(who);
  return fail(Code::rate_limited, "too many requests with an Idempotency-Key are running");
}

void Idempotency::end(const std::string& who, const std::string& key, const std::optional<RestAnswer>& answer) {
  const std::scoped_lock lock(mutex_);
  const auto mine = callers_.find(who);
  if (mine == callers_.end()) return;
  Caller& caller = mine->second;
  const auto entry = std::ranges::find(caller.entries, key, &Entry::key);
  if (entry == caller.entries.end()) return;
  if (answer && answer->status >= 400 && !answer->carried_out) {
    forget(caller, entry);
    if (caller.entries.empty()) callers_.erase(mine);
    return;
  }
  entry->running = false;
  if (!answer || answer->body.size() > kAnswerBytesMax) return;
  const bool secret = std::ranges::any_of(
      answer->headers, [](const auto& h) { return h.first == "Cache-Control" && h.second == "no-store"; });
  if (secret) return;
  entry->answer = answer;
  caller.bytes += answer->body.size();
  bytes_ += answer->body.size();
  drop_answers(caller, kCallerBytesMax);
  if (bytes_ <= kBytesMax) return;
  const auto bytes = [](const Callers::value_type& one) { return one.second.bytes; };
  Caller& largest = std::ranges::max_element(callers_, {}, bytes)->second;
  drop_answers(largest, largest.bytes - (bytes_ - kBytesMax));
}

}  // namespace sallyport::api
