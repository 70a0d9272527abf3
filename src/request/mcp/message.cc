#include "request/mcp/message.h"

#include <array>
#include <utility>

#include "json/slice.h"
#include "json/writer.h"
#include "model/protocol.h"
#include "request/mcp/names.h"

namespace sallyport::mcp {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 19> kMethods{{
    {"tools/call", Method::tools_call},
    {"tools/list", Method::tools_list},
    {"initialize", Method::initialize},
    {"ping", Method::ping},
    {"resources/list", Method::resources_list},
    {"resources/templates/list", Method::resource_templates_list},
    {"resources/read", Method::resources_read},
    {"resources/subscribe", Method::resources_subscribe},
    {"resources/unsubscribe", Method::resources_unsubscribe},
    {"prompts/list", Method::prompts_list},
    {"prompts/get", Method::prompts_get},
    {"completion/complete", Method::completion_complete},
    {"logging/setLevel", Method::set_level},
    {"server/discover", Method::discover},
    {"subscriptions/listen", Method::listen},
    {"notifications/initialized", Method::initialized},
    {"notifications/cancelled", Method::cancelled},
    {"notifications/progress", Method::progress},
    {"notifications/roots/list_changed", Method::roots_list_changed},
}};

bool is_integer_token(std::string_view raw) {
  return !raw.empty() && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9')) &&
         raw.find_first_of(".eE") == std::string_view::npos;
}

bool is_notification(Method method) {
  return method == Method::initialized || method == Method::cancelled || method == Method::progress ||
         method == Method::roots_list_changed;
}

// The members of one object that are asked for, found in one pass over the document's tape.
template <std::size_t N>
std::array<std::optional<json::Value>, N> pick(json::Value object, const std::array<std::string_view, N>& names) {
  std::array<std::optional<json::Value>, N> found;
  for (const auto& [key, value] : object.members()) {
    for (std::size_t i = 0; i < N; ++i) {
      if (key == names[i]) found[i] = value;
    }
  }
  return found;
}

Result<std::string> text_of(const std::optional<json::Value>& value, std::string_view name) {
  if (!value) return std::string();
  const auto text = value->as_string();
  if (!text) return fail(Code::invalid_params, "params." + std::string(name) + " is not a string");
  return std::string(*text);
}

bool is_id(json::Value value) { return value.is_string() || is_integer_token(value.raw()); }

Result<void> read_id(Message& message, const std::optional<json::Value>& id, std::string& id_out) {
  if (!id) return {};
  if (!is_id(*id)) {
    return fail(Code::invalid_request, "id is neither a string nor an integer");  // MCP base protocol: never null
  }
  if (id->raw().size() > 1024) return fail(Code::invalid_request, "id is longer than 1024 bytes");
  message.id = id->raw();
  id_out = message.id;
  return {};
}

Result<void> read_method(Message& message, json::Value method, bool answered) {
  if (answered) return fail(Code::invalid_request, "a message with method and result or error");
  const auto name = method.as_string();
  if (!name) return fail(Code::invalid_request, "method is not a string");
  message.method_name = *name;
  message.kind = message.id.empty() ? Kind::notification : Kind::request;
  message.method = method_from_name(message.method_name);
  // A request without an id, or a notification with one, is neither: it must not pass for what its name says.
  if (is_notification(message.method) != message.id.empty()) message.method = Method::unknown;
  return {};
}

constexpr std::string_view kEnvelopePrefix = "io.modelcontextprotocol/";

// One member of `_meta` under the prefix of the protocol's own. What is not known is dropped with the other hop keys.
Result<void> read_envelope(Envelope& envelope, std::string_view key, json::Value value) {
  const auto text = value.as_string();
  if (key == "protocolVersion") {
    if (!text || text->empty()) return fail(Code::invalid_params, "_meta protocolVersion is not a string");
    envelope.version = *text;
  } else if (key == "clientCapabilities") {
    if (!value.is_object()) return fail(Code::invalid_params, "_meta clientCapabilities is not an object");
    envelope.client_capabilities = value.raw();
  } else if (key == "clientInfo") {
    if (!value.is_object()) return fail(Code::invalid_params, "_meta clientInfo is not an object");
    envelope.client_info = value.raw();
  } else if (key == "logLevel") {
    if (!text) return fail(Code::invalid_params, "_meta logLevel is not a string");
    envelope.log_level = *text;
  }
  return {};
}

Result<void> read_meta(Message& message, const std::optional<json::Value>& meta) {
  if (!meta) return {};
  if (!meta->is_object()) return fail(Code::invalid_params, "params._meta is not an object");
  for (const auto& [key, value] : meta->members()) {
    if (key == "progressToken") {
      if (!is_id(value)) return fail(Code::invalid_params, "progressToken is neither a string nor an integer");
      message.progress_token = value.raw();
    } else if (key.starts_with(kEnvelopePrefix)) {
      SP_CHECK(read_envelope(message.envelope, key.substr(kEnvelopePrefix.size()), value));
    }
  }
  return {};
}

// A retry says what was asked for (MCP 2026-07-28, multi round-trip requests).
Result<void> read_retry(Message& message, const std::optional<json::Value>& responses, const std::optional<json::Value>& state) {
  if (responses) {
    if (!responses->is_object()) return fail(Code::invalid_params, "params.inputResponses is not an object");
    message.input_responses = responses->raw();
  }
  if (state) {
    if (!state->is_string()) return fail(Code::invalid_params, "params.requestState is not a string");
    message.request_state = state->raw();
  }
  return {};
}

bool needs_name(Method method) { return method == Method::tools_call || method == Method::prompts_get; }
bool needs_uri(Method method) {
  return method == Method::resources_read || method == Method::resources_subscribe ||
         method == Method::resources_unsubscribe;
}

Result<void> read_params(Message& message, const std::optional<json::Value>& params) {
  message.arguments = "{}";
  if (params && !params->is_object()) return fail(Code::invalid_params, "params is not an object");
  constexpr std::array<std::string_view, 6> kNames{"_meta", "arguments", "name", "uri", "inputResponses", "requestState"};
  const auto [meta, arguments, name, uri, responses, state] = pick(params.value_or(json::Value()), kNames);
  if (params) message.params = params->raw();
  SP_CHECK(read_meta(message, meta));
  SP_CHECK(read_retry(message, responses, state));
  if (arguments) {
    if (!arguments->is_object()) return fail(Code::invalid_params, "params.arguments is not an object");
    message.arguments = arguments->raw();
    message.arguments_value = *arguments;
  }
  // A method that this era has not is unknown, whatever its parameters are.
  if (message.envelope.version == revision_name(kModern) && !is_of_era(message.method, true)) return {};
  if (needs_name(message.method)) {
    SP_TRY(message.name, text_of(name, "name"));
    if (message.name.empty()) return fail(Code::invalid_params, "params.name is missing");
  }
  if (needs_uri(message.method)) {
    SP_TRY(message.uri, text_of(uri, "uri"));
    if (message.uri.empty()) return fail(Code::invalid_params, "params.uri is missing");
  }
  return {};
}

}  // namespace

Method method_from_name(std::string_view name) noexcept {
  for (const auto& [known, method] : kMethods) {
    if (known == name) return method;
  }
  return Method::unknown;
}

Result<Message> read_message(std::string_view body, const json::ReadLimits& limits, std::string& id_out) {
  auto document = json::read(body, limits);
  if (!document) return fail(std::move(document).error());
  Message message;
  message.document = std::move(*document);
  const json::Value root = message.document.root();
  if (root.is_array()) return fail(Code::invalid_request, "a batch array: removed in MCP 2025-06-18");
  if (!root.is_object()) return fail(Code::invalid_request, "the message is not an object");
  constexpr std::array<std::string_view, 6> kNames{"id", "jsonrpc", "method", "params", "result", "error"};
  const auto [id, version, method, params, result, error_member] = pick(root, kNames);
  SP_CHECK(read_id(message, id, id_out));
  if (!version || version->as_string() != "2.0") return fail(Code::invalid_request, "jsonrpc is not \"2.0\"");
  if (method) {
    SP_CHECK(read_method(message, *method, result.has_value() || error_member.has_value()));
    SP_CHECK(read_params(message, params));
    return message;
  }
  if (result.has_value() == error_member.has_value() || message.id.empty()) {
    return fail(Code::invalid_request, "neither request nor response");
  }
  message.kind = Kind::response;
  const json::Value answer = result ? *result : *error_member;
  if (!answer.is_object()) return fail(Code::invalid_request, "result or error is not an object");
  message.answer = answer.raw();
  message.answer_is_error = !result;
  return message;
}

bool is_of_era(Method method, bool modern) noexcept {
  switch (method) {
    case Method::discover:
    case Method::listen: return modern;
    case Method::initialize:
    case Method::ping:
    case Method::set_level:
    case Method::resources_subscribe:
    case Method::resources_unsubscribe: return !modern;
    case Method::unknown: return false;
    default: return true;
  }
}

std::string passed_meta(const Message& message) {
  const auto meta = json::member(message.params, "_meta");
  return meta ? R"(,"_meta":)" + std::string(*meta) : std::string();
}

std::string upstream_params(const Message& message, std::string_view target) {
  if (message.method == Method::prompts_get) return with_string_member(message.params, "name", target);
  if (message.method != Method::completion_complete) return with_string_member(message.params, "uri", target);
  const auto ref = json::member(message.params, "ref");
  if (!ref) return std::string(message.params);
  const std::string_view key = json::member(*ref, "name") ? "name" : "uri";
  std::string out(message.params.substr(0, static_cast<std::size_t>(ref->data() - message.params.data())));
  out += with_string_member(*ref, key, target);
  out += message.params.substr(static_cast<std::size_t>(ref->data() + ref->size() - message.params.data()));
  return out;
}

std::string decided_params(const Message& message, std::string_view target) {
  const std::string params = upstream_params(message, target);
  std::string out = "{";
  json::for_each_member(params, [&](std::string_view raw_key, std::string_view value) {
    const std::string_view quoted(raw_key.data() - 1, raw_key.size() + 2);
    const auto key = json::decode_string(quoted);
    if (key == "_meta" || key == "inputResponses" || key == "requestState") return;
    if (out.size() > 1) out += ',';
    out.append(quoted).append(":").append(value);
  });
  return out + "}";
}

std::string result_envelope(std::string_view id, std::string_view result) {
  std::string out;
  out.reserve(id.size() + result.size() + 40);
  out.append(R"({"jsonrpc":"2.0","id":)").append(id).append(R"(,"result":)").append(result).append("}");
  return out;
}

std::string error_envelope(std::string_view id, int code, std::string_view message, std::string_view data) {
  std::string out = R"({"jsonrpc":"2.0","id":)";
  out.append(id.empty() ? "null" : id).append(R"(,"error":{"code":)").append(std::to_string(code));
  out.append(R"(,"message":)");
  json::append_string(out, message);
  if (!data.empty()) out.append(R"(,"data":)").append(data);
  out.append("}}");
  return out;
}

std::string tool_error(std::string_view text) {
  json::Writer w;
  w.object().key("content").array().object().member("type", "text").member("text", text).end_object().end_array();
  return w.member("isError", true).end_object().take();
}

std::string raw_error_envelope(std::string_view id, std::string_view error_object) {
  std::string out;
  out.append(R"({"jsonrpc":"2.0","id":)").append(id).append(R"(,"error":)").append(error_object).append("}");
  return out;
}

std::string request_envelope(std::string_view id, std::string_view method, std::string_view params) {
  std::string out = R"({"jsonrpc":"2.0","id":)";
  out.append(id).append(R"(,"method":)");
  json::append_string(out, method);
  if (!params.empty()) out.append(R"(,"params":)").append(params);
  out.append("}");
  return out;
}

std::string notification_envelope(std::string_view method, std::string_view params) {
  std::string out = R"({"jsonrpc":"2.0","method":)";
  json::append_string(out, method);
  if (!params.empty()) out.append(R"(,"params":)").append(params);
  out.append("}");
  return out;
}

}  // namespace sallyport::mcp
