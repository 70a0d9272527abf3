#include "cli/bridge_session.h"

#include <algorithm>

#include "json/document.h"

namespace sallyport::cli {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr int kResumes = 7;  // in a row that brought nothing
constexpr std::size_t kRefusalMax = 1U << 20;

bool is_session_id(std::string_view id) {  // MCP 2025-06-18, session management: visible ASCII
  return !id.empty() && id.size() <= 1024 && std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
}

Task<bool> pause(std::optional<std::uint32_t> retry_ms, int failures) {
  SteadyTimer timer(co_await asio::this_coro::executor, reconnect_pause(retry_ms, failures));
  const auto [ec] = co_await timer.async_wait(use_task_ec);
  co_return !ec;
}

ClientMessage own(std::string text, std::string method) {
  ClientMessage message;
  message.text = std::move(text);
  message.method = std::move(method);
  return message;
}

}  // namespace

net::EgressRequest BridgeSession::request(std::string_view method, std::string body, seconds silence) const {
  net::EgressRequest r = link_.request(method, std::move(body), silence);
  if (!session_.empty()) r.headers.emplace_back("Mcp-Session-Id", session_);
  if (!version_.empty()) r.headers.emplace_back("MCP-Protocol-Version", version_);
  return r;
}

Task<void> BridgeSession::exchange(ClientMessage message) {
  using Kind = ClientMessage::Kind;
  Owed owed(lines_, message.ids);
  co_await while_renewing();
  if (message.is("initialize")) {
    co_await end();
    initialize_ = message.text;
  }
  Reading reading;
  reading.sink = [&](std::string_view text) {
    if (message.is("initialize")) note_initialize(text);
    lines_.deliver(text, &owed, true);
  };
  reading.enough = [&owed] { return owed.settled(); };
  if (message.is("initialize")) reading.linger = seconds(0);  // what follows waits for it
  std::string refusal;
  std::string session = session_;
  auto status = co_await post(message, reading, refusal);
  // The gateway restarted or the session idled out (404, MCP 2025-06-18): the client cannot know, so begin again for
  // it. Nobody waits for its response any more.
  if (status && *status == 404 && message.kind != Kind::response && co_await renew(session)) {
    session = session_;
    status = co_await post(message, reading, refusal);
  }
  if (!status) {
    lines_.log("the gateway cannot be reached: " + status.error().detail);
    owed.because(status.error().code, "The gateway cannot be reached");
  } else if (*status >= 300) {
    owed.refused(*status, refusal);
  } else if (!owed.settled()) {
    co_await resume(message.is("initialize") ? session_ : session, reading);
    if (!owed.settled()) lines_.log("the gateway's answer did not come to its end");
  }
}

Task<Result<int>> BridgeSession::post(const ClientMessage& message, Reading& reading, std::string& refusal) {
  SP_CO_TRY(const StreamPtr stream, co_await link_.open(request("POST", message.text)));
  if (stream->status() >= 300) {
    refusal = (co_await GatewayLink::body(*stream, kRefusalMax)).value_or("");
    co_return stream->status();
  }
  if (message.is("initialize")) note_session(stream->head());
  const auto done = co_await link_.read(*stream, reading);
  if (!done && !reading.enough()) lines_.log("an answer of the gateway broke off: " + done.error().detail);
  co_return stream->status();
}

// MCP 2025-11-25, resumability: always by GET, whatever stream it was; `retry` is honoured.
Task<void> BridgeSession::resume(const std::string& session, Reading& reading) {
  for (int failures = 0; failures < kResumes && !reading.last_id.empty() && !reading.enough(); ++failures) {
    if (!co_await pause(reading.retry_ms, failures) || session != session_) co_return;
    net::EgressRequest get = request("GET", "");
    get.headers.emplace_back("Last-Event-ID", reading.last_id);
    auto stream = co_await link_.open(std::move(get));
    if (!stream) continue;
    const int status = (*stream)->status();
    if (status >= 400 && status < 500 && status != 429) co_return;
    if (status >= 300 || !GatewayLink::is_event_stream((*stream)->head())) continue;
    reading.moved = false;
    (void)co_await link_.read(**stream, reading);
    if (reading.moved) failures = -1;
  }
}

Task<void> BridgeSession::listen() {
  Reading reading;
  reading.sink = [this](std::string_view text) { lines_.deliver(text, nullptr, true); };
  reading.silence = hours(24);
  std::string session;
  bool refused = false;
  for (int failures = 0; !refused; ++failures) {
    co_await while_renewing();
    if (session_ != session) reading.last_id.clear();
    session = session_;
    if (co_await listen_once(reading, session, refused)) failures = -1;
    if (refused || !co_await pause(reading.retry_ms, std::max(failures, 0))) co_return;
  }
}

Task<bool> BridgeSession::listen_once(Reading& reading, const std::string& session, bool& refused) {
  net::EgressRequest get = request("GET", "", hours(24));
  if (!reading.last_id.empty()) get.headers.emplace_back("Last-Event-ID", reading.last_id);
  auto stream = co_await link_.open(std::move(get));
  if (!stream) co_return false;
  const int status = (*stream)->status();
  if (status == 404) {
    stream->reset();
    co_return co_await renew(session);
  }
  if (status < 300 && GatewayLink::is_event_stream((*stream)->head())) {
    (void)co_await link_.read(**stream, reading);
    co_return true;
  }
  refused = status < 500 && status != 429;  // 405: it has no such stream
  co_return false;
}

Task<void> BridgeSession::end() {
  if (session_.empty()) co_return;
  net::EgressRequest r = request("DELETE", "", seconds(3));
  session_.clear();
  version_.clear();
  (void)co_await link_.discard(std::move(r));
}

Task<void> BridgeSession::while_renewing() {
  while (renewing_) co_await renewed_.async_wait(use_task_ec);
}

Task<bool> BridgeSession::renew(const std::string& stale) {
  co_await while_renewing();
  if (session_ != stale) co_return !session_.empty();
  if (stale.empty() || initialize_.empty()) co_return false;
  struct Guard {
    BridgeSession& of;
    std::string session, version;
    explicit Guard(BridgeSession& s)
        : of(s), session(std::exchange(s.session_, {})), version(std::exchange(s.version_, {})) {
      of.renewing_ = true;
    }
    ~Guard() {
      of.renewing_ = false;
      if (of.session_.empty()) of.session_ = session, of.version_ = version;  // the next request tries again
      of.renewed_.cancel();
    }
  };
  const Guard guard(*this);
  lines_.log("the gateway does not know the session any more; beginning a new one");
  co_return co_await begin_again();
}

// The client's own initialize once more; its answer is not the client's.
Task<bool> BridgeSession::begin_again() {
  Reading reading;
  reading.sink = [this](std::string_view text) { note_initialize(text); };
  reading.enough = [this] { return !version_.empty(); };
  reading.linger = seconds(0);
  std::string refusal;
  const auto first = co_await post(own(initialize_, "initialize"), reading, refusal);
  if (!first || *first >= 300 || session_.empty()) co_return false;
  const auto second =
      co_await post(own(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", ""), reading, refusal);
  co_return second && *second < 300;
}

void BridgeSession::note_session(const net::ResponseHead& head) {
  const auto id = head.find("mcp-session-id");
  if (id && is_session_id(*id)) session_ = *id;
}

void BridgeSession::note_initialize(std::string_view answer) {
  const auto document = json::read_upstream_document(answer);
  if (!document) return;
  const auto result = document->root().find("result");
  if (!result) return;
  version_ = result->string_at("protocolVersion").value_or("");
  if (!net::valid_field_value(version_)) version_.clear();
}

}  // namespace sallyport::cli
