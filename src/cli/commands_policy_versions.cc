// The life of the policies: versions, what differs between them, what is in force and the way back.
#include <map>
#include <ostream>

#include "cli/line_diff.h"
#include "cli/policy_sources.h"

namespace sallyport::cli {
namespace {

const std::string kVersions = "/api/v1/policies/versions";

std::string moved_text(json::Value now) {
  return "policy version " + cell_text(now, "version") + " is in force; before it was " + cell_text(now, "former") +
         "\n";
}

std::string version_text(const Context& c, json::Value found) {
  std::string out;
  for (const auto& [key, value] : found.members()) {
    if (key != "modules") out += printable(key) + ": " + cell_text(found, key) + "\n";
  }
  for (const json::Value module : found.find("modules").value_or(json::Value()).elements()) {
    out += "\n" + coloured("# " + printable(module.string_at("name").value_or("")), "ok", c.io.colour) + "\n";
    out += printable_lines(module.string_at("source").value_or(""));
  }
  return out;
}

int diff(const Context& c) {
  PolicyFiles sides[2];
  for (std::size_t i = 0; i < 2; ++i) {
    auto files = policy_files(c, c.options.rest[i]);
    if (!files) return finish(c, fail(files.error()), details(c));
    sides[i] = std::move(*files);
  }
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (auto& [name, source] : sides[0]) both[name].first = std::move(source);
  for (auto& [name, source] : sides[1]) both[name].second = std::move(source);
  std::string out;
  for (const auto& [name, sources] : both) {
    out += line_diff(sources.first, sources.second, c.options.rest[0] + "/" + name, c.options.rest[1] + "/" + name);
  }
  if (c.options.json) {
    json::Writer w;
    w.object().member("equal", out.empty()).member("diff", out).end_object();
    c.io.out << w.text() << "\n";
  } else {
    c.io.out << printable_lines(out);
  }
  return out.empty() ? kOk : kFailure;
}

int put_in_force(const Context& c, const std::string& version) {
  json::Writer w;
  w.object().member("reason", c.options.reason).member("force", c.options.force).end_object();
  return finish(c, c.api("POST", kVersions + "/" + version + "/activate", w.text()), moved_text);
}

int activate(const Context& c) {
  if (c.options.number) return put_in_force(c, std::to_string(*c.options.number));
  if (const int tried = try_before(c, c.options.name); tried != kOk) return tried;
  const auto files = c.hooks.read_policies(c.options.home, c.options.name);
  if (!files) return finish(c, fail(files.error()), details(c));
  json::Writer w;
  write_modules(w.object(), *files);
  w.member("reason", c.options.reason).end_object();
  const auto made = c.api("POST", kVersions, w.text());
  if (!made || made->status != 201) return finish(c, made, details(c));
  const auto document = json::read_upstream_document(made->body);
  if (!document) return c.fail_with(kFailure, "the gateway answered with what is no JSON");
  return put_in_force(c, cell_text(document->root(), "version"));
}

int roll_back(const Context& c) {
  json::Writer w;
  w.object().member("reason", c.options.reason).member("force", c.options.force);
  if (c.options.to) w.member("to", *c.options.to);
  w.end_object();
  return finish(c, c.api("POST", "/api/v1/policies/rollback", w.text()), moved_text);
}

int versions(const Context& c) {
  return finish(c, c.api("GET", kVersions + page(c.options)),
                list_of(c,
                        {{"version", "VERSION"},
                         {"state", "STATE"},
                         {"source", "SOURCE"},
                         {"author", "AUTHOR", 40},
                         {"reason", "REASON", 50},
                         {"created_at", "MADE"},
                         {"activated_at", "IN FORCE SINCE"}},
                        "No version is known"));
}

}  // namespace

int run_policy_versions(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(7);
  const std::string one = kVersions + "/" + url_encode(c.options.name);
  if (what == "show") return finish(c, c.api("GET", one), [&](json::Value found) { return version_text(c, found); });
  if (what == "diff") return diff(c);
  if (what == "activate") return activate(c);
  if (what == "rollback") return roll_back(c);
  if (what == "forget") {
    return finish(c, c.api("DELETE", one), [&](json::Value) { return "forgot " + printable(c.options.name) + "\n"; });
  }
  return versions(c);
}

}  // namespace sallyport::cli
