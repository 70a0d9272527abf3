// JSON-RPC batches, which MCP 2025-03-26 alone has: an array of requests and notifications, or of responses. Each element
// goes the whole way of a request, with evidence and a token of its own; together they get one array, or the events of
// one stream where any of them had something to say before its answer.
#include <algorithm>

#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

constexpr std::size_t kBatchMax = 50;  // elements: each may be a call that runs beside the others

struct Element {
  std::unique_ptr<Flow> flow;
  Result<void> read;
  std::string answer;
  bool answered = false;  // it is on its way as an event

  [[nodiscard]] bool wants_answer() const { return !read || flow->message->kind == mcp::Kind::request; }
};

// One of them, as if it had come alone; "<request id>.<n>" ties it to the POST.
Element element_of(const Flow& whole, std::string_view raw, std::size_t number, const json::ReadLimits& limits) {
  Element one{.flow = std::make_unique<Flow>(whole.snapshot), .read = {}, .answer = {}};
  Flow& f = *one.flow;
  f.started = whole.started;
  f.now = whole.now;
  f.stage = Stage::mcp;
  f.channel = whole.channel;
  f.route = whole.route;
  f.principal = whole.principal;
  f.address = whole.address;
  f.scope = whole.scope;
  f.door = whole.door;
  f.limit_class = whole.limit_class;
  f.revision = whole.revision;
  f.session = whole.session;
  f.record = whole.record;
  f.record.request_id += "." + std::to_string(number);
  f.record.content_length = raw.size();
  auto message = mcp::read_message(raw, limits, f.rpc_id);
  if (!message) {
    one.read = fail(std::move(message).error());
    return one;
  }
  if (!message->envelope.version.empty()) {  // MCP 2026-07-28: no batches, and every request says so for itself
    one.read = fail(Code::invalid_request, "an envelope of 2026-07-28 in a batch");
    return one;
  }
  f.message = std::move(*message);
  f.record.rpc_method = f.message->method_name;
  return one;
}

// What must not stand in one array (MCP 2025-03-26, base protocol and lifecycle).
Result<void> check_mixture(const std::vector<Element>& elements) {
  bool responses = false, others = false;
  for (const Element& one : elements) {
    if (!one.read) continue;
    const mcp::Message& message = *one.flow->message;
    if (message.method == mcp::Method::initialize) return fail(Code::invalid_request, "initialize in a batch");
    (message.kind == mcp::Kind::response ? responses : others) = true;
  }
  if (responses && others) return fail(Code::invalid_request, "a batch of responses and requests");
  return {};
}

Result<void> check_array(const Flow& f) {
  if (f.session->revision != Revision::r2025_03_26 || f.door != mcp::Door::streamable) {
    return no_batches();
  }
  const std::size_t size = f.batch->root().size();
  if (size == 0) return fail(Code::invalid_request, "an empty batch");
  if (size > kBatchMax)
    return fail(Code::invalid_request, "a batch of more than " + std::to_string(kBatchMax) + " messages");
  return {};
}

// All answers that are not on their way yet: what the stream ends with, or the array.
std::string rest_of(std::vector<Element>& elements, mcp::EventStream* stream) {
  std::string array = "[";
  std::string last;
  for (Element& one : elements) {
    if (one.answer.empty() || one.answered) continue;
    if (stream != nullptr && !last.empty()) stream->push(std::move(last));
    if (stream != nullptr) {
      last = std::move(one.answer);
    } else {
      array.append(array.size() > 1 ? "," : "").append(one.answer);
    }
  }
  return stream != nullptr ? last : array.size() > 1 ? array + "]" : "";
}

}  // namespace

// From authorization to the outcome, for what shares a connection with others or has none.
Task<Result<void>> Pipeline::conclude(Flow& f) {
  Result<void> done;
  try {
    done = co_await perform(f);
  } catch (const std::exception& e) {
    done = fail(Code::internal, e.what());
  }
  if (auto written = co_await outcome(f, done); !written) done = fail(std::move(written).error());
  co_return done;
}

Task<Result<void>> Pipeline::serve_batch(Flow& f) {
  SP_CO_CHECK(check_array(f));
  std::vector<Element> elements;
  for (const json::Value item : f.batch->root().elements()) {
    elements.push_back(element_of(f, item.raw(), elements.size() + 1, fleet_.settings.json));
  }
  SP_CO_CHECK(check_mixture(elements));
  f.record.action = "batch";
  f.record.evidence = std::to_string(elements.size()) + " messages";
  open_events(f);
  auto left = static_cast<std::size_t>(std::ranges::count_if(elements, &Element::wants_answer));
  auto serve_one = [this, &f, &left](Element& one) -> Task<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    one.flow->events = f.events;
    Result<void> done = one.read ? co_await conclude(*one.flow) : co_await outcome(*one.flow, one.read);
    if (!one.wants_answer()) co_return;
    if (!one.read) done = one.read;
    one.answer = rpc_answer(*one.flow, done);
    one.answered = --left > 0 && f.events->opened();  // the last one ends the stream
    if (one.answered) f.events->push(std::exchange(one.answer, {}));
  };
  TaskGroup serving(w_.executor,
                    [this](const char* what) { fleet_.log.error("batch element failed", {{"what", what}}); });
  for (Element& one : elements) serving.spawn(serve_one(one));
  co_await serving.join();
  const bool streamed = f.events->settle();
  std::string rest = rest_of(elements, streamed ? f.events.get() : nullptr);
  if (streamed) {
    f.whole_answer = std::move(rest);
  } else if (rest.empty()) {
    f.response = net::Response{.status = 202};
  } else {
    f.response = net::Response{.content_type = "application/json", .body = std::move(rest)};
  }
  co_return Result<void>{};
}

}  // namespace sallyport
