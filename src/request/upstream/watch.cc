#include "request/upstream/watch.h"

#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/backoff.h"
#include "request/upstream/modern.h"

namespace sallyport::upstream {
namespace {

constexpr std::chrono::hours kListenFor{1};
constexpr std::chrono::seconds kLasting{10};  // a stream that lived that long broke for no fault of its opening
constexpr std::string_view kAcknowledged = "notifications/subscriptions/acknowledged";

bool lets_subscribe(const ServerInfo& info) {
  return json::member(json::member(info.capabilities, "resources").value_or(""), "subscribe") == "true";
}

}  // namespace

Watch::Watch(Executor executor, const Deps& deps, const Settings& settings, Link& link, ServerPtr server,
             Unsolicited unsolicited, Caller call)
    : executor_(executor),
      deps_(deps),
      settings_(settings),
      link_(link),
      server_(std::move(server)),
      unsolicited_(std::move(unsolicited)),
      call_(std::move(call)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      timer_(executor, SteadyTimer::time_point::max()) {}

void Watch::want(Interest interest) {
  if (stopped_ || interest == wanted_) return;
  wanted_ = std::move(interest);
  touch();
  if (running_) return;
  running_ = true;
  tasks_.spawn(run());
}

void Watch::renewed() {
  if (running_) touch();
}

void Watch::touch() {
  ++version_;
  timer_.cancel();
}

void Watch::stop() {
  stopped_ = true;
  touch();
  end_streams();
  settled(version_);
}

Task<void> Watch::join() { return tasks_.join(); }

Task<void> Watch::settle(SteadyTime until) {
  const std::uint64_t version = version_;
  while (!stopped_ && settled_ < version && deps_.clock.steady() < until) {
    SteadyTimer changed(executor_, until);
    const auto here = waiting_.insert(waiting_.end(), &changed);
    co_await changed.async_wait(use_task_ec);
    waiting_.erase(here);
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  }
}

void Watch::settled(std::uint64_t version) {
  settled_ = std::max(settled_, version);
  for (auto* timer : waiting_) timer->cancel();
}

Task<void> Watch::run() {
  unsigned failures = 0;
  while (!stopped_) {
    const std::uint64_t version = version_;
    const SteadyTime began = deps_.clock.steady();
    const bool well = link_.modern() ? co_await listen() : co_await subscribe();
    if (stopped_) break;
    if (version != version_) {
      failures = 0;
      continue;
    }
    settled(version);
    failures = well || deps_.clock.steady() - began > kLasting ? 1 : failures + 1;
    if (well) timer_.expires_at(SteadyTimer::time_point::max());
    else timer_.expires_after(std::max(backoff(settings_, failures + 1, deps_.random), settings_.backoff_min / 2));
    co_await timer_.async_wait(use_task_ec);
  }
}

void Watch::end_previous() {
  if (const auto stream = std::exchange(previous_, nullptr)) stream->end();
}

void Watch::end_streams() {
  end_previous();
  if (const auto stream = std::exchange(listening_, nullptr)) stream->end();
}

// True: nothing to be done until the wish changes.
Task<bool> Watch::listen() {
  if (wanted_.empty()) {
    end_streams();
    co_return true;
  }
  const std::uint64_t version = version_;
  const auto connection = link_.connection();
  if (!connection) {
    end_streams();
    const auto renewed = co_await link_.renew(link_.handshakes(), deps_.clock.steady() + server_->start_timeout);
    if (renewed) ++version_;  // again, without a rest
    co_return false;
  }
  if (listening_ && listening_->acknowledged) {
    end_previous();
    previous_ = std::move(listening_);
  } else if (listening_) {
    listening_->end();
  }
  const auto stream = std::make_shared<Listening>(*this, link_.mint_id(), version);
  Outgoing message{
      .id = stream->id, .text = modern::listen(stream->id, wanted_), .deadline = deps_.clock.steady() + kListenFor};
  message.listens = true;
  message.headers.emplace_back("Mcp-Method", "subscriptions/listen");
  listening_ = stream;
  tasks_.spawn(hold(stream, std::move(message), connection));
  timer_.expires_at(SteadyTimer::time_point::max());
  while (!stream->is_over && version == version_ && !stopped_) co_await timer_.async_wait(use_task_ec);
  co_return stream->is_done;
}

Task<void> Watch::hold(ListeningPtr stream, Outgoing message, std::shared_ptr<Connection> connection) {
  if (stream->is_over) co_return;
  const std::uint64_t seen = link_.handshakes();
  const auto [error, reply] = co_await asio::co_spawn(executor_, connection->request(std::move(message), stream.get()),
                                                      asio::bind_cancellation_slot(stream->signal.slot(), use_task_ec));
  if (stream->is_over || stopped_) co_return;  // we ended it
  if (error) deps_.say(server_->name, "listen_broke", "exception");
  else stream->is_done = is_final(reply);
  if (!error && !reply && reply.error().code == Code::session_unknown)
    (void)co_await link_.renew(seen, deps_.clock.steady() + server_->start_timeout);
  stream->is_over = true;
  if (listening_ != stream) co_return;
  listening_.reset();
  end_previous();
  timer_.cancel();
}

// A server that offers no such stream is not asked again; one that ends it, or breaks, is.
bool Watch::is_final(const Result<Reply>& reply) {
  if (!reply) {
    if (reply.error().code != Code::cancelled) deps_.say(server_->name, "listen_broke", reply.error().detail);
    return false;
  }
  if (!reply->is_error) return false;
  deps_.say(server_->name, "listen_refused", std::string_view(reply->body).substr(0, 200));
  return modern::error_code(reply->body) == -32601;
}

void Watch::heard(Listening& stream, std::string_view method, std::string_view params) {
  if (stopped_ || stream.is_over) return;
  // MCP 2026-07-28, Subscriptions: every message of the stream names it; the first one acknowledges; nothing comes that
  // was not asked for.
  if (modern::subscription_id(params) != stream.id) return deps_.say(server_->name, "foreign_subscription", method);
  if (method == kAcknowledged) {
    stream.acknowledged = true;
    if (listening_.get() == &stream) end_previous();
    return settled(stream.version);
  }
  if (!stream.acknowledged || !is_wanted(method, params))
    return deps_.say(server_->name, "notification_dropped", method);
  if (unsolicited_) unsolicited_(method, modern::without_subscription_id(params));
}

bool Watch::is_wanted(std::string_view method, std::string_view params) const {
  if (method == "notifications/tools/list_changed") return wanted_.tools;
  if (method == "notifications/prompts/list_changed") return wanted_.prompts;
  if (method == "notifications/resources/list_changed") return wanted_.resources;
  if (method != "notifications/resources/updated") return false;
  const auto uri = json::decode_string(json::member(params, "uri").value_or(""));
  // It may be a part of what was subscribed to (MCP, Resources).
  return uri && std::ranges::any_of(wanted_.uris, [&](const std::string& wanted) { return uri->starts_with(wanted); });
}

// True: the server knows all that is wanted.
Task<bool> Watch::subscribe() {
  if (link_.handshakes() != subscribed_at_) subscribed_.clear();
  subscribed_at_ = link_.handshakes();
  if (!lets_subscribe(link_.info())) co_return true;
  const std::uint64_t version = version_;
  const auto wanted = wanted_.uris;
  for (const auto& uri : std::set<std::string>(subscribed_)) {
    if (wanted.contains(uri)) continue;
    if (!co_await ask_for("resources/unsubscribe", uri)) co_return false;
    subscribed_.erase(uri);
    if (version != version_ || stopped_) co_return true;
  }
  for (const auto& uri : wanted) {
    if (subscribed_.contains(uri)) continue;
    if (!co_await ask_for("resources/subscribe", uri)) co_return false;
    subscribed_.insert(uri);
    if (version != version_ || stopped_) co_return true;
  }
  co_return true;
}

// An error of the server counts as told: it would say the same again.
Task<bool> Watch::ask_for(std::string_view method, std::string uri) {
  json::Writer params;
  params.object().member("uri", uri).end_object();
  Call call;
  call.method = method;
  call.params = params.take();
  call.deadline = deps_.clock.steady() + server_->call_timeout;
  const auto reply = co_await call_(std::move(call));
  if (!reply) deps_.say(server_->name, "subscribe", reply.error().detail);
  else if (reply->is_error) deps_.say(server_->name, "subscribe_refused", std::string_view(reply->body).substr(0, 200));
  co_return reply.has_value();
}

}  // namespace sallyport::upstream
