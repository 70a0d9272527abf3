// What a modern server answers, and parts of a call that a client shaped, through the codec of 2026-07-28: whatever is
// accepted is one message that reads back.
#include <cstdlib>
#include <string_view>

#include "json/slice.h"
#include "request/upstream/incoming.h"
#include "request/upstream/modern.h"

namespace up = sallyport::upstream;
namespace json = sallyport::json;

namespace {

void look_at_result(std::string_view body) {
  (void)up::modern::read_discover(body);
  (void)up::modern::supported_versions(body);
  (void)up::modern::subscription_id(body);
  (void)up::modern::without_subscription_id(body);
  up::Call call;
  call.method = "tools/call";
  const auto bare = up::modern::sort_result(call, std::string(body));
  if (bare && bare->input_required && json::member(body, "inputRequests").value_or("{}") != "{}") std::abort();
  call.client_capabilities = R"({"elicitation":{"form":{}},"sampling":{},"roots":{}})";
  (void)up::modern::sort_result(call, std::string(body));
}

void look_at_call(const up::Incoming& in) {
  up::Call call;
  call.method = in.method;
  call.params = in.params;
  call.client_capabilities = json::member(in.params, "capabilities").value_or("");
  call.input_responses = json::member(in.params, "responses").value_or("");
  call.request_state = json::member(in.params, "state").value_or("");
  for (const auto& [name, value] : up::modern::headers(call))
    if (value.find_first_of("\r\n") != std::string::npos || name.find_first_of("\r\n: ") != std::string::npos)
      std::abort();
  const auto message = up::modern::request(1, call);
  if (!message) return;
  if (message->find('\n') != std::string::npos) std::abort();
  std::string copy;
  const auto again = up::read_incoming(*message, 8U << 20, copy);
  if (!again || again->raw_id != "1") std::abort();
  const auto meta = json::member(again->params, "_meta").value_or("");
  if (json::member(meta, "io.modelcontextprotocol/protocolVersion") != "\"2026-07-28\"") std::abort();
  if (!json::is_object(json::member(meta, "io.modelcontextprotocol/clientCapabilities").value_or(""))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string minified;
  const auto in = up::read_incoming(text, 1U << 20, minified);
  if (!in) return 0;
  if (!in->body.empty()) look_at_result(in->body);
  if (!in->method.empty()) look_at_call(*in);
  return 0;
}
