// What people and tools read of the table: explain, the JSON Schema, docs/reference/config.md.
#include <algorithm>

#include "config/config.h"
#include "config/table.h"
#include "json/canonical.h"
#include "json/writer.h"

namespace sallyport::config {
namespace {

std::string pad(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

void write_fallback(json::Writer& w, const RowBase& row) {
  if (row.type == Type::boolean) w.member("default", row.fallback == "true");
  if (row.type == Type::integer) w.member("default", static_cast<std::int64_t>(std::stoll(row.fallback)));
  if ((row.type == Type::text || row.type == Type::choice) && !row.fallback.empty()) w.member("default", row.fallback);
}

void write_type(json::Writer& w, const RowBase& row) {
  switch (row.type) {
    case Type::boolean: w.member("type", "boolean"); return;
    case Type::integer: w.member("type", "integer").member("minimum", row.min).member("maximum", row.max); return;
    case Type::list:
      w.member("type", "array").key("items").object().member("type", "string").end_object();
      if (row.min > 0) w.member("minItems", row.min);
      return;
    case Type::map:
      w.member("type", "object").key("additionalProperties").object().member("type", "string").end_object();
      return;
    case Type::choice:
      w.member("type", "string").key("enum").array();
      for (const std::string_view choice : row.choices) w.value(choice);
      w.end_array();
      return;
    case Type::secret: w.member("type", "string").member("pattern", "^\\$\\{(env|file):[^{}$]+\\}$"); return;
    case Type::text: w.member("type", "string"); return;
  }
}

void write_row(json::Writer& w, const RowBase& row, std::string_view name) {
  w.key(name).object().member("description", row.doc);
  write_type(w, row);
  write_fallback(w, row);
  w.end_object();
}

// The rows of a table stand in the order of their sections, so a section opens and closes once.
template <class RowType>
void write_properties(json::Writer& w, const std::vector<RowType>& rows, std::size_t& at, const std::string& prefix) {
  while (at < rows.size() && rows[at].path.starts_with(prefix)) {
    const std::string rest = rows[at].path.substr(prefix.size());
    const auto dot = rest.find('.');
    if (dot == std::string::npos) {
      write_row(w, rows[at++], rest);
      continue;
    }
    w.key(rest.substr(0, dot)).object();
    w.member("type", "object").member("additionalProperties", false).key("properties").object();
    write_properties(w, rows, at, prefix + rest.substr(0, dot + 1));
    w.end_object().end_object();
  }
}

void write_servers(json::Writer& w) {
  w.key("servers").object().member("type", "array").key("items").object();
  w.member("type", "object").member("additionalProperties", false).key("required").array().value("name").end_array();
  w.key("properties").object();
  std::size_t at = 0;
  write_properties(w, server_table(), at, "");
  w.end_object().end_object().end_object();
}

std::string range_of(const RowBase& row) {
  if (row.type == Type::integer) return std::to_string(row.min) + " to " + std::to_string(row.max);
  std::string out;
  for (const std::string_view choice : row.choices) out += (out.empty() ? "" : ", ") + std::string(choice);
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void markdown_row(std::string& out, const RowBase& row, const std::string& environment) {
  const std::string fallback = row.fallback.empty() ? "" : "`" + row.fallback + "`";
  const std::string type = row.unit.empty() ? std::string(type_name(row.type)) : std::string(row.unit);
  out += "| `" + row.path + "` | " + type + " | " + fallback + " | " + range_of(row) + " | " +
         (row.restart ? "restart" : "reload") + " | " + cell(row.doc) + (environment.empty() ? "" : " " + environment) +
         " |\n";
}

constexpr std::string_view kHead =
    "# Settings\n\n"
    "Generated from the table in `src/config/table.cc`; a test says when it is stale, and\n"
    "`SALLYPORT_WRITE_DOCS=1 build/release/bin/sp_config_tests` writes it anew.\n\n"
    "Settings come from `<home>/sallyport.yaml` (or `--config FILE`) and from the environment, which wins. Every "
    "setting has the\n"
    "environment name `SALLYPORT_` + its path in capitals with `_` for `.`: `listen.port` is `SALLYPORT_LISTEN_PORT`. "
    "Names of the\n"
    "earlier systems are listed where they hold. Unknown and doubled keys, wrong types, values out of range, anchors, "
    "aliases and\n"
    "secrets in the clear stop the start; `sallyport config check` names the line, the reason and the fix, `sallyport "
    "config explain`\n"
    "shows every value and where it came from. \"Unlimited\" cannot be configured.\n\n"
    "A secret is never written down but referred to: `${env:NAME}` or `${file:PATH}` (relative to the home, mode "
    "0600). "
    "Settings are read before\n"
    "the vault, so the other references, `${vault:NAME}`, `${dir:NAME}`, `${kv:...}` and `${aws:...}` "
    "([vault.md](../vault.md)), are for values of a\n"
    "server alone: its `env`, `headers`, `query`, `files` and `tls.client_key`.\n\n";

constexpr std::string_view kColumns =
    "| setting | type or unit | default | range | changed by | meaning |\n|---|---|---|---|---|---|\n";

}  // namespace

std::string explain_text(const Settings& settings) {
  std::size_t path = 0;
  std::size_t value = 0;
  for (const Explained& e : settings.explained) {
    path = std::max(path, e.path.size());
    value = std::max(value, std::min<std::size_t>(e.value.size(), 40));
  }
  std::string out;
  for (const Explained& e : settings.explained) {
    out += pad(e.path, path) + "  " + pad(e.value, value) + "  " + e.source + "\n";
  }
  for (const std::string& warning : settings.warnings) out += "warning: " + warning + "\n";
  return out;
}

std::string explain_json(const Settings& settings) {
  json::Writer w;
  w.object().key("settings").array();
  for (const Explained& e : settings.explained) {
    w.object().member("path", e.path).member("value", e.value).member("source", e.source).end_object();
  }
  w.end_array().key("warnings").array();
  for (const std::string& warning : settings.warnings) w.value(warning);
  w.end_array().end_object();
  return w.take();
}

std::string json_schema() {
  json::Writer w;
  w.object().member("$schema", "https://json-schema.org/draft/2020-12/schema").member("title", "sallyport.yaml");
  w.member("type", "object").member("additionalProperties", false).key("properties").object();
  std::size_t at = 0;
  write_properties(w, table(), at, "");
  write_servers(w);
  w.end_object().end_object();
  return json::pretty(w.text()) + "\n";
}

std::string reference_markdown() {
  std::string out(kHead);
  std::string section;
  for (const Row& row : table()) {
    const std::string of = row.path.substr(0, row.path.find('.'));
    if (of != section) out += (section.empty() ? "" : "\n") + ("## " + of + "\n\n") + std::string(kColumns);
    section = of;
    std::string environment;
    for (const EnvName& name : row.env) {
      environment += (environment.empty() ? "Environment: `" : ", `") + std::string(name.name) + "`";
      if (name.scale != 1) environment += " (times " + std::to_string(name.scale) + ")";
    }
    markdown_row(out, row, environment.empty() ? "" : environment + ".");
  }
  out += "\n## servers\n\nA list; each entry declares one tool server.\n\n" + std::string(kColumns);
  for (const ServerRow& row : server_table()) markdown_row(out, row, "");
  return out;
}

}  // namespace sallyport::config
