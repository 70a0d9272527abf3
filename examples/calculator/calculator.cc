// sallyport-calculator: a complete MCP server over stdio in one file, as an example to copy.
// MCP 2025-06-18 and 2025-11-25: one JSON-RPC message a line on stdin and stdout, nothing else on stdout.
//
// The main thread reads and answers; the one slow tool runs on a thread of its own, so that a cancellation can be read
// while it works.

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "json/document.h"
#include "json/writer.h"

namespace {

namespace json = sallyport::json;

constexpr std::size_t kLineBytesMax = 1U << 20;
constexpr std::size_t kSlowNumbersMax = 1000;
constexpr std::size_t kSlowCallsMax = 16;

constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kMethodNotFound = -32601;
constexpr int kInvalidParams = -32602;
constexpr int kResourceNotFound = -32002;  // legacy revisions (MCP, resources, error handling)

// --- Output: one line a message, whole, whichever thread writes it. -------------------------------------------------

std::mutex output_mutex;

void send(const std::string& message) {
  const std::lock_guard lock(output_mutex);
  std::string line = message + "\n";
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t put = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (put < 0 && errno != EINTR) std::_Exit(1);  // nobody listens any more
    if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
  }
}

// `id` and `result` are JSON text.
void send_result(std::string_view id, std::string_view result) {
  json::Writer out;
  out.object().member("jsonrpc", "2.0").member_raw("id", id).member_raw("result", result).end_object();
  send(out.take());
}

void send_error(std::string_view id, int code, std::string_view message) {
  json::Writer out;
  out.object().member("jsonrpc", "2.0").member_raw("id", id).key("error").object();
  out.member("code", code).member("message", message).end_object().end_object();
  send(out.take());
}

// --- Tool results. An error of the tool's own business is a result with isError, not a JSON-RPC error. --------------

std::string text_result(std::string_view text, std::string_view structured, bool is_error) {
  json::Writer out;
  out.object().key("content").array().object().member("type", "text").member("text", text).end_object().end_array();
  if (!structured.empty()) out.member_raw("structuredContent", structured);
  if (is_error) out.member("isError", true);
  return out.end_object().take();
}

std::string number_result(double value) {
  if (!(value >= std::numeric_limits<double>::lowest() && value <= std::numeric_limits<double>::max())) {
    return text_result("The result is too large.", {}, true);
  }
  std::string text;
  json::append_number(text, value);
  return text_result(text, "{\"result\":" + text + "}", false);
}

// --- What the server offers. ----------------------------------------------------------------------------------------

std::string binary_tool(std::string_view name, std::string_view title, std::string_view description) {
  return std::string("{\"name\":\"").append(name).append("\",\"title\":\"").append(title).append("\",\"description\":\"")
      .append(description).append("\",").append(R"("inputSchema":{"type":"object","properties":{)"
      R"("a":{"type":"number","description":"first operand"},"b":{"type":"number","description":"second operand"}},)"
      R"("required":["a","b"],"additionalProperties":false},)"
      R"("outputSchema":{"type":"object","properties":{"result":{"type":"number"}},"required":["result"]},)"
      R"("annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}})");
}

std::string tool_list() {
  return "{\"tools\":[" + binary_tool("add", "Add", "Adds two numbers.") + "," +
         binary_tool("subtract", "Subtract", "Subtracts b from a.") + "," +
         binary_tool("multiply", "Multiply", "Multiplies two numbers.") + "," +
         binary_tool("divide", "Divide", "Divides a by b.") +
         R"(,{"name":"slow_sum","title":"Slow sum","description":"Adds a list of numbers, one step at a time, and )"
         R"(reports progress. Can be cancelled.","inputSchema":{"type":"object","properties":{"numbers":{"type":"array",)"
         R"("items":{"type":"number"},"maxItems":1000},"step_ms":{"type":"integer","minimum":0,"maximum":1000,)"
         R"("default":10,"description":"pause before each step"}},"required":["numbers"],"additionalProperties":false},)"
         R"("outputSchema":{"type":"object","properties":{"result":{"type":"number"}},"required":["result"]},)"
         R"("annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}}]})";
}

constexpr std::string_view kResources =
    R"({"resources":[{"uri":"calc://constants","name":"constants","title":"Constants","description":)"
    R"("Well-known constants.","mimeType":"application/json"}]})";
constexpr std::string_view kConstants =
    R"({"contents":[{"uri":"calc://constants","mimeType":"application/json",)"
    R"("text":"{\"pi\":3.141592653589793,\"e\":2.718281828459045,\"phi\":1.618033988749895}"}]})";
constexpr std::string_view kPrompts =
    R"({"prompts":[{"name":"explain","title":"Explain a calculation","description":"Asks for the steps of a )"
    R"(calculation.","arguments":[{"name":"expression","description":"what to explain","required":true}]}]})";

// --- The slow tool. -------------------------------------------------------------------------------------------------

struct SlowCall {
  std::string id;              // JSON text
  std::string progress_token;  // JSON text; empty: the client wants no progress
  std::vector<double> numbers;
  std::chrono::milliseconds step{10};
  std::atomic<bool> cancelled{false};
  std::atomic<bool> done{false};
  std::mutex mutex;
  std::condition_variable wake;
  std::thread thread;
};

void send_progress(const SlowCall& call, std::size_t progress) {
  if (call.progress_token.empty()) return;
  json::Writer out;
  out.object().member("jsonrpc", "2.0").member("method", "notifications/progress").key("params").object();
  out.member_raw("progressToken", call.progress_token).member("progress", progress).member("total", call.numbers.size());
  out.end_object().end_object();
  send(out.take());
}

void run_slow_sum(SlowCall& call) {
  double sum = 0;
  for (std::size_t i = 0; i < call.numbers.size() && !call.cancelled; ++i) {
    std::unique_lock lock(call.mutex);
    call.wake.wait_for(lock, call.step, [&call] { return call.cancelled.load(); });
    lock.unlock();
    sum += call.numbers[i];
    if (!call.cancelled) send_progress(call, i + 1);
  }
  if (!call.cancelled) send_result(call.id, number_result(sum));  // MCP, cancellation: no answer to a cancelled request
  call.done = true;
}

// --- The server. ----------------------------------------------------------------------------------------------------

class Server {
 public:
  ~Server() {
    for (auto& [id, call] : slow_) cancel(*call);
    for (auto& [id, call] : slow_) call->thread.join();
  }

  // One line of input: read strictly (size, UTF-8, duplicate keys), then answered.
  void handle(std::string_view line) {
    const auto document = json::read(line);
    if (!document) return send_error("null", kParseError, "not a valid JSON message");
    const json::Value message = document->root();
    const auto id = message.find("id");
    const auto method = message.string_at("method");
    if (message.string_at("jsonrpc") != "2.0" || (id && !id->is_string() && !id->as_int64())) {
      return send_error("null", kInvalidRequest, "not a JSON-RPC 2.0 request");
    }
    if (!method) return;  // an answer: this server asks nothing
    const json::Value params = message.find("params").value_or(json::Value());
    if (!id) return notification(*method, params);
    request(id->raw(), *method, params);
  }

 private:
  void notification(std::string_view method, json::Value params) {
    if (method != "notifications/cancelled") return;
    const auto id = params.find("requestId");
    const auto call = id ? slow_.find(std::string(id->raw())) : slow_.end();
    if (call != slow_.end()) cancel(*call->second);
  }

  void request(std::string_view id, std::string_view method, json::Value params) {
    if (method == "initialize") return send_result(id, initialize(params));
    if (method == "ping") return send_result(id, "{}");
    if (method == "tools/list") return send_result(id, tool_list());
    if (method == "tools/call") return call_tool(id, params);
    if (method == "resources/list") return send_result(id, kResources);
    if (method == "resources/templates/list") return send_result(id, R"({"resourceTemplates":[]})");
    if (method == "resources/read") return read_resource(id, params);
    if (method == "prompts/list") return send_result(id, kPrompts);
    if (method == "prompts/get") return get_prompt(id, params);
    send_error(id, kMethodNotFound, "method not found");
  }

  // MCP, lifecycle: the version asked for if it is known, else the latest this server knows.
  static std::string initialize(json::Value params) {
    const auto asked = params.string_at("protocolVersion");
    const bool known = asked == "2025-06-18" || asked == "2025-11-25";
    json::Writer out;
    out.object().member("protocolVersion", known ? *asked : std::string_view("2025-11-25"));
    out.member_raw("capabilities", R"({"tools":{},"resources":{},"prompts":{}})");
    out.key("serverInfo").object().member("name", "sallyport-calculator").member("title", "Calculator");
    out.member("version", "0.1.0").end_object();
    return out.member("instructions", "Adds, subtracts, multiplies and divides numbers.").end_object().take();
  }

  void call_tool(std::string_view id, json::Value params) {
    const auto name = params.string_at("name").value_or("");
    const json::Value arguments = params.find("arguments").value_or(json::Value());
    if (name == "slow_sum") return start_slow(id, params, arguments);
    if (name != "add" && name != "subtract" && name != "multiply" && name != "divide") {
      return send_error(id, kInvalidParams, "unknown tool");
    }
    const auto a = number_at(arguments, "a");
    const auto b = number_at(arguments, "b");
    if (!a || !b || arguments.size() != 2) {
      return send_result(id, text_result("a and b must be numbers, and nothing else is taken.", {}, true));
    }
    if (name == "divide" && *b == 0) return send_result(id, text_result("Division by zero.", {}, true));
    send_result(id, number_result(name == "add"        ? *a + *b
                                  : name == "subtract" ? *a - *b
                                  : name == "multiply" ? *a * *b
                                                       : *a / *b));
  }

  void start_slow(std::string_view id, json::Value params, json::Value arguments) {
    std::erase_if(slow_, [](auto& entry) {
      if (entry.second->done) entry.second->thread.join();
      return !entry.second->thread.joinable();
    });
    const auto numbers = arguments.find("numbers");
    const auto step = arguments.find("step_ms");
    auto call = std::make_unique<SlowCall>();
    bool good = numbers && numbers->is_array() && numbers->size() <= kSlowNumbersMax;
    if (good) {
      for (const json::Value item : numbers->elements()) {
        good = good && item.as_double().has_value();
        call->numbers.push_back(item.as_double().value_or(0));
      }
    }
    const auto step_ms = step ? step->as_int64().value_or(-1) : 10;
    if (!good || step_ms < 0 || step_ms > 1000) {
      return send_result(id, text_result("numbers must be at most 1000 numbers, step_ms 0 to 1000.", {}, true));
    }
    if (slow_.size() >= kSlowCallsMax || slow_.contains(std::string(id))) {
      return send_result(id, text_result("Too many slow calls at once.", {}, true));
    }
    call->step = std::chrono::milliseconds(step_ms);
    call->id = id;
    if (const auto meta = params.find("_meta")) {
      if (const auto token = meta->find("progressToken")) call->progress_token = token->raw();
    }
    SlowCall& running = *slow_.emplace(std::string(id), std::move(call)).first->second;
    running.thread = std::thread([&running] { run_slow_sum(running); });
  }

  void read_resource(std::string_view id, json::Value params) {
    if (params.string_at("uri") == "calc://constants") return send_result(id, kConstants);
    send_error(id, kResourceNotFound, "resource not found");
  }

  void get_prompt(std::string_view id, json::Value params) {
    const auto arguments = params.find("arguments");
    const auto expression = arguments ? arguments->string_at("expression") : std::nullopt;
    if (params.string_at("name") != "explain" || !expression) {
      return send_error(id, kInvalidParams, "prompt explain needs the argument expression");
    }
    json::Writer out;
    out.object().key("messages").array().object().member("role", "user").key("content").object();
    out.member("type", "text").member("text", "Explain step by step: " + std::string(*expression));
    send_result(id, out.end_object().end_object().end_array().end_object().take());
  }

  static std::optional<double> number_at(json::Value object, std::string_view key) {
    const auto value = object.find(key);
    return value ? value->as_double() : std::nullopt;
  }

  static void cancel(SlowCall& call) {
    const std::lock_guard lock(call.mutex);
    call.cancelled = true;
    call.wake.notify_all();
  }

  std::map<std::string, std::unique_ptr<SlowCall>> slow_;  // by the JSON text of the request's id
};

// Feeds whole lines to `server` until end of file. A line over the limit is answered once and skipped to its end.
void serve(Server& server) {
  std::string pending;
  bool skipping = false;
  char block[65536];
  for (ssize_t got = 0; (got = ::read(STDIN_FILENO, block, sizeof block)) > 0;) {
    std::string_view rest(block, static_cast<std::size_t>(got));
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
      pending.append(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (!skipping && pending.size() <= kLineBytesMax && !pending.empty()) server.handle(pending);
      if (!skipping && pending.size() > kLineBytesMax) send_error("null", kInvalidRequest, "line too long");
      pending.clear();
      skipping = false;
    }
    if (!skipping) pending.append(rest);
    if (pending.size() > kLineBytesMax) {
      send_error("null", kInvalidRequest, "line too long");
      pending.clear();
      skipping = true;
    }
  }
}

}  // namespace

int main() {
  Server server;
  serve(server);
  return 0;
}
