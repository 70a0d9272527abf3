#include "request/upstream/modern.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/envelope.h"
#include "request/upstream/incoming.h"

namespace sallyport::upstream::modern {
namespace {

constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";
constexpr std::array<std::string_view, 3> kMayAsk{"tools/call", "prompts/get", "resources/read"};
constexpr std::array<std::string_view, 6> kRemoved{"initialize",
                                                   "ping",
                                                   "logging/setLevel",
                                                   "resources/subscribe",
                                                   "resources/unsubscribe",
                                                   "notifications/initialized"};

template <class Number>
std::optional<Number> number(std::string_view raw) {
  Number value{};
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

// The members of `_meta` that every request of ours has, behind what survives of the client's.
std::string meta_members(std::string_view clients_meta, std::string_view capabilities, std::string_view log_level) {
  std::string out = surviving_meta(clients_meta);
  if (!out.empty()) out += ',';
  out += R"("io.modelcontextprotocol/protocolVersion":")";
  out.append(kVersion);
  out += R"(","io.modelcontextprotocol/clientInfo":{"name":"sallyport","version":"1"})";
  out += R"(,"io.modelcontextprotocol/clientCapabilities":)";
  out.append(capabilities.empty() ? "{}" : capabilities);
  if (!log_level.empty()) {
    out += R"(,"io.modelcontextprotocol/logLevel":)";
    json::append_string(out, log_level);
  }
  return out;
}

// The client's own words for these members never reach the server: a retry's come from where they were unsealed.
std::string with_retry(const Call& call) {
  std::string out = call.params.empty() ? "{}" : call.params;
  for (const auto* member : {"inputResponses", "requestState"})
    if (json::member(out, member)) out = without_member(out, member);
  const auto append = [&](std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    out.pop_back();
    if (out.size() > 1) out += ',';
    out.append(1, '"').append(key).append("\":").append(raw).append(1, '}');
  };
  append("inputResponses", call.input_responses);
  append("requestState", call.request_state);
  return out;
}

Result<void> check(const Call& call) {
  if (std::ranges::find(kRemoved, call.method) != kRemoved.end())
    return fail(Code::method_not_found, call.method + " is gone in " + std::string(kVersion));
  const auto object_or_none = [](std::string_view raw) { return raw.empty() || json::is_object(raw); };
  if (!object_or_none(call.params)) return fail(Code::invalid_params, "params is no object");
  if (!object_or_none(call.client_capabilities)) return fail(Code::invalid_params, "capabilities are no object");
  if (!object_or_none(call.input_responses)) return fail(Code::invalid_params, "inputResponses is no object");
  if (!call.request_state.empty() && !json::is_string(call.request_state))
    return fail(Code::invalid_params, "requestState is no string");
  if ((!call.input_responses.empty() || !call.request_state.empty()) && !may_ask(call.method))
    return fail(Code::invalid_params, call.method + " cannot have asked for input");
  return {};
}

// What Mcp-Name mirrors (mcp-spec.md, 4).
std::string_view name_member(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  return {};
}

std::optional<std::string> string_member(std::string_view object, std::string_view key) {
  auto text = json::decode_string(json::member(object, key).value_or(""));
  if (!text) return std::nullopt;
  return std::move(*text);
}

}  // namespace

bool may_ask(std::string_view method) noexcept { return std::ranges::find(kMayAsk, method) != kMayAsk.end(); }

Result<std::string> request(std::uint64_t id, const Call& call) {
  SP_CHECK(check(call));
  const std::string params = with_retry(call);
  const std::string number = std::to_string(id);
  std::string meta = meta_members(json::member(params, "_meta").value_or(""), call.client_capabilities, call.log_level);
  if (call.wants_progress) meta.append(",\"progressToken\":").append(number);
  return one_line(envelope(number, call.method, with_meta(params, meta)));
}

std::string discover(std::uint64_t id) {
  return envelope(std::to_string(id), "server/discover", with_meta({}, meta_members({}, {}, {})));
}

std::string listen(std::uint64_t id, const Interest& interest) {
  json::Writer params;
  params.object().key("notifications").object();
  if (interest.tools) params.member("toolsListChanged", true);
  if (interest.prompts) params.member("promptsListChanged", true);
  if (interest.resources) params.member("resourcesListChanged", true);
  if (!interest.uris.empty()) {
    params.key("resourceSubscriptions").array();
    for (const auto& uri : interest.uris) params.value(uri);
    params.end_array();
  }
  params.end_object().end_object();
  return envelope(std::to_string(id), "subscriptions/listen", with_meta(params.text(), meta_members({}, {}, {})));
}

mcp_header::Headers headers(const Call& call) {
  mcp_header::Headers out;
  if (call.method == "tools/call" && call.header_params)
    out = mcp_header::make(*call.header_params, json::member(call.params, "arguments").value_or("{}"));
  out.emplace_back("Mcp-Method", mcp_header::encode(call.method));
  if (const auto key = name_member(call.method); !key.empty())
    if (const auto name = string_member(call.params, key)) out.emplace_back("Mcp-Name", mcp_header::encode(*name));
  return out;
}

Result<ServerInfo> read_discover(std::string_view result) {
  const auto type = json::member(result, "resultType");
  const auto capabilities = json::member(result, "capabilities");
  if (type && string_member(result, "resultType") != "complete")
    return fail(Code::upstream_protocol, "server/discover: a resultType other than complete");
  bool offered = false;
  json::for_each_element(json::member(result, "supportedVersions").value_or(""), [&](std::string_view version) {
    offered = offered || json::decode_string(version) == kVersion;
  });
  if (!offered) return fail(Code::upstream_protocol, "server/discover: no version that we speak");
  if (!capabilities || !json::is_object(*capabilities))
    return fail(Code::upstream_protocol, "server/discover: no capabilities");
  ServerInfo info;
  info.revision = kModern;
  info.protocol_version = kVersion;
  info.capabilities = *capabilities;
  const auto server = json::member(json::member(result, "_meta").value_or(""), "io.modelcontextprotocol/serverInfo");
  info.server_info = server && json::is_object(*server) ? std::string(*server) : "{}";
  info.instructions = string_member(result, "instructions").value_or("");
  return info;
}

std::int64_t error_code(std::string_view error) {
  return number<std::int64_t>(json::member(error, "code").value_or("")).value_or(0);
}

std::optional<Supported> supported_versions(std::string_view error) {
  if (error_code(error) != kUnsupportedVersion) return std::nullopt;
  const auto list = json::member(json::member(error, "data").value_or(""), "supported");
  if (!list || !json::is_array(*list)) return std::nullopt;
  Supported found;
  json::for_each_element(*list, [&](std::string_view raw) {
    const auto text = json::decode_string(raw);
    const auto revision = text ? revision_from(*text) : std::nullopt;
    if (revision) (is_modern(*revision) ? found.modern : found.legacy) = true;
  });
  return found;
}

std::optional<std::uint64_t> subscription_id(std::string_view params) {
  const auto id = json::member(json::member(params, "_meta").value_or(""), kSubscriptionId);
  return id ? number<std::uint64_t>(*id) : std::nullopt;
}

std::string without_subscription_id(std::string_view params) {
  std::string meta = without_member(json::member(params, "_meta").value_or("{}"), kSubscriptionId);
  return with_meta(params.empty() ? "{}" : params, std::string_view(meta).substr(1, meta.size() - 2));
}

}  // namespace sallyport::upstream::modern
