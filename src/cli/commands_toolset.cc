// Toolsets: shown, made, changed, taken away.
#include <map>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

// "a=b" -> {a, b}; without "=": {a, ""}.
std::pair<std::string, std::string> split(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {text, {}};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Result<void> write_tools(json::Writer& w, const Options& o) {
  std::map<std::string, std::string> texts;
  for (const std::string& one : o.texts) texts.insert(split(one));
  w.key("tools").array();
  for (const std::string& one : o.tools) {
    const auto [id, name] = split(one);
    const std::string shown = name.empty() ? id.substr(id.find('/') + 1) : name;
    w.object().member("tool", id);
    if (!name.empty()) w.member("name", name);
    if (const auto text = texts.extract(shown)) w.member("description", text.mapped());
    w.end_object();
  }
  w.end_array();
  if (texts.empty()) return {};
  return fail(Code::validation, "--describe '" + texts.begin()->first + "=...' names no tool of --tool");
}

int send(const Context& c, std::string_view method, const std::string& path, bool fresh) {
  const Options& o = c.options;
  json::Writer w;
  w.object();
  if (fresh) w.member("name", o.name);
  if (o.description) w.member("description", *o.description);
  if (o.enabled) w.member("enabled", *o.enabled);
  if (!o.tools.empty()) {
    if (const auto written = write_tools(w, o); !written) return c.fail_with(kUsage, written.error().detail);
  }
  w.end_object();
  if (w.text() == "{}") return c.fail_with(kUsage, "nothing to change", "see sallyport toolset update --help");
  return finish(c, c.api(method, path, w.text()), details(c));
}

}  // namespace

int run_toolset(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(8);
  const std::string path = "/api/v1/toolsets/" + url_encode(c.options.name);
  if (what == "show") return finish(c, c.api("GET", path), details(c));
  if (what == "add") return send(c, "POST", "/api/v1/toolsets", true);
  if (what == "update") return send(c, "PUT", path, false);
  if (what == "delete") {
    return finish(c, c.api("DELETE", path), [&](json::Value) { return "removed " + printable(c.options.name) + "\n"; });
  }
  return finish(c, c.api("GET", "/api/v1/toolsets" + page(c.options)),
                list_of(c,
                        {{"name", "NAME", 32},
                         {"path", "PATH", 40},
                         {"enabled", "ENABLED"},
                         {"tools", "TOOLS", 80},
                         {"description", "DESCRIPTION", 60}},
                        "No toolsets: sallyport toolset add NAME --tool SERVER/TOOL"));
}

}  // namespace sallyport::cli
