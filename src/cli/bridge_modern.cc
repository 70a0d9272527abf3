#include "cli/bridge_modern.h"

#include <algorithm>

#include "json/document.h"
#include "json/slice.h"

namespace sallyport::cli {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kRefusalMax = 1U << 20;
constexpr int kPagesMax = 200;
constexpr std::string_view kListId = R"("sallyport-stdio-list")";

bool is_listen(const ClientMessage& message) { return message.is("subscriptions/listen"); }

bool is_header_mismatch(std::string_view body) {
  const auto document = json::read_upstream_document(body);
  if (!document) return false;
  const auto code = document->root().find("error").value_or(json::Value()).find("code");
  return code && code->raw() == "-32020";
}

bool is_list_changed(std::string_view text) {
  const auto document = json::read_upstream_document(text, {.bytes_max = kMessageMax, .depth_max = 256});
  return document && document->root().string_at("method") == "notifications/tools/list_changed";
}

}  // namespace

BridgeModern::Running::Running(const ClientLines& lines, ClientMessage m, Executor executor)
    : message(std::move(m)),
      owed(lines, message.ids),
      group(executor, [&lines](const char* what) { lines.log(what); }) {}

void BridgeModern::start(ClientMessage message) {
  reap();
  const auto listens = std::ranges::count_if(running_, [](const Running& one) { return is_listen(one.message); });
  Running& one = running_.emplace_back(lines_, std::move(message), executor_);
  if (is_listen(one.message) && static_cast<std::size_t>(listens) >= kListensMax) {
    one.owed.because(Code::limit, "Too many subscriptions at once");
    return one.owed.fail();
  }
  one.group.spawn(run(one));
}

// The entry of a request that has ended; not from inside its own task, whose group must outlive it.
void BridgeModern::reap() {
  std::erase_if(running_, [](const Running& one) { return one.group.size() == 0; });
}

Task<void> BridgeModern::run(Running& one) {
  struct Settle {  // before the group is joined: the answer must not wait for the next line
    Owed& owed;
    ~Settle() { owed.fail(); }
  };
  const Settle settle{one.owed};
  if (is_listen(one.message)) {
    co_await ask(one, false);
    co_return;
  }
  co_await slots_.wait();
  const Slots::Hold hold(slots_);
  const bool calls = one.message.is("tools/call");
  if (calls && tools_.unknown(one.message.name)) co_await list_tools(one.message);
  if (!co_await ask(one, calls)) co_return;
  tools_.forget();  // its schema is another now
  co_await list_tools(one.message);
  co_await ask(one, false);
}

Task<bool> BridgeModern::ask(Running& one, bool may_retry) {
  const seconds silence = is_listen(one.message) ? seconds(hours(24)) : kAnswer;
  net::EgressRequest post = link_.request("POST", one.message.text, silence);
  for (auto& header : tools_.of(one.message)) post.headers.push_back(std::move(header));
  auto stream = co_await link_.open(std::move(post));
  if (!stream) {
    lines_.log("the gateway cannot be reached: " + stream.error().detail);
    one.owed.because(stream.error().code, "The gateway cannot be reached");
    co_return false;
  }
  if ((*stream)->status() >= 300) co_return co_await refused(one, **stream, may_retry);
  Reading reading;
  reading.sink = [&](std::string_view text) { take(one, text); };
  reading.enough = [&one] { return one.owed.settled(); };
  reading.silence = silence;
  const auto done = co_await link_.read(**stream, reading);
  if (!done && !one.owed.settled()) lines_.log("an answer of the gateway broke off: " + done.error().detail);
  co_return false;
}

Task<bool> BridgeModern::refused(Running& one, net::EgressStream& stream, bool may_retry) {
  const auto body = co_await GatewayLink::body(stream, kRefusalMax);
  const std::string text = body.value_or("");
  if (may_retry && is_header_mismatch(text)) co_return true;
  one.owed.refused(stream.status(), text);
  co_return false;
}

void BridgeModern::take(Running& one, std::string_view text) {
  if (one.message.is("tools/list")) (void)tools_.note_list(text);
  if (is_listen(one.message) && is_list_changed(text)) tools_.stale();
  lines_.deliver(text, &one.owed, false);
}

Task<void> BridgeModern::list_tools(const ClientMessage& message) {
  if (listing_) {
    while (listing_) co_await listed_.async_wait(use_task_ec);
    co_return;
  }
  struct Guard {
    BridgeModern& of;
    explicit Guard(BridgeModern& b) : of(b) { of.listing_ = true; }
    ~Guard() {
      of.listing_ = false;
      of.listed_.cancel();
    }
  };
  const Guard guard(*this);
  std::optional<std::string> cursor;
  for (int page = 0; page < kPagesMax; ++page) {
    const std::string answer = co_await list_page(message, cursor);
    if (answer.empty()) co_return;  // the call goes without: the gateway says what is wrong
    cursor = tools_.note_list(answer);
    if (!cursor) co_return tools_.complete();
  }
}

Task<std::string> BridgeModern::list_page(const ClientMessage& message, const std::optional<std::string>& cursor) {
  ClientMessage list;
  list.method = "tools/list";
  list.version = message.version;
  list.text = list_request(message, kListId, cursor);
  net::EgressRequest post = link_.request("POST", list.text, seconds(60));
  for (auto& header : tools_.of(list)) post.headers.push_back(std::move(header));
  auto stream = co_await link_.open(std::move(post));
  std::string answer;
  if (!stream || (*stream)->status() >= 300) co_return answer;
  Reading reading;
  reading.silence = seconds(60);
  reading.sink = [&answer](std::string_view text) {
    const auto line = json::read_upstream(text, {.bytes_max = kMessageMax, .depth_max = 256});
    if (line && json::member(*line, "id") == kListId && json::member(*line, "result")) answer = *line;
  };
  reading.enough = [&answer] { return !answer.empty(); };
  (void)co_await link_.read(**stream, reading);
  co_return answer;
}

bool BridgeModern::cancel(std::string_view raw_id) {
  for (Running& one : running_) {
    if (!one.owed.owes(raw_id)) continue;
    (void)one.owed.forgive();
    one.group.cancel();
    return true;
  }
  return false;
}

void BridgeModern::cancel_all() {
  for (Running& one : running_) one.group.cancel();
}

Task<void> BridgeModern::finish() {
  for (Running& one : running_) {
    if (!is_listen(one.message)) continue;
    (void)one.owed.forgive();
    one.group.cancel();
  }
  for (Running& one : running_) co_await one.group.join();
  running_.clear();
}

}  // namespace sallyport::cli
