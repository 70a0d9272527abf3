// The errors of a server, for its client (MCP 2026-07-28, error codes; 2025-11-25, -32042).
#include <charconv>

#include "request/mcp/dialect.h"
#include "request/mcp/dialect_edit.h"

namespace sallyport::mcp {
namespace {

using Put = std::optional<std::string_view>;

constexpr int kInternal = -32603;
constexpr int kInvalidParams = -32602;
constexpr int kNotFoundLegacy = -32002;
constexpr int kUrlElicitation = -32042;
constexpr int kMissingCapability = -32021;
constexpr std::size_t kMessageMax = 4096;  // bytes; a longer one is no sentence

std::optional<int> code_of(std::string_view error) {
  const auto raw = json::member(error, "code");
  if (!raw) return std::nullopt;
  int code = 0;
  const auto [end, failure] = std::from_chars(raw->data(), raw->data() + raw->size(), code);
  if (failure != std::errc() || end != raw->data() + raw->size()) return std::nullopt;
  return code;
}

bool is_reserved(int code) { return code <= -32020 && code >= -32099; }

bool may_ask_for_urls(Bridge bridge) {
  return bridge.client == Revision::r2025_11_25 && bridge.server == Revision::r2025_11_25;
}

int code_for(Bridge bridge, Method method, int code) {
  if (code == kNotFoundLegacy && is_modern(bridge.client)) return kInvalidParams;
  const bool not_found = code == kInvalidParams && method == Method::resources_read && is_modern(bridge.server);
  if (not_found && !is_modern(bridge.client)) return kNotFoundLegacy;
  if (is_reserved(code) && !(code == kUrlElicitation && may_ask_for_urls(bridge))) return kInternal;
  return code;
}

std::string own_error(int code, std::string_view message) {
  return R"({"code":)" + std::to_string(code) + R"(,"message":)" + edit::quoted(message) + "}";
}

// `data` with the URI that the client knows: the server's own name for it need not be the same.
std::string with_uri(std::string_view data, std::string_view uri) {
  std::string out =
      edit::members(data, [](std::string_view key, std::string_view value) -> std::optional<std::string_view> {
        if (key == "uri") return std::nullopt;
        return value;
      });
  edit::append_member(out, "uri", edit::quoted(uri));
  return out;
}

// Not found names the URI (MCP 2026-07-28, Resources: error handling). A legacy client's data changes only where it names one.
std::optional<std::string> data_for(Bridge bridge, Method method, int shown, bool changed,
                                    std::optional<std::string_view> data, std::string_view uri) {
  const bool not_found = shown == kNotFoundLegacy || (shown == kInvalidParams && method == Method::resources_read);
  const bool wants = is_modern(bridge.client) || changed || (data && json::member(*data, "uri"));
  const bool fits = !data || json::is_object(*data);
  if (not_found && wants && fits && !uri.empty()) return with_uri(data.value_or("{}"), uri);
  if (data) return std::string(*data);
  return std::nullopt;
}

}  // namespace

std::string shape_error(Bridge bridge, Method method, std::string_view error, std::string_view uri) {
  const auto code = code_of(error);
  if (!code) return own_error(kInternal, "The tool server answered with an error that is none");
  // -32020 to -32022 speak of our headers, our envelope: nothing that this client sent or could mend.
  if (*code <= -32020 && *code >= -32022) return own_error(kInternal, "The tool server refused the gateway's request");
  const int shown = code_for(bridge, method, *code);
  const auto raw_message = json::member(error, "message");
  const bool readable = raw_message && json::is_string(*raw_message) && raw_message->size() <= kMessageMax;
  const std::string message =
      readable ? std::string(*raw_message) : edit::quoted("The tool server refused the request");
  const auto raw_data = shown == kInternal && shown != *code ? std::nullopt : json::member(error, "data");
  const auto data = data_for(bridge, method, shown, shown != *code, raw_data, uri);
  const std::string number = std::to_string(shown);
  std::string out = edit::members(error, [&](std::string_view key, std::string_view value) -> Put {
    if (key == "code") return number;
    if (key == "message") return message;
    return key == "data" ? Put(data) : Put(value);
  });
  if (!raw_message) edit::append_member(out, "message", message);
  if (data && !json::member(out, "data")) edit::append_member(out, "data", *data);
  return out;
}

std::optional<std::string> lacking_capabilities(Bridge bridge, std::string_view error) {
  if (!is_modern(bridge.client) || !is_modern(bridge.server) || code_of(error) != kMissingCapability)
    return std::nullopt;
  const auto data = json::member(error, "data");
  const auto required = data ? json::member(*data, "requiredCapabilities") : std::nullopt;
  if (!required || !json::is_object(*required)) return std::nullopt;
  return std::string(*required);
}

std::vector<std::string> url_elicitations(std::string_view error) {
  std::vector<std::string> out;
  const auto data = code_of(error) == kUrlElicitation ? json::member(error, "data") : std::nullopt;
  const auto asked = data ? json::member(*data, "elicitations") : std::nullopt;
  if (!asked) return out;
  json::for_each_element(*asked, [&](std::string_view params) {
    if (edit::text_of(params, "mode") == "url") out.emplace_back(params);
  });
  return out;
}

}  // namespace sallyport::mcp
