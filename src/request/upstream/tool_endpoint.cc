#include "request/upstream/tool_endpoint.h"

#include "json/document.h"
#include "json/writer.h"
#include "request/upstream/breakers.h"
#include "request/upstream/http_endpoint.h"

namespace sallyport::upstream {
namespace {

bool is_text(const net::ResponseHead& head) { return head.find("content-type").value_or("").starts_with("text/"); }

Result<std::string> result_of(const ServerRecord& endpoint, const net::EgressResponse& response) {
  json::Writer w;
  w.object().key("content").array();
  if (response.body.empty()) return w.end_array().end_object().take();
  if (is_json(response.head)) {
    const auto document = json::read_upstream_document(response.body, {.bytes_max = endpoint.result_bytes_max});
    if (!document) return fail(Code::upstream_protocol, endpoint.name + ": no JSON: " + document.error().detail);
    w.object().member("type", "text").member("text", document->text()).end_object().end_array();
    if (document->root().is_object()) w.member_raw("structuredContent", document->text());
    return w.end_object().take();
  }
  if (!is_text(response.head))
    return fail(Code::upstream_protocol, endpoint.name + " answered with neither JSON nor text");
  w.object().member("type", "text").member("text", response.body).end_object().end_array();
  return w.end_object().take();
}

Task<Result<Reply>> post(const Deps& deps, const ServerPtr& server, std::string arguments, SteadyTime deadline,
                         BegunPtr begun) {
  HttpEndpoint endpoint(deps, server);
  SP_CO_CHECK(co_await endpoint.resolve(deadline));
  SP_CO_CHECK(endpoint.aim({{"Content-Type", "application/json"}, {"Accept", "application/json, text/*;q=0.9"}}));
  auto request = endpoint.request("POST", std::move(arguments), deadline);
  if (begun) request.sending = [begun] { begun->mark(); };
  SP_CO_TRY(const auto response, co_await endpoint.egress().fetch(std::move(request)));
  if (response.head.status < 200 || response.head.status > 299) co_return fail(endpoint.refusal(response.head.status));
  SP_CO_TRY(std::string result, result_of(*server, response));
  co_return Reply{.body = std::move(result)};
}

// What speaks against the endpoint; a refusal of ours, or a caller who left, does not.
bool is_its_failure(Code code) {
  return code == Code::upstream_unavailable || code == Code::upstream_timeout || code == Code::upstream_protocol ||
         code == Code::upstream_too_large;
}

}  // namespace

Task<Result<Reply>> post_to_endpoint(const Deps& deps, ToolPtr tool, std::string arguments, SteadyTime deadline,
                                     BegunPtr begun) {
  const ServerPtr server = tool->registration->endpoint;
  const auto breaker = deps.breakers != nullptr ? deps.breakers->of(server->name) : nullptr;
  const SteadyTime began = deps.clock.steady();
  Breaker::Admission admission{.allow = true};
  if (breaker) admission = breaker->admit(began);
  if (!admission.allow) co_return fail(Code::breaker_open, "the breaker of " + server->name + " is open");
  Result<Reply> reply = fail(Code::cancelled, "cancelled");
  try {
    reply = co_await post(deps, server, std::move(arguments), deadline, std::move(begun));
  } catch (const std::exception& e) {  // cancellation that arrives between two awaits is thrown by Asio
    reply = fail(Code::cancelled, e.what());
  }
  const auto ended = co_await asio::this_coro::cancellation_state;
  if (!reply && ended.cancelled() != asio::cancellation_type::none) reply = fail(Code::cancelled, "cancelled");
  const SteadyTime now = deps.clock.steady();
  if (breaker && !reply && reply.error().code == Code::cancelled) breaker->withdraw(admission, now);
  else if (breaker) breaker->report(admission, reply || !is_its_failure(reply.error().code), began, now);
  co_return reply;
}

}  // namespace sallyport::upstream
