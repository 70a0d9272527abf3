// What an inputSchema asks to see in headers (MCP 2026-07-28, Streamable HTTP, custom headers from tool parameters).
#include <algorithm>
#include <array>

#include "engines/mcp_header/mcp_header.h"
#include "json/document.h"

namespace sallyport::mcp_header {
namespace {

constexpr std::string_view kAnnotation = "x-mcp-header";

// Keywords that hold schemas but no step of a path: one schema or a list, and one schema a name.
constexpr std::array<std::string_view, 16> kSchemas{"items",
                                                    "prefixItems",
                                                    "additionalItems",
                                                    "contains",
                                                    "unevaluatedItems",
                                                    "additionalProperties",
                                                    "unevaluatedProperties",
                                                    "propertyNames",
                                                    "oneOf",
                                                    "anyOf",
                                                    "allOf",
                                                    "not",
                                                    "if",
                                                    "then",
                                                    "else",
                                                    "contentSchema"};
constexpr std::array<std::string_view, 5> kMaps{"patternProperties", "dependentSchemas", "dependencies", "$defs",
                                                "definitions"};

bool is_tchar(char c) {  // RFC 9110 5.6.2
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::optional<Type> type_of(json::Value schema) {
  const auto type = schema.string_at("type");
  if (type == "string") return Type::string;
  if (type == "integer") return Type::integer;
  if (type == "boolean") return Type::boolean;
  return std::nullopt;  // number too: its text has no one form
}

// Walks every place that holds a schema. `reachable`: only `properties` lead here from the root.
class Reader {
 public:
  Params take() && { return std::move(out_); }

  void schema(json::Value node, bool reachable) {
    for (const auto& [key, value] : node.members()) {
      if (!out_.invalid.empty()) return;
      if (key == kAnnotation) annotation(node, value, reachable);
      else if (key == "properties") properties(value, reachable);
      else if (std::ranges::find(kMaps, key) != kMaps.end()) map(value);
      else if (std::ranges::find(kSchemas, key) != kSchemas.end()) list(value);
    }
  }

 private:
  void properties(json::Value named, bool reachable) {
    for (const auto& [name, property] : named.members()) {
      path_.emplace_back(name);
      schema(property, reachable);
      path_.pop_back();
    }
  }
  void map(json::Value named) {
    for (const auto& [name, one] : named.members()) schema(one, false);
  }
  void list(json::Value one_or_more) {
    schema(one_or_more, false);  // nothing for an array
    for (const json::Value one : one_or_more.elements()) schema(one, false);
  }

  void annotation(json::Value property, json::Value value, bool reachable) {
    const auto name = value.as_string();
    const auto type = type_of(property);
    if (!reachable || path_.empty()) return refuse("stands where properties alone do not lead");
    if (!name || name->empty()) return refuse("is no text or empty");
    if (!std::ranges::all_of(*name, is_tchar)) return refuse("is no header name (RFC 9110 5.6.2)");
    if (!type) return refuse("is on a property that is neither string, integer nor boolean");
    const bool taken =
        std::ranges::any_of(out_.params, [&](const Param& p) { return lower(p.header) == lower(*name); });
    if (taken) return refuse("names the same header twice");
    out_.params.push_back({std::string(*name), path_, *type});
  }

  // The path only: the annotation's text is the server's and may hold anything.
  void refuse(std::string_view why) {
    std::string place;
    for (const std::string& step : path_) place += (place.empty() ? "" : ".") + step;
    out_.invalid = "x-mcp-header of " + (place.empty() ? "the root" : place) + " " + std::string(why);
  }

  Params out_;
  std::vector<std::string> path_;
};

}  // namespace

Params read_schema(std::string_view input_schema) {
  const auto document = json::read_upstream_document(input_schema);
  if (!document) return {{}, "the schema cannot be read: " + document.error().detail};
  Reader reader;
  reader.schema(document->root(), true);
  Params out = std::move(reader).take();
  if (!out.invalid.empty()) out.params.clear();
  return out;
}

}  // namespace sallyport::mcp_header
