#include "cli/client_lines.h"

#include <algorithm>

#include "cli/client_message.h"
#include "json/document.h"
#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::cli {
namespace {

constexpr json::ReadLimits kLimits{.bytes_max = kMessageMax, .depth_max = 256};

bool is_jsonrpc(std::string_view message) {
  return json::is_object(message) && json::member(message, "jsonrpc") == R"("2.0")";
}

bool same_id(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (!json::is_string(a) || !json::is_string(b)) return false;
  const auto left = json::decode_string(a);
  const auto right = json::decode_string(b);
  return left && right && *left == *right;
}

Code code_of(int status) {
  if (status == 401) return Code::unauthenticated;
  if (status == 403) return Code::access_denied;
  if (status == 429) return Code::rate_limited;
  return Code::upstream_refused;
}

// The text of the gateway's own errors, {"error":{"message":...}}.
std::string text_of(std::string_view body, int status) {
  if (const auto document = json::read_upstream_document(body)) {
    const auto error = document->root().find("error").value_or(json::Value());
    if (const auto said = error.string_at("message")) return std::string(*said);
  }
  return "The gateway answered " + std::to_string(status);
}

}  // namespace

void ClientLines::deliver(std::string_view text, Owed* owed, bool may_ask) const {
  const auto line = json::read_upstream(text, kLimits);
  if (!line) return log("the gateway sent what is no JSON");
  if (json::is_array(*line)) return deliver_batch(*line, owed, may_ask);
  if (answer_all(*line, owed)) return;
  if (passes(*line, owed, may_ask)) options_.out(*line);
}

// An answer to a batch (2025-03-26) stays one; what is not for the client is taken out of it.
void ClientLines::deliver_batch(std::string_view array, Owed* owed, bool may_ask) const {
  std::string out;
  json::for_each_element(array, [&](std::string_view element) {
    if (passes(element, owed, may_ask)) out.append(out.empty() ? "[" : ",").append(element);
  });
  if (!out.empty()) options_.out(out + "]");
}

bool ClientLines::passes(std::string_view message, Owed* owed, bool may_ask) const {
  const auto method = json::member(message, "method");
  const auto id = json::member(message, "id");
  const bool answers = json::member(message, "result") || json::member(message, "error");
  if (!is_jsonrpc(message) || (method ? !json::is_string(*method) : !answers || !id)) {
    log("the gateway sent what is no JSON-RPC message");
    return false;
  }
  if (method) {
    if (id && !may_ask) log("the gateway asked the client where no request may come");
    return !id || may_ask;
  }
  if (owed != nullptr && owed->pay(*id)) return true;
  log("the gateway sent an answer that nobody waits for");
  return false;
}

// Peers that did not read the id leave it out or say null (mcp-spec.md section 2.5): the client gets its own back.
bool ClientLines::answer_all(std::string_view message, Owed* owed) const {
  const auto error = json::member(message, "error");
  const bool nameless = json::member(message, "id").value_or("null") == "null";
  if (!is_jsonrpc(message) || !error || !json::is_object(*error) || !nameless || json::member(message, "method"))
    return false;
  if (owed == nullptr || owed->settled()) return false;
  for (const std::string& id : owed->forgive()) {
    json::Writer w;
    w.object().member("jsonrpc", "2.0").member_raw("id", id).member_raw("error", *error).end_object();
    options_.out(w.text());
  }
  return true;
}

void ClientLines::error(std::string_view raw_id, int code, std::string_view message) const {
  json::Writer w;
  w.object().member("jsonrpc", "2.0").member_raw("id", raw_id.empty() ? "null" : raw_id).key("error").object();
  w.member("code", code).member("message", message).end_object().end_object();
  options_.out(w.text());
}

void Owed::fail() {
  for (const std::string& id : forgive()) lines_.error(id, info(code_).jsonrpc_code, message_);
}

bool Owed::owes(std::string_view raw_id) const {
  return std::ranges::any_of(ids_, [&](const std::string& id) { return same_id(id, raw_id); });
}

bool Owed::pay(std::string_view raw_id) {
  const auto found = std::ranges::find_if(ids_, [&](const std::string& id) { return same_id(id, raw_id); });
  if (found == ids_.end()) return false;
  ids_.erase(found);
  return true;
}

void Owed::because(Code code, std::string message) {
  code_ = code;
  message_ = std::move(message);
}

void Owed::refused(int status, std::string_view body) {
  because(code_of(status), text_of(body, status));
  lines_.log("the gateway answered " + std::to_string(status));
  const auto line = json::read_upstream(body, kLimits);
  if (line && is_jsonrpc(*line) && !settled()) lines_.deliver(*line, this, false);
}

}  // namespace sallyport::cli
