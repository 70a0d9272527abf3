// Registered tools: made, changed, removed; every tool found by words.
#include "cli/context.h"

namespace sallyport::cli {
namespace {

void write_some(json::Writer& w, std::string_view key, const std::string& text) {
  if (!text.empty()) w.member(key, text);
}

void write_all(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  w.key(key).array();
  for (const std::string& text : texts) w.value(text);
  w.end_array();
}

void write_binding(json::Writer& w, const Options& o) {
  write_some(w, "upstream_tool", o.upstream);
  if (o.unbind) w.key("upstream_tool").null();
  if (o.endpoint.empty()) return;
  w.member("endpoint", o.endpoint);
  if (o.allow_private) w.member("allow_private", true);
  if (o.timeout) w.member("endpoint_timeout", *o.timeout);
  if (o.headers.empty()) return;
  w.key("endpoint_headers").object();
  for (const std::string& pair : o.headers) w.member(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
  w.end_object();
}

Result<std::string> body_of(const Context& c, bool with_name) {
  const Options& o = c.options;
  if (o.unbind && !(o.upstream.empty() && o.endpoint.empty())) {
    return fail(Code::invalid_params, "--unbind stands without --upstream and --endpoint");
  }
  for (const std::string& pair : o.headers) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(Code::invalid_params, "'" + printable(pair, 30) + "' is not NAME=VALUE");
    }
  }
  json::Writer w;
  w.object();
  if (with_name) w.member("name", o.name);
  write_some(w, "version", o.version);
  write_some(w, "title", o.title);
  if (o.description) w.member("description", *o.description);
  if (!o.schema.empty()) {
    SP_TRY(const std::string schema, json_object(c, o.schema, "the schema's contents"));
    w.member_raw("schema", schema);
  }
  if (o.security_level) w.member("security_level", *o.security_level);
  write_all(w, "categories", o.categories);
  write_all(w, "tags", o.tags);
  write_all(w, "labels", o.labels);
  write_some(w, "status", o.status);
  write_binding(w, o);
  return w.end_object().take();
}

int send(const Context& c, std::string_view method, const std::string& path, bool with_name) {
  const auto body = body_of(c, with_name);
  if (!body) return c.fail_with(kUsage, body.error().detail, "see sallyport " + c.options.command + " --help");
  if (*body == "{}") return c.fail_with(kUsage, "nothing to change", "see sallyport tool update --help");
  return finish(c, c.api(method, path, *body), details(c));
}

int search(const Context& c) {
  std::string words;
  for (const std::string& word : c.options.rest) words += (words.empty() ? "" : " ") + word;
  const std::string path = "/api/v1/tools/search" + query({{"query", words},
                                                           {"limit", std::to_string(c.options.limit)},
                                                           {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", path), list_of_tools(c, "No tool that you may see has all of these words"));
}

}  // namespace

int run_registry(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(5);
  const std::string base = "/api/v1/tools";
  const std::string path = base + "/" + url_encode(c.options.name);
  if (what == "search") return search(c);
  if (what == "register") return send(c, "POST", base, true);
  if (what == "update") return send(c, "PUT", path, false);
  return finish(c, c.api("DELETE", path), [&](json::Value) { return "removed " + printable(c.options.name) + "\n"; });
}

}  // namespace sallyport::cli
