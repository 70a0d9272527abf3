#include "request/pipeline/questions.h"

#include "json/writer.h"
#include "request/mcp/asks.h"
#include "request/mcp/capabilities.h"
#include "request/mcp/message.h"

namespace sallyport {
namespace {

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

upstream::Reply refuse_question(int code, std::string_view message) {
  json::Writer w;
  return {true, w.object().member("code", code).member("message", message).end_object().take()};
}

Task<upstream::Reply> Questions::ask(std::string method, std::string params) {
  if (!mcp::can_answer(capabilities_, method, params)) {
    if (!mcp::capability_of(method).empty()) lacking_ = mcp::required_capabilities(method, params);
    co_await before_refusal();
    co_return upstream::method_not_found(method);
  }
  const std::string elicitation = call_ + "-" + std::to_string(++asked_);
  auto shaped = mcp::shape_request(bridge_, {method, params, capabilities_, elicitation, server_->name});
  if (!shaped) {
    if (shaped.error().code == Code::missing_capability) lacking_ = mcp::required_capabilities(method, params);
    co_return refuse_question(info(shaped.error().code).jsonrpc_code, "The client cannot be asked: " + shaped.error().detail);
  }
  const Counted now(waiting_);
  upstream::Reply reply = co_await put(method, std::move(*shaped));
  if (allowed_ && !allowed_()) co_return refuse_question(-32603, "The caller may not go on with this call");
  if (reply.is_error) co_return reply;
  auto answer = mcp::shape_answer(bridge_, method, reply.body);
  if (!answer) co_return refuse_question(-32603, "The client's answer cannot be used: " + answer.error().detail);
  co_return upstream::Reply{false, std::move(*answer)};
}

SessionQuestions::SessionQuestions(Worker& here, mcp::ClientSessionPtr session,
                                   std::shared_ptr<mcp::EventStream> stream, ServerPtr server,
                                   const std::vector<std::string>& forwards, std::string call)
    : Questions(session->revision,
                mcp::forwarded_capabilities(session->client_capabilities, forwards, session->revision), server,
                std::move(call)),
      here_(here),
      session_(std::move(session)),
      stream_(std::move(stream)) {}

Task<upstream::Reply> SessionQuestions::put(std::string method, std::string params) {
  if (!stream_) co_return refuse_question(-32603, "The client cannot be asked");
  const std::string id = "\"sp-" + std::to_string(session_->next_ask++) + "\"";
  auto pending = std::make_shared<mcp::PendingAsk>(here_.executor);
  const Executor home = here_.fleet.workers[session_->home]->executor;
  asio::dispatch(home, [session = session_, id, pending] {
    if (!session->asks.put(id, pending)) {
      mcp::PendingAsk::answer(pending, {true, refuse_question(-32603, "Too many questions are open").body});
    }
  });
  stream_->push(mcp::request_envelope(id, method, params));  // after the table knows it: the answer comes that way
  auto answer = co_await pending->wait();
  if (!answer) {
    asio::dispatch(home, [session = session_, id] { session->asks.erase(id); });
    co_return refuse_question(-32603, "The call ended");
  }
  co_return upstream::Reply{answer->is_error, std::move(answer->body)};
}

}  // namespace sallyport
