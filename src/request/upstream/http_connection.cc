#include "request/upstream/http_connection.h"

#include <algorithm>
#include <array>

#include "request/upstream/codec.h"
#include "request/upstream/http_reading.h"

namespace sallyport::upstream {
namespace {

constexpr std::uint64_t kStreamBytesMax = 1ULL << 30;

bool is_json(const net::ResponseHead& head) {
  return head.find("content-type").value_or("").starts_with("application/json");
}
// Headers that are ours to write: a configured one would forge the session or the version.
bool is_ours(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kOurs{"accept", "content-type", "mcp-session-id",
                                                         "mcp-protocol-version", "last-event-id"};
  return std::ranges::any_of(kOurs, [&](std::string_view ours) { return net::equals_ignoring_case(ours, name); });
}

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
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }) {}

HttpConnection::~HttpConnection() {
  for (auto& header : configured_) wipe(header.second);
}

Task<Result<void>> HttpConnection::open(SteadyTime /*deadline*/) {
  if (deps_.egress == nullptr) co_return fail(Code::upstream_unavailable, "no egress client: HTTP servers are off");
  for (const auto& [name, reference] : server_->headers) {
    if (is_ours(name))
      co_return fail(Code::config, "header " + name + " of server " + server_->name + " is not yours to set");
    auto value = deps_.secret(reference);
    if (!value)
      co_return fail(Code::config, "header " + name + " of server " + server_->name + ": " + value.error().detail);
    configured_.emplace_back(name, std::string(value->reveal()));
  }
  co_return make_target();
}

Result<void> HttpConnection::make_target() {
  net::Headers headers{{"Accept", "application/json, text/event-stream"}, {"Content-Type", "application/json"}};
  if (!version_.empty()) headers.emplace_back("MCP-Protocol-Version", version_);
  if (!session_id_.empty()) headers.emplace_back("Mcp-Session-Id", session_id_);
  headers.insert(headers.end(), configured_.begin(), configured_.end());
  net::EgressPolicy policy;
  policy.allow_private = server_->allow_private;
  auto target = net::EgressTarget::make(server_->url, std::move(policy), headers);
  for (auto& header : headers) wipe(header.second);
  SP_TRY(target_, std::move(target));
  return {};
}

net::EgressRequest HttpConnection::http(std::string method, std::string body, SteadyTime deadline) const {
  net::EgressRequest request;
  request.target = target_;
  request.method = std::move(method);
  request.body = std::move(body);
  request.deadline = deadline;
  request.limits.body_bytes = server_->result_bytes_max;
  return request;
}

Task<Result<Reply>> HttpConnection::request(Outgoing message, CallEvents* events) {
  if (end_) co_return fail(*end_);
  Result<Reply> reply = fail(Code::cancelled, "the caller cancelled");
  try {
    reply = co_await exchange(message, events);
  } catch (const boost::system::system_error&) {  // thrown by an await after the cancellation
  }
  const bool cancelled =
      (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none && !reply;
  if (cancelled) reply = fail(Code::cancelled, "the caller cancelled");
  if (end_) co_return fail(*end_);
  const Code code = reply ? Code::internal : reply.error().code;
  if (message.cancellable && (code == Code::upstream_timeout || code == Code::cancelled))
    tell(legacy::cancelled(message.id,
                           code == Code::cancelled ? "The client cancelled the call" : "The call took too long"));
  co_return reply;
}

Task<Result<Reply>> HttpConnection::exchange(Outgoing& message, CallEvents* events) {
  auto request = http("POST", std::move(message.text), message.deadline);
  request.limits.body_bytes = std::max<std::uint64_t>(server_->result_bytes_max, kStreamBytesMax);
  SP_CO_TRY(net::EgressAnswer answer, co_await deps_.egress->ask(std::move(request), server_->result_bytes_max));
  if (!answer.stream) co_return answer_of(answer.whole.head, answer.whole.body, message);
  SP_CO_CHECK(take_session(answer.stream->head()));
  co_return co_await read_stream(std::move(answer.stream), message, events);
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
              : fail(refusal(head.status));
  std::string minified;
  const auto in = read_incoming(body, server_->result_bytes_max, minified);
  if (!in) return ok ? fail(Error(in.error())) : fail(refusal(head.status));
  const bool answer = in->kind == Incoming::Kind::result || in->kind == Incoming::Kind::error;
  if (!answer || in->id != message.id)
    return ok ? fail(Code::upstream_protocol, "the answer to another request") : fail(refusal(head.status));
  if (!ok && in->kind != Incoming::Kind::error) return fail(refusal(head.status));
  if (ok) SP_CHECK(take_session(head));
  return Reply{in->kind == Incoming::Kind::error, std::string(in->body)};
}

// The number alone: neither the body nor WWW-Authenticate of the server may reach a client (mcp-spec.md, 10, trap 17).
Error HttpConnection::refusal(int status) const {
  const std::string text = server_->name + " answered with HTTP status " + std::to_string(status);
  if (status == 429 || status >= 500) return {Code::upstream_unavailable, text};
  if (status == 401 || status == 403) return {Code::upstream_refused, text + ": it wants other credentials"};
  if (status >= 300 && status < 400) return {Code::upstream_refused, text + ": redirects are not followed"};
  if (status >= 200 && status < 300) return {Code::upstream_protocol, text + " and no answer"};
  return {Code::upstream_refused, text};
}

Task<Result<void>> HttpConnection::notify(std::string text, SteadyTime deadline) {
  if (end_) co_return fail(*end_);
  SP_CO_TRY(const net::EgressResponse response, co_await deps_.egress->fetch(http("POST", std::move(text), deadline)));
  const int status = response.head.status;
  if (status == 404 && !session_id_.empty()) co_return fail(Code::session_unknown, "the server forgot the session");
  if (status < 200 || status >= 300) co_return fail(refusal(status));
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
  return make_target();
}

void HttpConnection::forget_session() {
  session_id_.clear();
  version_.clear();
  if (auto made = make_target(); !made) deps_.say(server_->name, "target", made.error().detail);
}

void HttpConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  for (auto* stream : streams_) stream->close();
}

Task<void> HttpConnection::close() {
  tasks_.cancel();
  co_await tasks_.join();
  if (session_id_.empty() || target_ == nullptr) co_return;
  const auto deadline = deps_.clock.steady() + settings_.stop_grace;
  const auto gone = co_await deps_.egress->fetch(http("DELETE", {}, deadline));  // 405 is as good (MCP, sessions)
  if (!gone) deps_.say(server_->name, "delete", gone.error().detail);
  session_id_.clear();
}

}  // namespace sallyport::upstream
