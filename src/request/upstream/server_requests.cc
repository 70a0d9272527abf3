#include "request/upstream/server_requests.h"

#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/codec.h"
#include "request/upstream/envelope.h"

namespace sallyport::upstream {
namespace {

Reply internal_error(std::string_view message) {
  json::Writer error;
  error.object().member("code", -32603).member("message", message).end_object();
  return {true, error.take()};
}

}  // namespace

bool forwards(const ServerRecord& server, std::string_view method) {
  const std::string_view kind = method == "elicitation/create"       ? "elicitation"
                                : method == "sampling/createMessage" ? "sampling"
                                : method == "roots/list"             ? "roots"
                                                                     : "";
  return !kind.empty() && std::ranges::find(server.forwards, kind) != server.forwards.end();
}

Reply answer_outside(const ServerRecord& server, std::string_view method) {
  if (method == "ping") return {false, "{}"};
  if (method == "roots/list" && forwards(server, method)) return {false, R"({"roots":[]})"};
  return method_not_found(method);
}

void CallRequests::ask(Asked asked) {
  if (ended_) return;
  waiting_.remove_if([](const auto& one) { return one->tasks.size() == 0; });
  if (std::ranges::any_of(waiting_, [&](const auto& one) { return one->raw_id == asked.raw_id; })) return;
  // Of a session that principals share nobody can tell whom the server means.
  if (events_ == nullptr || server_.shared || asked.method == "ping")
    return send_(legacy::answer(asked.raw_id, answer_outside(server_, asked.method)));
  if (!forwards(server_, asked.method)) return send_(legacy::answer(asked.raw_id, method_not_found(asked.method)));
  std::size_t bytes = asked.params.size();
  for (const auto& other : waiting_) bytes += other->bytes;
  if (waiting_.size() >= kWaitingMax || bytes > kBytesMax)
    return send_(legacy::answer(asked.raw_id, internal_error("Too many requests at once")));
  auto& one = *waiting_.emplace_back(std::make_unique<One>(executor_, std::move(asked.raw_id), asked.params.size()));
  one.tasks.spawn(forward(one, std::move(asked.method), std::move(asked.params)));
}

Task<void> CallRequests::forward(One& one, std::string method, std::string params) {
  Reply reply = internal_error("The client could not be asked");
  try {
    reply = co_await events_->on_request(std::move(method), std::move(params));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) co_return;
  } catch (const std::exception&) {  // the server is told of its own request what a caller is told: no inner words
  }
  answer(one, reply);
}

void CallRequests::answer(const One& one, const Reply& reply) {
  if (ended_ || one.dropped) return;
  Result<std::string> text = fail(Code::internal);
  if (json::is_object(reply.body)) text = one_line(legacy::answer(one.raw_id, reply));
  send_(text ? std::move(*text) : legacy::answer(one.raw_id, internal_error("The answer of the client is unusable")));
}

void CallRequests::cancel(std::string_view raw_id) {
  for (const auto& one : waiting_) {
    if (one->raw_id != raw_id || one->dropped) continue;
    one->dropped = true;
    one->tasks.cancel();
  }
}

Task<void> CallRequests::end() {
  ended_ = true;
  for (const auto& one : waiting_) one->tasks.cancel();
  for (const auto& one : waiting_) co_await one->tasks.join();
}

}  // namespace sallyport::upstream
