// A modern server asks by ending the call with `input_required`; a client of a session hears real requests, and its answers
// go back as a retry (mcp-spec.md section 9, C).
#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/capabilities.h"
#include "request/mcp/dialect.h"
#include "request/mcp/message.h"
#include "request/pipeline/upstream_step.h"

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kPace{250};  // of rounds that only carry a state

// What the caller hears when the questions of a round stay open: a tool's own error, as it would be on a legacy server.
Result<upstream::Reply> unanswered(const UpstreamJob& job, std::string_view why) {
  if (job.tool) return upstream::Reply{false, mcp::tool_error(why)};
  return fail(Code::missing_capability, std::string(why));
}

struct Round {
  std::vector<std::string> keys, methods, params;
};

Result<Round> read_round(std::string_view body) {
  Round round;
  bool sound = true;
  const auto requests = json::member(body, "inputRequests");
  json::for_each_member(requests.value_or("{}"), [&](std::string_view key, std::string_view request) {
    const auto method = json::member(request, "method");
    auto name = method ? json::decode_string(*method) : Result<std::string>(fail(Code::upstream_protocol, "no method"));
    sound = sound && name.has_value();
    if (!sound) return;
    round.keys.emplace_back(key.data() - 1, key.size() + 2);
    round.methods.push_back(std::move(*name));
    round.params.emplace_back(json::member(request, "params").value_or(""));
  });
  if (!sound) return fail(Code::upstream_protocol, "inputRequests cannot be read");
  return round;
}

// -32042 of a 2025-11-25 server for a client that is asked instead (mcp-spec.md section 9, E): a round without a state, whose
// retry sends the call again. Errors: missing_capability.
Result<upstream::Reply> url_round(const UpstreamJob& job, upstream::Reply reply) {
  constexpr std::string_view kAsk = "elicitation/create";
  json::Writer w;
  w.object().key("inputRequests").object();
  int number = 0;
  for (const std::string& params : mcp::url_elicitations(reply.body)) {
    if (!mcp::can_answer(job.call.client_capabilities, kAsk, params)) {
      return fail(Code::missing_capability, mcp::required_capabilities(kAsk, params));
    }
    w.key("url-" + std::to_string(++number)).object().member("method", kAsk).member_raw("params", params).end_object();
  }
  if (number == 0) return reply;
  return upstream::Reply{false, w.end_object().end_object().take(), true};
}

}  // namespace

Task<Result<upstream::Reply>> converse(Worker& w, upstream::Session& session, UpstreamJob& job) {
  const auto questions = job.events ? job.events->questions() : nullptr;
  for (int number = 0; number < kRoundsMax; ++number) {
    SP_CO_TRY(upstream::Reply reply, co_await session.call(job.call, job.events.get()));
    const bool may_be_urls = reply.is_error && session.info().revision == Revision::r2025_11_25;
    if (may_be_urls && is_modern(job.client)) co_return url_round(job, std::move(reply));
    if (!reply.input_required || is_modern(job.client)) co_return reply;
    SP_CO_TRY(const Round round, read_round(reply.body));
    if (!questions && !round.keys.empty()) co_return unanswered(job, "The tool asks for input, which this door cannot give");
    std::string responses;
    for (std::size_t i = 0; i < round.keys.size(); ++i) {
      const upstream::Reply answer = co_await questions->ask(round.methods[i], round.params[i]);
      if (answer.is_error) co_return unanswered(job, "The tool asked for " + round.methods[i] + ", which the client did not answer");
      responses.append(responses.empty() ? "{" : ",").append(round.keys[i]).append(":").append(answer.body);
    }
    job.call.input_responses = responses.empty() ? "" : responses + "}";
    job.call.request_state = json::member(reply.body, "requestState").value_or("");
    if (!round.keys.empty()) continue;
    SteadyTimer pause(w.executor, kPace * (number + 1));
    co_await pause.async_wait(use_task_ec);
  }
  co_return unanswered(job, "The tool asked for input too often");
}

}  // namespace sallyport
