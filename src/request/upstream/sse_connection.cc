#include "request/upstream/sse_connection.h"

namespace sallyport::upstream {
namespace {

constexpr std::chrono::hours kStreamFor{24};

}  // namespace

SseConnection::SseConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                             Unsolicited unsolicited)
    : deps_(deps),
      settings_(settings),
      server_(std::move(server)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      endpoint_(deps, server_),
      calls_(executor, deps, server_, std::move(unsolicited), [this](std::string text) { tell(std::move(text)); }) {}

SseConnection::~SseConnection() = default;

Task<Result<void>> SseConnection::open(SteadyTime deadline) {
  SP_CO_CHECK(co_await endpoint_.resolve(deadline));
  co_return endpoint_.aim({});
}

Task<Result<Reply>> SseConnection::request(Outgoing message, CallEvents* events) {
  if (end_) co_return fail(*end_);
  // The message was not sent: a new handshake, then again (Session::run).
  if (!channel_ && negotiated_) co_return fail(Code::session_unknown, "the stream of " + server_->name + " ended");
  if (!channel_) SP_CO_CHECK(co_await connect(message.deadline, message.status));
  // In a task of its own: a server may answer over the stream before it answers the POST.
  const auto send = [this](Outgoing& call) -> Result<void> {
    tasks_.spawn(post_call(std::move(call)));
    return {};
  };
  co_return co_await calls_.call(std::move(message), events, send);
}

Task<Result<void>> SseConnection::connect(SteadyTime deadline, int* status) {
  auto request = endpoint_.request("GET", {}, deadline);
  request.headers = {{"Accept", "text/event-stream"}};
  request.limits.body_bytes = kStreamBytesMax;
  SP_CO_TRY(auto stream, co_await endpoint_.egress().open(std::move(request)));
  if (end_) co_return fail(*end_);
  if (status != nullptr) *status = stream->status();
  if (stream->status() != 200) co_return fail(endpoint_.refusal(stream->status()));
  if (!is_event_stream(stream->head())) co_return fail(Code::upstream_protocol, "a GET that opens no stream of events");
  const auto channel = std::make_shared<Channel>(std::move(stream), server_->result_bytes_max);
  channel_ = channel;  // abandon() closes it
  while (channel->path.empty()) {
    auto read = co_await read_some(*channel);
    if (end_) co_return fail(*end_);
    if (read) continue;
    channel_.reset();
    co_return read;
  }
  channel->stream->set_deadline(deps_.clock.steady() + kStreamFor);
  tasks_.spawn(pump(channel));
  co_return Result<void>{};
}

Task<Result<void>> SseConnection::read_some(Channel& channel) {
  SP_CO_TRY(const std::string bytes, co_await channel.stream->read_some());
  if (bytes.empty()) co_return fail(Code::upstream_unavailable, "the stream of " + server_->name + " ended");
  SP_CO_CHECK(channel.sse.feed(bytes, [&](const net::SseEvent& event) { return on_event(channel, event); }));
  if (channel.error) co_return fail(*channel.error);
  co_return Result<void>{};
}

// False: nothing more is read.
bool SseConnection::on_event(Channel& channel, const net::SseEvent& event) {
  // The first one counts: nobody sends a session elsewhere later.
  if (event.event == "endpoint" && channel.path.empty()) {
    auto path = endpoint_path(endpoint_.url(), event.data);
    if (path) channel.path = std::move(*path);
    else channel.error = path.error();
  } else if (event.event == "message" && !channel.path.empty() && !event.data.empty()) {
    // As a line of stdio that is no message: which call it answers cannot be known, so it is dropped.
    if (const auto read = calls_.read(event.data); !read) {
      deps_.say(server_->name, "refused_event", read.error().detail);
      if (read.error().code == Code::upstream_too_large) channel.error = read.error();
      else if (auto* slot = calls_.pending().only()) slot->answer(fail(Error(read.error())));
    }
  }
  return !channel.error && !end_;
}

Task<void> SseConnection::pump(ChannelPtr channel) {
  for (;;) {
    auto read = co_await read_some(*channel);
    if (end_ || channel_ != channel) co_return;
    if (read) continue;
    if (read.error().code != Code::upstream_too_large) read.error().code = Code::upstream_unavailable;
    co_return drop(read.error());
  }
}

void SseConnection::drop(const Error& why) {
  if (channel_) channel_->stream->close();
  channel_.reset();
  calls_.fail_all(why);
}

Task<Result<void>> SseConnection::post(std::string text, SteadyTime deadline, std::function<void()> sending) {
  if (end_) co_return fail(*end_);
  const auto channel = channel_;
  if (!channel) co_return fail(Code::upstream_unavailable, "the stream of " + server_->name + " ended");
  auto request = endpoint_.request("POST", std::move(text), deadline);
  request.path = channel->path;
  request.headers = {{"Content-Type", "application/json"}};
  request.sending = std::move(sending);
  SP_CO_TRY(const net::EgressResponse response, co_await endpoint_.egress().fetch(std::move(request)));
  const int status = response.head.status;
  if (status == 404 && negotiated_) co_return fail(Code::session_unknown, "the server forgot the session");
  if (status < 200 || status >= 300) co_return fail(endpoint_.refusal(status));
  co_return Result<void>{};
}

Task<void> SseConnection::post_call(Outgoing call) {
  const auto sent = co_await post(std::move(call.text), call.deadline, std::move(call.sending));
  if (sent) co_return;
  if (auto* slot = calls_.pending().find(call.id)) slot->answer(fail(Error(sent.error())));
}

Task<Result<void>> SseConnection::notify(std::string text, SteadyTime deadline) {
  return post(std::move(text), deadline);
}

void SseConnection::tell(std::string text) {
  if (!end_) tasks_.spawn(tell_task(std::move(text)));
}

Task<void> SseConnection::tell_task(std::string text) {
  const auto sent = co_await post(std::move(text), deps_.clock.steady() + settings_.stop_grace);
  if (!sent) deps_.say(server_->name, "not_sent", sent.error().detail);
}

Result<void> SseConnection::negotiated(const ServerInfo& /*info*/) {
  negotiated_ = true;
  return {};
}

void SseConnection::forget_session() {
  negotiated_ = false;
  drop(Error{Code::upstream_unavailable, "the session with " + server_->name + " is opened anew"});
}

void SseConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  drop(*end_);
}

Task<void> SseConnection::close() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace sallyport::upstream
