#include "request/upstream/codec.h"

#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/envelope.h"

namespace sallyport::upstream {

bool ServerInfo::has(std::string_view capability) const {
  const auto member = json::member(capabilities, capability);
  return member && json::is_object(*member);
}

namespace legacy {
namespace {

// Capabilities as 2025-11-25 writes them. What is not forwarded is not declared: a server must not ask for it (MCP,
// Lifecycle), and a client's roots would replace the operator's allowed folders (mcp-spec.md, 6).
std::string capabilities(const std::vector<std::string>& forwards) {
  const auto has = [&](std::string_view name) { return std::ranges::find(forwards, name) != forwards.end(); };
  json::Writer out;
  out.object();
  if (has("elicitation")) out.member_raw("elicitation", R"({"form":{},"url":{}})");
  if (has("sampling")) out.member_raw("sampling", "{}");
  if (has("roots")) out.member_raw("roots", "{}");
  return out.end_object().take();
}

}  // namespace

Result<std::string> request(std::uint64_t id, const Call& call) {
  if (!call.params.empty() && !json::is_object(call.params)) return fail(Code::invalid_params, "params is no object");
  const auto number = std::to_string(id);
  const auto meta = json::member(call.params, "_meta");
  if (!meta && !call.wants_progress) return one_line(envelope(number, call.method, call.params));
  std::string members = surviving_meta(meta.value_or(std::string_view{}));
  if (call.wants_progress) members.append(members.empty() ? "" : ",").append("\"progressToken\":").append(number);
  return one_line(envelope(number, call.method, with_meta(call.params, members)));
}

Result<std::string> notification(std::string_view method, std::string_view params) {
  return one_line(envelope({}, method, params));
}

std::string initialize(std::uint64_t id, const std::vector<std::string>& forwards) {
  json::Writer params;
  params.object().member("protocolVersion", kOfferedVersion).member_raw("capabilities", capabilities(forwards));
  params.key("clientInfo").object().member("name", "sallyport").member("version", "1").end_object().end_object();
  return envelope(std::to_string(id), "initialize", params.text());
}

std::string cancelled(std::uint64_t id, std::string_view reason) {
  json::Writer params;
  params.object().member("requestId", id).member("reason", reason).end_object();
  return envelope({}, "notifications/cancelled", params.text());
}

std::string answer(std::string_view raw_id, const Reply& reply) {
  std::string out = "{\"jsonrpc\":\"2.0\",\"id\":";
  out.append(raw_id).append(reply.is_error ? ",\"error\":" : ",\"result\":").append(reply.body);
  return out += '}';
}

Result<ServerInfo> read_initialize(std::string_view result) {
  const auto version = json::member(result, "protocolVersion");
  const auto capabilities = json::member(result, "capabilities");
  const auto server = json::member(result, "serverInfo");
  ServerInfo info;
  const auto text = json::decode_string(version.value_or(""));
  const auto revision = text ? revision_from(*text) : std::nullopt;
  if (!revision || is_modern(*revision))  // the modern one has no initialize
    return fail(Code::upstream_protocol, "initialize: protocolVersion is none that we speak");
  info.revision = *revision;
  info.protocol_version = *text;
  if (!capabilities || !json::is_object(*capabilities))
    return fail(Code::upstream_protocol, "initialize: no capabilities");
  info.capabilities = *capabilities;
  info.server_info = server && json::is_object(*server) ? std::string(*server) : "{}";
  if (const auto words = json::member(result, "instructions"))
    info.instructions = json::decode_string(*words).value_or("");
  return info;
}

}  // namespace legacy

Reply method_not_found(std::string_view method) {
  json::Writer error;
  error.object().member("code", -32601).member("message", "Method not found: " + std::string(method.substr(0, 128)));
  return {true, error.end_object().take()};
}

Task<Reply> CallEvents::on_request(std::string method, std::string /*params*/) { co_return method_not_found(method); }

}  // namespace sallyport::upstream
