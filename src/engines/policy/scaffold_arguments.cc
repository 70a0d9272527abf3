#include "engines/policy/scaffold_arguments.h"

#include <algorithm>
#include <vector>

#include "engines/policy/rego_text.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kArgumentsMax = 40;
constexpr std::size_t kValuesMax = 20;
constexpr std::size_t kValuesBytesMax = 400;
constexpr std::size_t kWidth = 100;

std::string type_of(json::Value schema) {
  const json::Value type = schema.find("type").value_or(json::Value());
  if (const auto one = type.as_string()) return std::string(*one);
  for (const json::Value each : type.elements()) {
    if (each.as_string().value_or("null") != "null") return std::string(*each.as_string());
  }
  return "";
}

bool is_required(json::Value schema, std::string_view name) {
  const json::Value required = schema.find("required").value_or(json::Value());
  for (const json::Value each : required.elements()) {
    if (each.as_string() == name) return true;
  }
  return false;
}

// "c", "f", 3: strings and integers; empty where another is among them or they are too many.
std::string values_of(json::Value schema) {
  const json::Value values = schema.find("enum").value_or(json::Value());
  std::string out;
  if (values.size() > kValuesMax) return "";
  for (const json::Value value : values.elements()) {
    out += out.empty() ? "" : ", ";
    if (const auto text = value.as_string()) out += rego_string(*text);
    else if (const auto number = value.as_int64()) out += std::to_string(*number);
    else return "";
  }
  return out.size() > kValuesBytesMax ? "" : out;
}

bool looks_like(std::string_view name, json::Value schema, std::initializer_list<std::string_view> words) {
  std::string all(name);
  all.append(" ").append(schema.string_at("format").value_or(""));
  std::ranges::transform(all, all.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::ranges::any_of(words, [&](std::string_view word) { return all.find(word) != std::string::npos; });
}

// The line that is true of what shall be refused, and in a few words what that is; empty: nothing fits.
struct Example {
  std::string what;
  std::string condition;
};

Example example_of(std::string_view name, json::Value schema) {
  if (const std::string values = values_of(schema); !values.empty())
    return {"is none of those", "not value in {" + values + "}"};
  const std::string type = type_of(schema);
  if (type == "number" || type == "integer") {
    const json::Value maximum = schema.find("maximum").value_or(json::Value());
    return {"is too large", "value > " + std::to_string(maximum.as_int64().value_or(100))};
  }
  if (type == "boolean") return {"is set", "value == true"};
  if (type == "array" || type == "object") return {"has too many parts", "count(value) > 10"};
  if (type != "string") return {};
  if (looks_like(name, schema, {"url", "uri"})) {
    return {"leads elsewhere", "not startswith(value, \"https://example.com/\")"};
  }
  if (looks_like(name, schema, {"path", "file", "dir", "folder"})) {
    return {"lies elsewhere", "not regex.match(\"^/srv/shared/([^/.][^/]*/)*[^/.][^/]*$\", value)"};
  }
  return {"is too long", "count(value) > 1000"};
}

void describe(std::string& out, std::string_view name, json::Value schema, bool required) {
  const std::string type = type_of(schema);
  std::string text = std::string(name) + "  " + (type.empty() ? "any type" : type) + (required ? ", required" : "");
  using Bound = std::pair<std::string_view, std::string_view>;
  for (const auto& [key, word] :
       {Bound{"minimum", ", from "}, Bound{"maximum", ", to "}, Bound{"pattern", ", like "}}) {
    if (const auto bound = schema.find(key); bound && (bound->is_number() || bound->is_string()))
      text.append(word).append(bound->raw());
  }
  out.append("# argument (untrusted): ").append(comment_text(text, kWidth)).append("\n");
  if (const std::string values = values_of(schema); !values.empty()) {
    out.append("#   one of ").append(comment_text(values, kWidth)).append("\n");
  }
}

// Nothing where a name is too long for a line.
void write_rule(std::string& out, std::string_view server, std::string_view tool, std::string_view name,
                const Example& example) {
  const std::string reason = std::string(tool) + ": " + std::string(name) + (name.empty() ? "" : " ") + example.what;
  std::vector<std::string> lines{"deny contains " + rego_string(reason) + " if {", "\tinput.action == \"execute\"",
                                 "\tinput.server == " + rego_string(server),
                                 "\tinput.tool.name == " + rego_string(tool)};
  if (!name.empty()) lines.push_back("\tvalue := input.arguments[" + rego_string(name) + "]");
  lines.push_back("\t" + example.condition);
  lines.emplace_back("}");
  const auto too_long = [](const std::string& line) { return line.size() > kRegoLineMax; };
  if (std::ranges::any_of(lines, too_long)) return;
  for (const std::string& line : lines) out.append("#: ").append(line).append("\n");
}

}  // namespace

void write_arguments(std::string& out, std::string_view server, std::string_view tool, json::Value schema) {
  const json::Value properties = schema.find("properties").value_or(json::Value());
  std::size_t shown = 0;
  for (const auto& [name, one] : properties.members()) {
    if (++shown <= kArgumentsMax) describe(out, name, one, is_required(schema, name));
  }
  if (shown > kArgumentsMax) out += "# and " + std::to_string(shown - kArgumentsMax) + " arguments more\n";
  write_rule(out, server, tool, "", {"is for administrators", "not is_admin"});
  shown = 0;
  for (const auto& [name, one] : properties.members()) {
    if (++shown > kArgumentsMax || name.empty()) continue;
    if (const Example example = example_of(name, one); !example.condition.empty()) {
      write_rule(out, server, tool, name, example);
    }
  }
}

}  // namespace sallyport::policy
