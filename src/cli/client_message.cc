#include "cli/client_message.h"

#include "core/error.h"
#include "json/document.h"

namespace sallyport::cli {
namespace {

using Kind = ClientMessage::Kind;

constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";

// MCP: a string or a number, never null.
bool is_id(json::Value id) { return id.is_string() || id.is_number(); }

Kind kind_of(json::Value message, std::string& raw_id) {
  if (!message.is_object()) return Kind::invalid;
  const auto id = message.find("id");
  if (id && is_id(*id)) raw_id = id->raw();
  const auto method = message.find("method");
  if (method) {
    if (!method->is_string() || (id && !is_id(*id))) return Kind::invalid;
    return id ? Kind::request : Kind::notification;
  }
  const bool answers = id && is_id(*id) && (message.find("result") || message.find("error"));
  return answers ? Kind::response : Kind::invalid;
}

ClientMessage refused(int code, std::string why, std::string raw_id = {}) {
  ClientMessage out;
  out.error_code = code;
  out.error = std::move(why);
  if (!raw_id.empty()) out.ids.push_back(std::move(raw_id));
  return out;
}

// What a POST without a session says in headers (MCP 2026-07-28, Streamable HTTP, headers).
void read_params(json::Value params, ClientMessage& out) {
  if (const auto meta = params.find("_meta")) {
    const auto version = meta->find(kVersionKey);
    out.modern = version.has_value();
    if (version) out.version = version->as_string().value_or("");
  }
  std::string_view key;
  if (out.is("tools/call") || out.is("prompts/get")) key = "name";
  if (out.is("resources/read")) key = "uri";
  if (out.is("tasks/get") || out.is("tasks/update") || out.is("tasks/cancel")) key = "taskId";
  if (!key.empty()) out.name = params.string_at(key).value_or("");
  if (!out.is("notifications/cancelled")) return;
  if (const auto id = params.find("requestId"); id && is_id(*id)) out.cancels = id->raw();
}

// Batches of responses alone are a response: they must not wait for anything.
ClientMessage read_batch(json::Value batch) {
  ClientMessage out;
  out.kind = Kind::response;
  for (const json::Value element : batch.elements()) {
    std::string id;
    const Kind kind = kind_of(element, id);
    if (kind == Kind::invalid)
      return refused(info(Code::invalid_request).jsonrpc_code, "A batch holds what is no message");
    if (kind != Kind::response) out.kind = Kind::batch;
    if (kind == Kind::request) out.ids.push_back(std::move(id));
  }
  if (batch.size() == 0) return refused(info(Code::invalid_request).jsonrpc_code, "A batch is empty");
  return out;
}

ClientMessage read_one(json::Value root) {
  ClientMessage out;
  std::string id;
  out.kind = kind_of(root, id);
  if (out.kind == Kind::invalid) {
    return refused(info(Code::invalid_request).jsonrpc_code, "Not a JSON-RPC message", std::move(id));
  }
  if (out.kind == Kind::response) return out;
  out.method = root.string_at("method").value_or("");
  if (out.kind == Kind::request) out.ids.push_back(std::move(id));
  if (const auto params = root.find("params")) read_params(*params, out);
  return out;
}

}  // namespace

ClientMessage read_client_line(std::string_view line) {
  auto document = json::read(line, {.bytes_max = kMessageMax, .depth_max = 256});
  if (!document) {
    const bool grammar = document.error().code != Code::invalid_request;
    const int code = info(grammar ? Code::parse_error : Code::invalid_request).jsonrpc_code;
    return refused(code, (grammar ? "Parse error: " : "Invalid request: ") + document.error().detail);
  }
  ClientMessage out = document->root().is_array() ? read_batch(document->root()) : read_one(document->root());
  if (out.kind != Kind::invalid) out.text = std::move(*document).release_text();
  return out;
}

}  // namespace sallyport::cli
