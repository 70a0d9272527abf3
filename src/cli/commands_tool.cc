#include <fstream>
#include <istream>
#include <iterator>
#include <sstream>

#include "cli/context.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t kObjectMax = 10U << 20;

bool is_named(json::Value tool, std::string_view name) {
  if (tool.string_at("id") == name || tool.string_at("exposed_name") == name) return true;
  const std::string server(tool.string_at("server").value_or(""));
  return server + "/" + std::string(tool.string_at("name").value_or("")) == name;
}

// The id of the tool that is called `name` (its id, the name on /mcp, or server/name). Error: not_found, or the API's.
Result<std::string> find_tool(const Context& c, std::string_view name, ApiAnswer& refusal) {
  for (std::int64_t offset = 0; offset < 100'000;) {
    SP_TRY(const ApiAnswer page,
           c.api("GET", "/api/v1/tools" + query({{"limit", "200"}, {"offset", std::to_string(offset)}})));
    if (exit_of_status(page.status) != kOk) {
      refusal = page;
      return fail(Code::access_denied);
    }
    SP_TRY(const json::Document document, json::read_upstream_document(page.body, {.bytes_max = 64U << 20}));
    const json::Value data = document.root().find("data").value_or(json::Value());
    for (const json::Value tool : data.elements()) {
      if (is_named(tool, name)) return std::string(tool.string_at("id").value_or(""));
    }
    offset += static_cast<std::int64_t>(data.size());
    if (data.size() == 0 || cell_text(document.root(), "pagination.has_next") != "true") break;
  }
  return fail(Code::not_found,
              "there is no tool " + printable(name, 100) + " that you may see; sallyport tool list shows them");
}

int with_tool(const Context& c, const std::function<int(const std::string& id)>& then) {
  ApiAnswer refusal;
  const auto id = find_tool(c, c.options.name, refusal);
  if (id) return then(url_encode(*id));
  if (refusal.status != 0) return finish(c, refusal, details(c));
  return finish(c, fail(id.error()), details(c));
}

Result<std::string> tool_arguments(const Context& c) {
  if (!c.options.arguments.empty()) {
    if (!c.options.rest.empty()) return fail(Code::invalid_params, "give either --arguments or NAME=VALUE");
    return json_object(c, c.options.arguments, "the arguments");
  }
  json::Writer w;
  w.object();
  for (const std::string& pair : c.options.rest) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(Code::invalid_params, "'" + printable(pair, 60) + "' is not NAME=VALUE");
    const auto value = json::read(std::string_view(pair).substr(equals + 1));
    if (value) w.member_raw(pair.substr(0, equals), value->text());
    else w.member(pair.substr(0, equals), std::string_view(pair).substr(equals + 1));
  }
  return w.end_object().take();
}

// The text parts of an MCP result as they are; anything else as key: value lines.
std::string render_result(const Context& c, json::Value root) {
  const json::Value result = root.find("result").value_or(root);
  const auto content = result.find("content");
  if (!content || !content->is_array()) return render_value(result, c.io.colour);
  std::string out;
  for (const json::Value part : content->elements()) {
    if (part.string_at("type") != "text") {
      out += render_value(part, c.io.colour);
      continue;
    }
    std::istringstream lines{std::string(part.string_at("text").value_or(""))};
    for (std::string line; std::getline(lines, line);) out += printable(line, 100'000) + "\n";
  }
  return out;
}

// What a tool that failed says of it; nothing where the call did not get so far.
std::optional<std::string> own_error(const Context& c, const ApiAnswer& answer) {
  const auto document = json::read_upstream_document(answer.body, {.bytes_max = 64U << 20});
  if (!document || cell_text(document->root(), "error.code") != "tool_execution_failed") return std::nullopt;
  const json::Value error = document->root().find("error").value_or(json::Value());
  return render_result(c, error.find("details").value_or(json::Value()));
}

int call(const Context& c) {
  const auto arguments = tool_arguments(c);
  if (!arguments)
    return c.fail_with(kUsage, arguments.error().detail,
                       "sallyport tool call NAME a=1 b=text, or --arguments '{\"a\":1}'");
  return with_tool(c, [&](const std::string& id) {
    json::Writer w;
    w.object().member_raw("arguments", *arguments);
    if (c.options.timeout) w.member("timeout", *c.options.timeout);
    w.end_object();
    const auto answer = c.api("POST", "/api/v1/tools/" + id + "/execute", w.text());
    if (const auto said = answer && !c.options.json ? own_error(c, *answer) : std::nullopt) {
      c.io.out << *said;
      return static_cast<int>(kFailure);
    }
    return finish(c, answer, [&](json::Value root) { return render_result(c, root); });
  });
}

std::string render_tool(const Context& c, json::Value root) {
  const json::Value tool = root.find("data").value_or(root);
  std::string out;
  for (const char* key :
       {"exposed_name", "server", "name", "title", "description", "version", "categories", "tags", "labels", "owner",
        "binding", "upstream_tool", "endpoint", "security_level", "status", "digest"}) {
    const std::string text = printable(cell_text(tool, key), 4000);
    if (!text.empty()) out += std::string(key) + ": " + coloured(text, text, c.io.colour) + "\n";
  }
  const std::string open = cell_text(tool, "not_enforced");
  if (!open.empty() && open != "[]") out += "not enforced: " + printable(open, 4000) + "\n";
  const auto schema = tool.find("input_schema");
  std::istringstream lines(schema ? json::pretty(schema->raw()) : "");
  if (schema) out += "input schema:\n";
  for (std::string line; std::getline(lines, line);) {
    const auto indent = std::min(line.find_first_not_of(' '), line.size());
    out += "  " + line.substr(0, indent) + printable(line.substr(indent), 10'000) + "\n";
  }
  return out;
}

}  // namespace

Result<std::string> json_object(const Context& c, const std::string& given, std::string_view what) {
  std::string text = given;
  if (given == "-") {
    text.assign(std::istreambuf_iterator<char>(c.io.in), {});
  } else if (given.starts_with('@')) {
    std::ifstream file(given.substr(1), std::ios::binary);
    file.peek();  // a folder opens, but cannot be read
    if (!file.is_open() || file.bad()) return fail(Code::io, given.substr(1) + " cannot be read");
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto document = json::read(text, {.bytes_max = kObjectMax});
  if (!document) return fail(Code::invalid_params, std::string(what) + " are no JSON: " + document.error().detail);
  if (!document->root().is_object()) return fail(Code::invalid_params, std::string(what) + " are no JSON object");
  return std::string(document->text());
}

int run_tool(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(5);
  if (what == "call") return call(c);
  if (what == "register" || what == "update" || what == "unregister" || what == "search") return run_registry(c);
  if (what == "label") {
    return with_tool(c, [&](const std::string& id) { return run_label_of(c, "/api/v1/tools/" + id); });
  }
  if (what == "show") {
    return with_tool(c, [&](const std::string& id) {
      return finish(c, c.api("GET", "/api/v1/tools/" + id), [&](json::Value root) { return render_tool(c, root); });
    });
  }
  const std::string path = "/api/v1/tools" + query({{"server", c.options.server},
                                                    {"limit", std::to_string(c.options.limit)},
                                                    {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", path), list_of_tools(c, "No tool is registered, or none that you may see"));
}

}  // namespace sallyport::cli
