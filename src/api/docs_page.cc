// /docs: the route table for people. Plain HTML without a script, so that the strict Content-Security-Policy (C14) holds.
#include <algorithm>
#include <vector>

#include "api/route.h"

namespace sallyport::api {

namespace {

constexpr std::string_view kStyle =
    R"(body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2530;background:#fff}
h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #d5dbe3;padding-bottom:.2rem}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:#f4f6f9;padding:.7rem;overflow:auto;border-radius:4px}
details{border:1px solid #d5dbe3;border-radius:4px;margin:.4rem 0;padding:.35rem .7rem}summary{cursor:pointer}
summary b{display:inline-block;min-width:4.2rem}.GET{color:#1d5fa8}.POST{color:#1c7a3d}.PUT{color:#8a5a00}.DELETE{color:#a82a2a}
dl{display:grid;grid-template-columns:9rem 1fr;margin:.5rem 0}dt{color:#5a6573}dd{margin:0}
@media(prefers-color-scheme:dark){body{background:#14181d;color:#dde3ea}pre{background:#1d232a}h2,details{border-color:#333c47}
.GET{color:#7db4ee}.POST{color:#77c993}.PUT{color:#e0b25a}.DELETE{color:#ee8a8a}dt{color:#98a4b3}}
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

void add_row(std::string& out, std::string_view name, std::string_view html) {
  if (html.empty()) return;
  out.append("<dt>").append(name).append("</dt><dd>").append(html).append("</dd>\n");
}

std::string schema_link(std::string_view name, bool list) {
  if (name.empty()) return "";
  std::string out = list ? "list of " : "";
  return out.append("<a href=\"#schema-").append(name).append("\">").append(name).append("</a>");
}


void add_route(std::string& out, const Route& route) {
  out.append("<details><summary><b class=\"")
      .append(route.method)
      .append("\">")
      .append(route.method)
      .append("</b> <code>");
  out.append(escaped(route.path)).append("</code> ").append(escaped(route.doc.summary)).append("</summary><dl>\n");
  add_row(out, "Who may",
          route.is_public    ? "everyone"
          : route.permission ? "<code>" + std::string(name_of(*route.permission)) + "</code>"
                             : "whoever has logged in or holds a key");
  add_row(out, "Body", schema_link(route.doc.request, false));
  if (route.step_up) add_row(out, "Asks for", "a recent code, of people who have a second factor");
  if (!route.doc.query.empty() || route.doc.list) {
    add_row(out, "Query",
            escaped(route.doc.query) + " " + escaped(route.doc.filters) +
                (route.doc.list ? " limit offset page per_page sort" : ""));
  }
  add_row(out, "Answer",
          std::to_string(route.doc.status) + " " +
              (!route.doc.response.empty() ? schema_link(route.doc.response, route.doc.list)
                                           : std::string(route.doc.media_type)));
  add_row(out, "Limit class", route.limit_class);
  out += "</dl></details>\n";
}

}  // namespace

std::string_view group_of(const Route& route) {
  return route.path == "/" ? "gateway" : route.path.substr(1, route.path.find('/', 1) - 1);
}

std::string docs_page(std::span<const Route> routes) {
  std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                    "content=\"width=device-width\">"
                    "<title>Sallyport REST API</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\n"
                    "<h1>Sallyport REST API</h1><p>Version " SALLYPORT_VERSION
                    ". Paths are below <code>/api/v1</code>; <code>/api</code> and the root "
                    "are aliases. Send <code>Authorization: Bearer</code> with an access token or an API key, or "
                    "<code>X-API-Key</code>. For "
                    "programs: <a href=\"/openapi.json\">/openapi.json</a>.</p>\n";
  std::vector<std::string_view> groups;  // as the table has them first
  for (const Route& route : routes) {
    if (std::ranges::find(groups, group_of(route)) == groups.end()) groups.push_back(group_of(route));
  }
  for (const std::string_view group : groups) {
    out.append("<h2>").append(group).append("</h2>\n");
    for (const Route& route : routes) {
      if (group_of(route) == group) add_route(out, route);
    }
  }
  out += "<h2>Schemas</h2>\n";
  if (const auto schemas = json::read(kSchemas)) {
    for (const auto& [name, schema] : schemas->root().members()) {
      out.append("<details id=\"schema-")
          .append(name)
          .append("\"><summary><code>")
          .append(name)
          .append("</code></summary><pre>");
      out.append(escaped(schema.raw())).append("</pre></details>\n");
    }
  }
  return out + "</body></html>\n";
}

Task<RestAnswer> docs(Call& call) {
  (void)call;
  static const std::string kPage = docs_page(routes());
  RestAnswer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body = kPage;
  co_return answer;
}

Task<RestAnswer> docs_style(Call& call) {
  (void)call;
  RestAnswer answer;
  answer.content_type = "text/css; charset=utf-8";
  answer.body = kStyle;
  co_return answer;
}

}  // namespace sallyport::api
