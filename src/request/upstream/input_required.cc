// What a modern server may ask in the middle of a call (MCP 2026-07-28, multi round-trip requests): checked here, once,
// against what the client behind the call declared, so that nobody is asked what nobody said it could answer.
#include "json/slice.h"
#include "request/upstream/modern.h"

namespace sallyport::upstream::modern {
namespace {

constexpr std::size_t kInputRequestsMax = 64;

bool has(std::string_view capabilities, std::string_view name) {
  const auto member = json::member(capabilities, name);
  return member && json::is_object(*member);
}

// An empty object is form alone (MCP, Elicitation: as before the modes).
bool can_elicit(std::string_view capabilities, std::string_view params) {
  const auto elicitation = json::member(capabilities, "elicitation");
  if (!elicitation || !json::is_object(*elicitation)) return false;
  const auto mode = json::decode_string(json::member(params, "mode").value_or("\"form\""));
  if (!mode) return false;
  if (*mode == "form") return *elicitation == "{}" || has(*elicitation, "form");
  return *mode == "url" && has(*elicitation, "url");
}

bool can_sample(std::string_view capabilities, std::string_view params) {
  const auto sampling = json::member(capabilities, "sampling");
  if (!sampling || !json::is_object(*sampling)) return false;
  const bool with_tools = json::member(params, "tools") || json::member(params, "toolChoice");
  return !with_tools || has(*sampling, "tools");
}

Result<void> check_one(std::string_view capabilities, std::string_view raw) {
  const auto method = json::decode_string(json::member(raw, "method").value_or(""));
  const auto params = json::member(raw, "params").value_or("{}");
  if (!method || !json::is_object(params)) return fail(Code::upstream_protocol, "input_required: not a request");
  const bool declared = (*method == "elicitation/create" && can_elicit(capabilities, params)) ||
                        (*method == "sampling/createMessage" && can_sample(capabilities, params)) ||
                        (*method == "roots/list" && has(capabilities, "roots"));
  if (!declared) return fail(Code::upstream_protocol, "input_required: " + method->substr(0, 64) + " was not declared");
  return {};
}

Result<void> check_input_required(const Call& call, std::string_view result) {
  if (!may_ask(call.method)) return fail(Code::upstream_protocol, call.method + " may not ask for input");
  const auto requests = json::member(result, "inputRequests");
  const auto state = json::member(result, "requestState");
  if (!requests && !state)
    return fail(Code::upstream_protocol, "input_required: neither inputRequests nor requestState");
  if (state && !json::is_string(*state)) return fail(Code::upstream_protocol, "requestState is no string");
  if (!requests) return {};
  if (!json::is_object(*requests)) return fail(Code::upstream_protocol, "inputRequests is no object");
  std::size_t count = 0;
  Result<void> outcome;
  json::for_each_member(*requests, [&](std::string_view, std::string_view raw) {
    if (outcome) outcome = check_one(call.client_capabilities, raw);
    ++count;
  });
  if (outcome && count == 0 && !state) return fail(Code::upstream_protocol, "input_required: asks nothing");
  if (outcome && count > kInputRequestsMax) return fail(Code::upstream_protocol, "input_required: too many requests");
  return outcome;
}

}  // namespace

Result<Reply> sort_result(const Call& call, std::string result) {
  const auto raw = json::member(result, "resultType");
  if (!raw) return Reply{false, std::move(result)};  // as a server before this revision answers (MCP, Result)
  const auto type = json::decode_string(*raw);
  if (type == "complete") return Reply{false, std::move(result)};
  if (type != "input_required") return fail(Code::upstream_protocol, "a resultType that was not asked for");
  SP_CHECK(check_input_required(call, result));
  return Reply{false, std::move(result), true};
}

}  // namespace sallyport::upstream::modern
