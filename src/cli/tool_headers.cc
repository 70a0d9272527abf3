#include "cli/tool_headers.h"

#include <algorithm>
#include <array>

#include "json/document.h"
#include "json/slice.h"
#include "json/writer.h"
#include "net/http_message.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t kToolsMax = 20'000;
constexpr std::array<std::string_view, 3> kEnvelope{"io.modelcontextprotocol/protocolVersion",
                                                    "io.modelcontextprotocol/clientInfo",
                                                    "io.modelcontextprotocol/clientCapabilities"};

}  // namespace

std::optional<std::string> ToolHeaders::note_list(std::string_view answer) {
  const auto document = json::read_upstream_document(answer, {.bytes_max = kMessageMax, .depth_max = 256});
  if (!document) return std::nullopt;
  const auto result = document->root().find("result").value_or(json::Value());
  const auto tools = result.find("tools");
  if (!tools || !tools->is_array()) return std::nullopt;
  for (const json::Value tool : tools->elements()) {
    const auto name = tool.string_at("name");
    const auto schema = tool.find("inputSchema");
    if (!name || !schema || tools_.size() >= kToolsMax) continue;
    tools_.insert_or_assign(std::string(*name), mcp_header::read_schema(schema->raw()));
  }
  const auto cursor = result.find("nextCursor");  // an empty string is a cursor (trap 5)
  if (!cursor || !cursor->is_string()) return std::nullopt;
  return std::string(cursor->raw());
}

void ToolHeaders::forget() {
  tools_.clear();
  complete_ = false;
}

mcp_header::Headers ToolHeaders::of(const ClientMessage& message) const {
  mcp_header::Headers out;
  // One that no header can carry is left out: the gateway says what is wrong with the body.
  if (!message.version.empty() && net::valid_field_value(message.version))
    out.emplace_back("MCP-Protocol-Version", message.version);
  out.emplace_back("Mcp-Method", mcp_header::encode(message.method));
  if (!message.name.empty()) out.emplace_back("Mcp-Name", mcp_header::encode(message.name));
  if (!message.is("tools/call")) return out;
  const auto tool = tools_.find(message.name);
  if (tool == tools_.end() || !tool->second.invalid.empty()) return out;
  const auto params = json::member(message.text, "params").value_or("{}");
  const auto arguments = json::member(params, "arguments");
  if (!arguments || !json::is_object(*arguments)) return out;
  for (auto& header : mcp_header::make(tool->second, *arguments)) out.push_back(std::move(header));
  return out;
}

std::string list_request(const ClientMessage& message, std::string_view raw_id,
                         const std::optional<std::string>& raw_cursor) {
  const auto params = json::member(message.text, "params").value_or("{}");
  const auto meta = json::member(params, "_meta").value_or("{}");
  json::Writer w;
  w.object().member("jsonrpc", "2.0").member_raw("id", raw_id).member("method", "tools/list").key("params").object();
  if (raw_cursor) w.member_raw("cursor", *raw_cursor);
  w.key("_meta").object();
  for (const std::string_view key : kEnvelope) {
    if (const auto value = json::member(meta, key)) w.member_raw(key, *value);
  }
  w.end_object().end_object().end_object();
  return w.take();
}

}  // namespace sallyport::cli
