#include "request/upstream/multiplex.h"

#include <algorithm>

#include "request/upstream/codec.h"
#include "request/upstream/modern.h"
#include "request/upstream/notices.h"

namespace sallyport::upstream {
namespace {

constexpr std::size_t kSnippetBytes = 200;
constexpr std::size_t kEndedMax = 64;

// Notes a listen stream as ended, however its coroutine ends.
class Ended {
 public:
  Ended(std::deque<std::uint64_t>& all, const Outgoing& message)
      : all_(message.listens ? &all : nullptr), id_(message.id) {}
  Ended(const Ended&) = delete;
  Ended& operator=(const Ended&) = delete;
  ~Ended() {
    if (all_ == nullptr) return;
    all_->push_back(id_);
    if (all_->size() > kEndedMax) all_->pop_front();
  }

 private:
  std::deque<std::uint64_t>* all_;
  std::uint64_t id_;
};

}  // namespace

Multiplex::Multiplex(Executor executor, const Deps& deps, ServerPtr server, Unsolicited unsolicited, Send send)
    : executor_(executor),
      deps_(deps),
      server_(std::move(server)),
      unsolicited_(std::move(unsolicited)),
      send_(std::move(send)) {}

Task<Result<Reply>> Multiplex::call(Outgoing message, CallEvents* events, const SendCall& send_call) {
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    co_return fail(Code::cancelled, "cancelled before it was sent");
  const Ended ended(ended_, message);
  PendingCalls::Slot slot(pending_, executor_, message, events, *server_, send_);
  SP_CO_CHECK(send_call(message));
  co_await slot.wait();
  if (slot.requests.any()) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await slot.requests.end();
  }
  if (slot.answered()) co_return std::move(*slot.answered());
  if (message.cancellable) say_cancelled(message.id, "The client cancelled the call");
  co_return fail(Code::cancelled, "the caller cancelled");
}

void Multiplex::say_cancelled(std::uint64_t id, std::string_view reason) { send_(legacy::cancelled(id, reason)); }

void Multiplex::expire(SteadyTime now) {
  pending_.expire(now, [this](PendingCalls::Slot& slot) {
    if (slot.cancellable) say_cancelled(slot.id, "The call took too long");
    slot.answer(fail(Code::upstream_timeout, "no answer of " + server_->name + " before the deadline"));
  });
}

Result<void> Multiplex::read(std::string_view text) {
  SP_TRY(const Incoming in, read_incoming(text, server_->result_bytes_max, minified_));
  switch (in.kind) {
    case Incoming::Kind::result:
    case Incoming::Kind::error: on_answer(in); break;
    case Incoming::Kind::request: on_request(in); break;
    case Incoming::Kind::notification: on_notification(in); break;
  }
  return {};
}

void Multiplex::on_answer(const Incoming& in) {
  auto* slot = in.id ? pending_.find(*in.id) : nullptr;
  // A late answer of a cancelled call, a second one, or an id that was never ours: dropped (MCP, Cancellation).
  if (slot == nullptr) return deps_.say(server_->name, "foreign_id", in.raw_id.substr(0, kSnippetBytes));
  slot->answer(Reply{in.kind == Incoming::Kind::error, std::string(in.body)});
}

void Multiplex::on_request(const Incoming& in) {
  // MCP 2026-07-28, stdio: a server writes no requests, and a client no responses.
  if (modern_) return deps_.say(server_->name, "request_dropped", in.method);
  if (auto* slot = server_->shared ? nullptr : pending_.asker())
    return slot->requests.ask({std::string(in.raw_id), in.method, std::string(in.params)});
  send_(legacy::answer(in.raw_id, answer_outside(*server_, in.method)));
}

void Multiplex::on_notification(const Incoming& in) {
  if (in.method == kProgress) {
    const auto token = progress_token(in.params);
    auto* slot = token ? pending_.find(*token) : nullptr;
    if (slot != nullptr && slot->wants_progress && slot->events != nullptr)
      slot->events->progress(without_member(in.params, "progressToken"));
    return;
  }
  if (in.method == kCancelled) return pending_.cancel_request(cancelled_request(in.params));
  if (const auto id = modern_ ? modern::subscription_id(in.params) : std::nullopt) return on_subscription(*id, in);
  // Of a session that principals share nobody can tell whose call a log line speaks of: nobody hears it.
  if (in.method == kLogMessage && server_->shared) return;
  auto* slot = in.method == kLogMessage ? pending_.only() : nullptr;
  if (slot != nullptr && slot->events != nullptr) return slot->events->notification(in.method, in.params);
  // MCP 2026-07-28: what nobody subscribed to is not to be sent, and a log belongs to one request.
  if (!modern_ && is_notice(in.method) && unsolicited_) unsolicited_(in.method, in.params);
}

void Multiplex::on_subscription(std::uint64_t id, const Incoming& in) {
  auto* slot = pending_.find(id);
  if (slot != nullptr && slot->listens && slot->events != nullptr)
    return slot->events->notification(in.method, in.params);
  if (std::ranges::find(ended_, id) == ended_.end()) deps_.say(server_->name, "foreign_subscription", in.method);
}

}  // namespace sallyport::upstream
