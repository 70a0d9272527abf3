#include "request/upstream/codec.h"

#include <array>
#include <cstring>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/incoming.h"

namespace sallyport::upstream {

bool ServerInfo::has(std::string_view capability) const {
  const auto member = json::member(capabilities, capability);
  return member && json::is_object(*member);
}

namespace legacy {
namespace {

constexpr std::array<std::string_view, 4> kSpoken{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

bool is_hop_key(std::string_view decoded) {
  return decoded == "progressToken" || decoded.starts_with("io.modelcontextprotocol/");
}

// The members of `meta` that pass on, comma-separated.
std::string surviving(std::string_view meta) {
  std::string out;
  json::for_each_member(meta, [&](std::string_view key, std::string_view value) {
    const std::string_view raw_key(key.data() - 1, key.size() + 2);
    const auto decoded = json::decode_string(raw_key);
    if (!decoded || is_hop_key(*decoded)) return;
    if (!out.empty()) out += ',';
    out.append(raw_key).append(1, ':').append(value);
  });
  return out;
}

// `params` with `_meta` made anew: what survives, and our progress token.
std::string with_meta(std::uint64_t id, std::string_view params, std::string_view meta, bool wants_progress) {
  std::string members = surviving(meta);
  if (wants_progress) {
    if (!members.empty()) members += ',';
    members += "\"progressToken\":" + std::to_string(id);
  }
  std::string out = meta.empty() ? std::string(params) : without_member(params, "_meta");
  if (out.empty()) out = "{}";
  if (members.empty()) return out;
  out.pop_back();
  if (out.size() > 1) out += ',';
  return out += "\"_meta\":{" + members + "}}";
}

// One message a line: nothing that we send may hold a line break.
Result<std::string> one_line(std::string text) {
  if (std::memchr(text.data(), '\n', text.size()) != nullptr || std::memchr(text.data(), '\r', text.size()) != nullptr)
    return fail(Code::invalid_params, "a message for a tool server holds a line break");
  return text;
}

std::string envelope(std::string_view id, std::string_view method, std::string_view params) {
  std::string out;
  out.reserve(64 + method.size() + params.size());
  out += "{\"jsonrpc\":\"2.0\"";
  if (!id.empty()) out.append(",\"id\":").append(id);
  out += ",\"method\":";
  json::append_string(out, method);
  if (!params.empty()) out.append(",\"params\":").append(params);
  return out += '}';
}

}  // namespace

bool speaks(std::string_view version) {
  for (const auto spoken : kSpoken)
    if (spoken == version) return true;
  return false;
}

Result<std::string> request(std::uint64_t id, const Call& call) {
  if (!call.params.empty() && !json::is_object(call.params)) return fail(Code::invalid_params, "params is no object");
  const auto number = std::to_string(id);
  const auto meta = json::member(call.params, "_meta");
  if (!meta && !call.wants_progress) return one_line(envelope(number, call.method, call.params));
  const auto raw = meta.value_or(std::string_view{});
  return one_line(envelope(number, call.method, with_meta(id, call.params, raw, call.wants_progress)));
}

Result<std::string> notification(std::string_view method, std::string_view params) {
  return one_line(envelope({}, method, params));
}

std::string initialize(std::uint64_t id) {
  json::Writer params;
  params.object().member("protocolVersion", kOfferedVersion);
  // Roots are not declared: a client's roots replace the operator's allowed folders in real servers (mcp-spec.md, 6).
  params.member_raw("capabilities", "{}");
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
  if (auto text = json::decode_string(version.value_or("")); text && speaks(*text)) info.protocol_version = *text;
  else return fail(Code::upstream_protocol, "initialize: protocolVersion is none that we speak");
  if (!capabilities || !json::is_object(*capabilities))
    return fail(Code::upstream_protocol, "initialize: no capabilities");
  info.capabilities = *capabilities;
  info.server_info = server && json::is_object(*server) ? std::string(*server) : "{}";
  if (const auto text = json::member(result, "instructions"))
    info.instructions = json::decode_string(*text).value_or("");
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
