#include "request/upstream/http_modern.h"

#include <algorithm>

#include "request/upstream/modern.h"
#include "request/upstream/notices.h"

namespace sallyport::upstream {
namespace {

// Where a server of another era, or none at all, shows itself (mcp-spec.md, 3).
bool is_era_status(int status) { return status == 400 || status == 404 || status == 405; }

// Errors that a modern server gives behind HTTP 400 and 404 (mcp-spec.md, 2.5). Legacy ones answer with codes of their
// own, as -32000 without an id.
bool is_modern_error(std::string_view error) {
  const std::int64_t code = modern::error_code(error);
  return code == -32700 || (code <= -32600 && code >= -32603) || (code <= -32020 && code >= -32099);
}

}  // namespace

ModernHttpConnection::ModernHttpConnection(const Deps& deps, ServerPtr server)
    : deps_(deps), server_(std::move(server)), endpoint_(deps, server_) {}

Task<Result<void>> ModernHttpConnection::open(SteadyTime deadline) {
  SP_CO_CHECK(co_await endpoint_.resolve(deadline));
  co_return endpoint_.aim({{"Accept", "application/json, text/event-stream"},
                           {"Content-Type", "application/json"},
                           {"MCP-Protocol-Version", std::string(modern::kVersion)}});
}

Task<Result<Reply>> ModernHttpConnection::request(Outgoing message, CallEvents* events) {
  if (end_) co_return fail(*end_);
  Result<Reply> reply = fail(Code::cancelled, "the caller cancelled");
  try {
    reply = co_await exchange(message, events);
  } catch (const boost::system::system_error&) {  // thrown by an await after the cancellation
  }
  const bool cancelled =
      (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none && !reply;
  if (end_) co_return fail(*end_);
  if (cancelled) co_return fail(Code::cancelled, "the caller cancelled");
  co_return reply;
}

Task<Result<Reply>> ModernHttpConnection::exchange(Outgoing& message, CallEvents* events) {
  auto request = endpoint_.request("POST", std::move(message.text), message.deadline);
  request.headers = std::move(message.headers);
  request.limits.body_bytes = std::max<std::uint64_t>(server_->result_bytes_max, kStreamBytesMax);
  request.sending = std::move(message.sending);
  SP_CO_TRY(net::EgressAnswer answer, co_await endpoint_.egress().ask(std::move(request), server_->result_bytes_max));
  const auto& head = answer.stream ? answer.stream->head() : answer.whole.head;
  if (message.status != nullptr) *message.status = head.status;
  if (!answer.stream) co_return answer_of(head, answer.whole.body, message);
  co_return co_await read_stream(std::move(answer.stream), message, events);
}

Task<Result<Reply>> ModernHttpConnection::read_stream(StreamPtr stream, const Outgoing& message, CallEvents* events) {
  HttpReading reading(message, events, server_->result_bytes_max,
                      {[&](const Asked& asked) { deps_.say(server_->name, "request_dropped", asked.method); },
                       [&](const Incoming& in) {
                         if (events != nullptr && (message.listens || in.method == kLogMessage))
                           events->notification(in.method, in.params);
                       }});
  const OpenStreams::Entry here(streams_, stream.get());
  while (!reading.done()) {
    SP_CO_TRY(const std::string bytes, co_await stream->read_some());
    if (bytes.empty()) co_return fail(Code::upstream_unavailable, "the stream of " + server_->name + " ended early");
    SP_CO_CHECK(reading.feed(bytes));
  }
  co_return std::move(*reading.answer);
}

Result<Reply> ModernHttpConnection::answer_of(const net::ResponseHead& head, std::string_view body,
                                              const Outgoing& message) {
  const int status = head.status;
  const auto refused = [&]() -> Result<Reply> {
    const Error why = endpoint_.refusal(status);
    return is_era_status(status) ? fail(Code::session_unknown, why.detail) : fail(why);
  };
  if (!is_json(head))
    return status == 200 ? fail(Code::upstream_protocol, "an answer that is neither JSON nor a stream") : refused();
  std::string minified;
  const auto in = read_incoming(body, server_->result_bytes_max, minified);
  if (!in) return status == 200 ? fail(Error(in.error())) : refused();
  const bool is_error = in->kind == Incoming::Kind::error;
  // One POST has one answer: an error that names no request is this one's (its id could not be read, or the server is a
  // legacy one).
  const bool ours = in->id == message.id || (is_error && (in->raw_id.empty() || in->raw_id == "null"));
  if (!ours || (!is_error && in->kind != Incoming::Kind::result))
    return status == 200 ? fail(Code::upstream_protocol, "the answer to another request") : refused();
  if (status != 200 && (!is_error || (is_era_status(status) && in->id != message.id && !is_modern_error(in->body))))
    return refused();
  return Reply{is_error, std::string(in->body)};
}

Task<Result<void>> ModernHttpConnection::notify(std::string /*text*/, SteadyTime /*deadline*/) {
  if (end_) co_return fail(*end_);
  co_return Result<void>{};
}

void ModernHttpConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  streams_.cut();
}

}  // namespace sallyport::upstream
