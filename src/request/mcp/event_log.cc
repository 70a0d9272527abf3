#include "request/mcp/event_log.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace sallyport::mcp {
namespace {

std::string id_of(std::uint64_t stream, std::uint64_t number) {
  return std::to_string(stream) + "-" + std::to_string(number);
}

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Stream and number of an id in exactly the form that id_of writes.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_id(std::string_view id) {
  const auto dash = id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto stream = number_from(id.substr(0, dash));
  const auto number = number_from(id.substr(dash + 1));
  if (!stream || !number || id_of(*stream, *number) != id) return std::nullopt;
  return std::pair(*stream, *number);
}

}  // namespace

void EventLog::configure(bool resumes, bool primes) {
  const std::lock_guard lock(mutex_);
  resumes_ = resumes;
  primes_ = primes;
}

std::uint64_t EventLog::open(Sink sink) {
  const std::lock_guard lock(mutex_);
  return new_stream({.sink = std::move(sink)});
}

std::uint64_t EventLog::new_stream(Stream stream) {
  make_room_for_stream();
  const std::uint64_t number = next_stream_++;
  if (primes_ && resumes_) stream.sink->take({.id = id_of(number, 0), .data = nullptr});
  streams_.emplace(number, std::move(stream));
  return number;
}

// Those that no connection carries and no call writes to; of calls there are no more than connections.
void EventLog::make_room_for_stream() {
  while (streams_.size() >= kLogStreamsMax) {
    const auto idle = std::ranges::find_if(streams_, [](const auto& entry) {
      return !entry.second.sink && (entry.second.listener || entry.second.last != 0);
    });
    if (idle == streams_.end()) return;
    forget(idle->first);
  }
}

void EventLog::forget(std::uint64_t stream) {
  std::erase_if(kept_, [&](const Kept& event) {
    if (event.stream != stream) return false;
    kept_bytes_ -= event.data->size();
    return true;
  });
  streams_.erase(stream);
}

void EventLog::append(std::uint64_t stream, std::string message, bool last) {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  if (found == streams_.end() || found->second.last != 0) return;
  add(stream, found->second, std::make_shared<const std::string>(std::move(message)), last);
}

void EventLog::add(std::uint64_t number, Stream& stream, const Text& data, bool last) {
  const std::uint64_t event = stream.next++;
  if (last) stream.last = event;
  if (stream.sink) stream.sink->take({.id = resumes_ ? id_of(number, event) : "", .data = data, .last = last});
  if (!resumes_ || ended_ || data->size() > kLogBytesMax) return;
  kept_.push_back({number, event, data});
  kept_bytes_ += data->size();
  while (kept_.size() > kLogEventsMax || kept_bytes_ > kLogBytesMax) drop_oldest();
}

void EventLog::drop_oldest() {
  kept_bytes_ -= kept_.front().data->size();
  kept_.pop_front();
}

void EventLog::deliver(std::string message) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  auto data = std::make_shared<const std::string>(std::move(message));
  if (listener_ != 0) return add(listener_, streams_.at(listener_), data, false);
  pending_bytes_ += data->size();
  pending_.push_back(std::move(data));
  while (pending_.size() > kPendingMax || pending_bytes_ > kPendingBytesMax) {
    pending_bytes_ -= pending_.front()->size();
    pending_.pop_front();
  }
}

bool EventLog::listen(const Sink& sink, WallTime until) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  leave_listener();  // a client that lost its stream opens another: the new one holds
  const auto number = new_stream({.sink = sink, .by_get = true, .listener = true, .until = until});
  return replay(number, streams_.at(number), 0);
}

bool EventLog::resume(std::string_view last_id, const Sink& sink, WallTime until) {
  const auto id = read_id(last_id);
  const std::lock_guard lock(mutex_);
  if (!id || ended_ || !resumes_) return false;
  const auto found = streams_.find(id->first);
  if (found == streams_.end() || id->second >= found->second.next) return false;
  Stream& stream = found->second;
  const bool answer_kept = std::ranges::any_of(
      kept_, [&](const Kept& event) { return event.stream == id->first && event.number == stream.last; });
  if (stream.last != 0 && id->second < stream.last && !answer_kept) return false;
  if (stream.listener) leave_listener();
  if (stream.sink) stream.sink->let_go();
  stream.sink = sink;
  stream.by_get = true;
  stream.until = until;
  stream.sweeps = 0;
  return replay(id->first, stream, id->second);
}

bool EventLog::replay(std::uint64_t number, Stream& stream, std::uint64_t after) {
  for (const Kept& event : kept_) {
    if (event.stream != number || event.number <= after) continue;
    stream.sink->take({.id = id_of(number, event.number), .data = event.data, .last = event.number == stream.last});
  }
  if (stream.last != 0 && after >= stream.last) stream.sink->let_go();  // it has heard all
  if (!stream.listener) return true;
  listener_ = number;
  for (const Text& data : std::exchange(pending_, {})) add(number, stream, data, false);
  pending_bytes_ = 0;
  return true;
}

void EventLog::leave_listener() {
  if (listener_ == 0) return;
  Stream& stream = streams_.at(std::exchange(listener_, 0));
  if (stream.sink) std::exchange(stream.sink, nullptr)->let_go();
}

void EventLog::detach(const EventSink& sink) {
  const std::lock_guard lock(mutex_);
  for (auto& [number, stream] : streams_) {
    if (stream.sink.get() != &sink) continue;
    stream.sink.reset();
    if (number == listener_) listener_ = 0;
  }
}

void EventLog::close_listener() {
  const std::lock_guard lock(mutex_);
  leave_listener();
}

void EventLog::close_overdue(WallTime now) {
  const std::lock_guard lock(mutex_);
  for (auto& [number, stream] : streams_) {
    if (!stream.sink || stream.until > now) continue;
    std::exchange(stream.sink, nullptr)->let_go();
    if (number == listener_) listener_ = 0;
  }
}

void EventLog::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  leave_listener();
  for (auto& [number, stream] : streams_) {
    if (stream.sink && stream.by_get) std::exchange(stream.sink, nullptr)->let_go();
  }
  kept_.clear();
  pending_.clear();
  kept_bytes_ = pending_bytes_ = 0;
}

void EventLog::sweep() {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> old;
  for (auto& [number, stream] : streams_) {
    const bool over = !stream.sink && (stream.listener || stream.last != 0);
    if (over && ++stream.sweeps >= kLogSweeps) old.push_back(number);
  }
  for (const auto number : old) forget(number);
}

bool EventLog::listening() const {
  const std::lock_guard lock(mutex_);
  return listener_ != 0;
}

}  // namespace sallyport::mcp
