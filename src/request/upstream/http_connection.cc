#include "request/upstream/http_connection.h"

#include <algorithm>

#include "request/upstream/codec.h"

namespace sallyport::upstream {
namespace {

// MCP, session management: visible ASCII.
bool is_session_id(std::string_view id) {
  return !id.empty() && id.size() <= 1'024 && std::ranges::all_of(id, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

}  // namespace

HttpConnection::HttpConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                               Unsolicited unsolicited)
    : executor_(executor),
      deps_(deps),
      settings_(settings),
      server_(std::move(server)),
      unsolicited_(std::move(unsolicited)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      endpoint_(deps, server_) {}

Task<Result<void>> HttpConnection::open(SteadyTime deadline) {
  SP_CO_CHECK(co_await endpoint_.resolve(deadline));
  co_return aim();
}

Result<void> HttpConnection::aim() {
  net::Headers headers{{"Accept", "application/json, text/event-stream"}, {"Content-Type", "application/json"}};
  if (!version_.empty()) headers.emplace_back("MCP-Protocol-Version", version_);
  if (!session_id_.empty()) headers.emplace_back("Mcp-Session-Id", session_id_);
  return endpoint_.aim(std::move(headers));
}

Task<Result<Reply>> HttpConnection::request(Outgoing message, CallEvents* events) {
  if (end_) co_return fail(*end_);
  CallRequests requests(executor_, *server_, events, [this](std::string text) { tell(std::move(text)); });
  Result<Reply> reply = fail(Code::cancelled, "the caller cancelled");
  const auto here = calls_.insert(calls_.end(), &requests);
  try {
    reply = co_await exchange(message, events, requests);
  } catch (const boost::system::system_error&) {  // thrown by an await after the cancellation
  }
  calls_.erase(here);
  const bool cancelled =
      (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none && !reply;
  if (cancelled) reply = fail(Code::cancelled, "the caller cancelled");
  if (requests.any()) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await requests.end();
  }
  if (end_) co_return fail(*end_);
  const Code code = reply ? Code::internal : reply.error().code;
  if (message.cancellable && (code == Code::upstream_timeout || code == Code::cancelled))
    tell(legacy::cancelled(message.id,
                           code == Code::cancelled ? "The client cancelled the call" : "The call took too long"));
  co_return reply;
}

Task<Result<Reply>> HttpConnection::exchange(Outgoing& message, CallEvents* events, CallRequests& requests) {
  auto request = endpoint_.request("POST", std::move(message.text), message.deadline);
  request.limits.body_bytes = std::max<std::uint64_t>(server_->result_bytes_max, kStreamBytesMax);
  request.sending = std::move(message.sending);
  SP_CO_TRY(net::EgressAnswer answer, co_await endpoint_.egress().ask(std::move(request), server_->result_bytes_max));
  const auto& head = answer.stream ? answer.stream->head() : answer.whole.head;
  if (message.status != nullptr) *message.status = head.status;
  if (!answer.stream) co_return answer_of(head, answer.whole.body, message);
  SP_CO_CHECK(take_session(head));
  co_return co_await read_stream(std::move(answer.stream), message, events, requests);
}

Result<void> HttpConnection::take_session(const net::ResponseHead& head) {
  const auto id = head.find("mcp-session-id");
  if (!id || !version_.empty()) return {};  // it is given with the answer to initialize, and never changes after
  if (!is_session_id(*id)) return fail(Code::upstream_protocol, "a session id that is not visible ASCII");
  session_id_ = *id;
  return {};
}

Result<Reply> HttpConnection::answer_of(const net::ResponseHead& head, std::string_view body, const Outgoing& message) {
  if (head.status == 404 && !session_id_.empty() && !version_.empty())
    return fail(Code::session_unknown, "the server forgot the session");
  const bool ok = head.status == 200;
  if (!is_json(head))
    return ok ? fail(Code::upstream_protocol, "an answer that is neither JSON nor a stream")
              : fail(endpoint_.refusal(head.status));
  std::string minified;
  const auto in = read_incoming(body, server_->result_bytes_max, minified);
  if (!in) return ok ? fail(Error(in.error())) : fail(endpoint_.refusal(head.status));
  const bool answer = in->kind == Incoming::Kind::result || in->kind == Incoming::Kind::error;
  if (!answer || in->id != message.id)
    return ok ? fail(Code::upstream_protocol, "the answer to another request") : fail(endpoint_.refusal(head.status));
  if (!ok && in->kind != Incoming::Kind::error) return fail(endpoint_.refusal(head.status));
  if (ok) SP_CHECK(take_session(head));
  return Reply{in->kind == Incoming::Kind::error, std::string(in->body)};
}

Task<Result<void>> HttpConnection::notify(std::string text, SteadyTime deadline) {
  if (end_) co_return fail(*end_);
  SP_CO_TRY(const net::EgressResponse response,
            co_await endpoint_.egress().fetch(endpoint_.request("POST", std::move(text), deadline)));
  const int status = response.head.status;
  if (status == 404 && !session_id_.empty()) co_return fail(Code::session_unknown, "the server forgot the session");
  if (status < 200 || status >= 300) co_return fail(endpoint_.refusal(status));
  co_return Result<void>{};
}

void HttpConnection::tell(std::string text) {
  if (!end_) tasks_.spawn(tell_task(std::move(text)));
}

Task<void> HttpConnection::tell_task(std::string text) {
  const auto sent = co_await notify(std::move(text), deps_.clock.steady() + settings_.stop_grace);
  if (!sent) deps_.say(server_->name, "notice_not_sent", sent.error().detail);
}

Result<void> HttpConnection::negotiated(const ServerInfo& info) {
  version_ = info.protocol_version;
  return aim();
}

void HttpConnection::forget_session() {
  session_id_.clear();
  version_.clear();
  if (auto made = aim(); !made) deps_.say(server_->name, "target", made.error().detail);
}

void HttpConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  streams_.cut();
}

Task<void> HttpConnection::close() {
  tasks_.cancel();
  co_await tasks_.join();
  if (session_id_.empty() || !endpoint_.aimed()) co_return;
  const auto deadline = deps_.clock.steady() + settings_.stop_grace;
  const auto gone = co_await endpoint_.egress().fetch(endpoint_.request("DELETE", {}, deadline));  // 405 is as good
  if (!gone) deps_.say(server_->name, "delete", gone.error().detail);
  session_id_.clear();
}

}  // namespace sallyport::upstream
