#include "request/mcp/message.h"

#include <array>
#include <utility>

#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/names.h"

namespace sallyport::mcp {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 17> kMethods{{
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

Result<std::string> decoded_member(std::string_view object, std::string_view key) {
  const auto raw = json::member(object, key);
  if (!raw) return std::string();
  if (!json::is_string(*raw)) return fail(Code::invalid_params, "params." + std::string(key) + " is not a string");
  return json::decode_string(*raw);
}

Result<void> read_id(Message& message, std::string_view text, std::string& id_out) {
  const auto id = json::member(text, "id");
  if (!id) return {};
  if (!json::is_string(*id) && !is_integer_token(*id)) {
    return fail(Code::invalid_request, "id is neither a string nor an integer");  // MCP base protocol: never null
  }
  if (id->size() > 1024) return fail(Code::invalid_request, "id is longer than 1024 bytes");
  message.id = *id;
  id_out = *id;
  return {};
}

Result<void> read_kind(Message& message, std::string_view text) {
  const auto version = json::member(text, "jsonrpc");
  if (!version || *version != "\"2.0\"") return fail(Code::invalid_request, "jsonrpc is not \"2.0\"");
  const auto method = json::member(text, "method");
  const bool has_result = json::member(text, "result").has_value();
  const bool has_error = json::member(text, "error").has_value();
  if (method) {
    if (has_result || has_error) return fail(Code::invalid_request, "a message with method and result or error");
    if (!json::is_string(*method)) return fail(Code::invalid_request, "method is not a string");
    SP_TRY(message.method_name, json::decode_string(*method));
    message.kind = message.id.empty() ? Kind::notification : Kind::request;
    message.method = method_from_name(message.method_name);
    // A request without an id, or a notification with one, is neither: it must not pass for what its name says.
    if (is_notification(message.method) != message.id.empty()) message.method = Method::unknown;
    return {};
  }
  if (has_result == has_error || message.id.empty()) return fail(Code::invalid_request, "neither request nor response");
  message.kind = Kind::response;
  return {};
}

Result<void> read_meta(Message& message) {
  const auto meta = json::member(message.params, "_meta");
  if (!meta) return {};
  if (meta->front() != '{') return fail(Code::invalid_params, "params._meta is not an object");
  const auto token = json::member(*meta, "progressToken");
  if (!token) return {};
  if (!json::is_string(*token) && !is_integer_token(*token)) {
    return fail(Code::invalid_params, "progressToken is neither a string nor an integer");
  }
  message.progress_token = *token;
  return {};
}

bool needs_name(Method method) { return method == Method::tools_call || method == Method::prompts_get; }
bool needs_uri(Method method) {
  return method == Method::resources_read || method == Method::resources_subscribe ||
         method == Method::resources_unsubscribe;
}

Result<void> read_params(Message& message, std::string_view text) {
  const auto params = json::member(text, "params");
  message.arguments = "{}";
  if (params) {
    if (params->front() != '{') return fail(Code::invalid_params, "params is not an object");
    message.params = *params;
    SP_CHECK(read_meta(message));
    if (const auto arguments = json::member(*params, "arguments")) {
      if (arguments->front() != '{') return fail(Code::invalid_params, "params.arguments is not an object");
      message.arguments = *arguments;
    }
  }
  if (needs_name(message.method)) {
    SP_TRY(message.name, decoded_member(message.params, "name"));
    if (message.name.empty()) return fail(Code::invalid_params, "params.name is missing");
  }
  if (needs_uri(message.method)) {
    SP_TRY(message.uri, decoded_member(message.params, "uri"));
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
  const std::string_view text = message.document.text();
  if (text.front() == '[') return fail(Code::invalid_request, "a batch array: removed in MCP 2025-06-18");
  if (text.front() != '{') return fail(Code::invalid_request, "the message is not an object");
  SP_CHECK(read_id(message, text, id_out));
  SP_CHECK(read_kind(message, text));
  if (message.kind != Kind::response) SP_CHECK(read_params(message, text));
  return message;
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

std::string raw_error_envelope(std::string_view id, std::string_view error_object) {
  std::string out;
  out.append(R"({"jsonrpc":"2.0","id":)").append(id).append(R"(,"error":)").append(error_object).append("}");
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
