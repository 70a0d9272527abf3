#include "cli/bridge_session.h"

#include <algorithm>

#include "json/document.h"
#include "json/writer.h"
#include "net/sse.h"

namespace sallyport::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kAnswer{310};
constexpr std::size_t kMessageMax = 64U << 20;

bool is_event_stream(const net::ResponseHead& head) {
  return head.find("content-type").value_or("").starts_with("text/event-stream");
}

Task<Result<std::string>> read_whole(net::EgressStream& stream) {
  std::string body;
  while (true) {
    SP_CO_TRY(const std::string part, co_await stream.read_some());
    if (part.empty()) co_return body;
    body += part;
  }
}

}  // namespace

Result<ClientMessage> ClientMessage::read(std::string_view line) {
  SP_TRY(json::Document document, json::read(line, {.bytes_max = kMessageMax, .depth_max = 256}));
  const json::Value root = document.root();
  if (!root.is_object()) return fail(Code::invalid_request, "a message is a JSON object (batches are not taken)");
  ClientMessage out;
  if (const auto id = root.find("id"); id && !id->is_null()) out.id = id->raw();
  out.method = root.string_at("method").value_or("");
  out.is_request = !out.id.empty() && !out.method.empty();
  out.text = std::move(document).release_text();
  return out;
}

net::EgressRequest BridgeSession::request(std::string_view method, std::string body) const {
  net::EgressRequest r;
  r.target = target_;
  r.method = method;
  r.headers = {{"Accept", method == "GET" ? "text/event-stream" : "application/json, text/event-stream"}};
  if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
  if (!session_.empty()) r.headers.emplace_back("Mcp-Session-Id", session_);
  if (!version_.empty()) r.headers.emplace_back("MCP-Protocol-Version", version_);
  r.body = std::move(body);
  r.deadline = clock_.steady() + kAnswer;
  r.limits.body_bytes = std::uint64_t{1} << 40U;  // a stream has no length; each message has
  return r;
}

Task<void> BridgeSession::exchange(ClientMessage message) {
  if (message.method == "initialize") {
    initialize_ = message.text;
    session_.clear();
    version_.clear();
  }
  std::string refusal;
  auto status = co_await post(message, refusal);
  // The gateway restarted or the session idled out (404, MCP 2025-06-18): the client cannot know, so begin again for
  // it.
  if (status && *status == 404 && !session_.empty() && co_await begin_again()) status = co_await post(message, refusal);
  if (status && *status < 300) co_return;
  if (!status) {
    options_.log("the gateway cannot be reached: " + status.error().detail);
    if (message.is_request)
      print_error(message.id, info(status.error().code).jsonrpc_code, "The gateway cannot be reached");
    co_return;
  }
  print_refusal(message, *status, refusal);
}

Task<Result<int>> BridgeSession::post(const ClientMessage& message, std::string& refusal) {
  SP_CO_TRY(const std::unique_ptr<net::EgressStream> stream, co_await client_.open(request("POST", message.text)));
  if (stream->status() >= 300) {
    auto body = co_await read_whole(*stream);
    refusal = body ? std::move(*body) : "";
    co_return stream->status();
  }
  if (const auto session = stream->head().find("mcp-session-id"); session && message.method == "initialize")
    session_ = *session;
  SP_CO_CHECK(co_await print_answer(*stream, message));
  co_return stream->status();
}

Task<Result<void>> BridgeSession::print_answer(net::EgressStream& stream, const ClientMessage& message) {
  if (is_event_stream(stream.head())) {
    SP_CO_CHECK(co_await print_events(stream, nullptr));
    co_return Result<void>();
  }
  SP_CO_TRY(const std::string body, co_await read_whole(stream));
  if (message.method == "initialize") note_initialize(body);
  if (!body.empty()) print_message(body);
  co_return Result<void>();
}

Task<Result<void>> BridgeSession::print_events(net::EgressStream& stream, std::string* last_id) {
  net::SseReader reader(kMessageMax);
  while (true) {
    SP_CO_TRY(const std::string part, co_await stream.read_some());
    if (part.empty()) co_return Result<void>();
    stream.set_deadline(clock_.steady() + (last_id == nullptr ? seconds(kAnswer) : seconds(hours(24))));
    SP_CO_CHECK(reader.feed(part, [this](const net::SseEvent& event) {
      if (session_.empty() || version_.empty()) note_initialize(event.data);
      if (!event.data.empty()) print_message(event.data);
      return true;
    }));
    if (last_id != nullptr) *last_id = reader.last_id();
  }
}

Task<void> BridgeSession::listen() {
  std::string last_id;
  for (milliseconds pause{500}; pause < seconds(60); pause *= 2) {
    net::EgressRequest get = request("GET", "");
    get.deadline = clock_.steady() + hours(24);
    if (!last_id.empty()) get.headers.emplace_back("Last-Event-ID", last_id);
    auto stream = co_await client_.open(std::move(get));
    if (stream && (*stream)->status() == 405) co_return;
    if (stream && (*stream)->status() < 300 && is_event_stream((*stream)->head())) {
      pause = milliseconds(500);
      (void)co_await print_events(**stream, &last_id);
    }
    SteadyTimer timer(co_await asio::this_coro::executor, pause);
    auto [ec] = co_await timer.async_wait(use_task_ec);
    if (ec) co_return;
  }
}

Task<void> BridgeSession::end() {
  if (session_.empty()) co_return;
  net::EgressRequest r = request("DELETE", "");
  r.deadline = clock_.steady() + seconds(3);
  (void)co_await client_.fetch(std::move(r));
}

Task<bool> BridgeSession::begin_again() {
  if (initialize_.empty()) co_return false;
  options_.log("the gateway does not know the session any more; beginning a new one");
  session_.clear();
  version_.clear();
  replaying_ = true;
  std::string refusal;
  ClientMessage first;
  first.text = initialize_;
  first.method = "initialize";
  const auto status = co_await post(first, refusal);
  replaying_ = false;
  if (!status || *status >= 300) co_return false;
  ClientMessage second;
  second.text = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
  const auto done = co_await post(second, refusal);
  co_return done && *done < 300;
}

void BridgeSession::note_initialize(std::string_view answer) {
  const auto document = json::read_upstream_document(answer);
  if (!document) return;
  const auto result = document->root().find("result");
  if (result) version_ = result->string_at("protocolVersion").value_or("");
  if (!net::valid_field_value(version_)) version_.clear();
}

void BridgeSession::print_message(std::string_view text) {
  if (replaying_) return;
  const auto line = json::read_upstream(text, {.bytes_max = kMessageMax, .depth_max = 256});
  if (line) options_.out(*line);
  else options_.log("the gateway sent what is no JSON");
}

// A JSON-RPC error of the gateway passes as it is; anything else becomes one, so that the client's request ends.
void BridgeSession::print_refusal(const ClientMessage& message, int status, std::string_view body) const {
  const auto document = json::read_upstream_document(body);
  if (document && document->root().find("jsonrpc") && document->root().find("error") && message.is_request) {
    options_.out(document->text());
    return;
  }
  options_.log("the gateway answered " + std::to_string(status));
  if (!message.is_request) return;
  std::string text = "The gateway answered " + std::to_string(status);
  if (document) {
    const auto error = document->root().find("error").value_or(json::Value());
    if (const auto said = error.string_at("message")) text = *said;
  }
  const Code code = status == 401   ? Code::unauthenticated
                    : status == 403 ? Code::access_denied
                    : status == 429 ? Code::rate_limited
                                    : Code::upstream_refused;
  print_error(message.id, info(code).jsonrpc_code, text);
}

void BridgeSession::print_error(std::string_view id, int code, std::string_view message) const {
  json::Writer w;
  w.object().member("jsonrpc", "2.0").member_raw("id", id).key("error").object();
  w.member("code", code).member("message", message).end_object().end_object();
  options_.out(w.text());
}

}  // namespace sallyport::cli
