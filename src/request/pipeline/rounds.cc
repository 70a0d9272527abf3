// A modern server asks by ending the call with `input_required`; a client of a session hears real requests, and its answers
// go back as a retry (mcp-spec.md section 9, C).
#include "json/slice.h"
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

}  // namespace

Task<Result<upstream::Reply>> converse(Worker& w, upstream::Session& session, UpstreamJob& job) {
  const auto questions = job.events ? job.events->questions() : nullptr;
  for (int number = 0; number < kRoundsMax; ++number) {
    SP_CO_TRY(upstream::Reply reply, co_await session.call(job.call, job.events.get()));
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
