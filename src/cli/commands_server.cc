#include <algorithm>
#include <filesystem>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kBase = "/api/v1/servers";

std::string path_of(const Context& c, std::string_view action = "") {
  return std::string(kBase) + "/" + url_encode(c.options.name) + std::string(action);
}

// Nothing: `pair` is NAME=VALUE and carries no secret in the clear; else the reason.
std::string wrong_pair(const std::string& pair) {
  const auto equals = pair.find('=');
  if (equals == 0 || equals == std::string::npos) return "'" + printable(pair, 30) + "' is not NAME=VALUE";
  if (!config::looks_like_secret(pair.substr(0, equals), pair.substr(equals + 1))) return "";
  return printable(pair.substr(0, equals), 60) + " looks like a secret in the clear";
}

void write_pairs(json::Writer& w, std::string_view key, const std::vector<std::string>& pairs) {
  if (pairs.empty()) return;
  w.key(key).object();
  for (const std::string& pair : pairs) w.member(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
  w.end_object();
}

void write_list(json::Writer& w, std::string_view key, const std::vector<std::string>& items) {
  if (items.empty()) return;
  w.key(key).array();
  for (const std::string& item : items) w.value(item);
  w.end_array();
}

// The gateway reads the file itself, each time a session begins: what it is told is where that lies for it.
std::string place_of(const std::string& pem) {
  return pem.find("-----BEGIN ") != std::string::npos ? pem
                                                      : std::filesystem::absolute(pem).lexically_normal().string();
}

void write_tls(json::Writer& w, const Options& o) {
  w.object();
  if (!o.tls_ca.empty()) w.member("ca", place_of(o.tls_ca));
  write_list(w, "pins", o.pins);
  if (!o.client_certificate.empty()) w.member("client_certificate", place_of(o.client_certificate));
  if (!o.client_key.empty()) w.member("client_key", o.client_key);
  w.end_object();
}

bool has_tls(const Options& o) {
  return !o.tls_ca.empty() || !o.pins.empty() || !o.client_certificate.empty() || !o.client_key.empty();
}

bool forwards_nothing(const Options& o) { return std::ranges::find(o.forwards, "none") != o.forwards.end(); }

std::string server_body(const Options& o, const std::vector<std::string>& command) {
  json::Writer w;
  w.object().member("name", o.name).member("transport", o.url.empty() ? "stdio" : "http");
  write_list(w, "command", command);
  if (!o.url.empty()) w.member("url", o.url);
  if (!o.working_directory.empty()) w.member("working_directory", o.working_directory);
  write_pairs(w, "env", o.env);
  write_pairs(w, "headers", o.headers);
  write_pairs(w, "query", o.query);
  write_pairs(w, "files", o.files);
  write_list(w, "paths", o.paths);
  write_list(w, "required", o.required);
  write_list(w, "labels", o.labels);
  if (forwards_nothing(o)) w.key("forwards").array().end_array();
  else write_list(w, "forwards", o.forwards);
  if (o.network) w.member("network", true);
  if (o.shared) w.member("shared", true);
  if (o.allow_private) w.member("allow_private", true);
  if (o.prefix) w.member("prefix", *o.prefix);
  if (o.security_level) w.member("security_level", *o.security_level);
  if (has_tls(o)) {
    w.key("tls");
    write_tls(w, o);
  }
  w.member("probe", !o.no_probe).end_object();
  return w.take();
}

// A key in an argument is in the list of processes, and in the shell's history.
std::string wrong_key(const Options& o) {
  if (o.client_key.empty() || o.client_key.starts_with("${file:") || o.client_key.starts_with("${vault:")) return "";
  return "--client-key is a reference, never the key or a bare path";
}

int bad_key(const Context& c) {
  return c.fail_with(kUsage, wrong_key(c.options),
                     "write --client-key '${file:/path/to/key.pem}' (mode 0600) or '${vault:NAME}'");
}

int set_tls(const Context& c) {
  if (!wrong_key(c.options).empty()) return bad_key(c);
  json::Writer w;
  write_tls(w, c.options);
  return finish(c, c.api("PUT", path_of(c, "/tls"), w.take()), details(c));
}

int add(const Context& c) {
  const Options& o = c.options;
  if (!wrong_key(o).empty()) return bad_key(c);
  if (o.url.empty() == o.rest.empty()) {
    return c.fail_with(kUsage, "a server needs either a command or a --url",
                       "sallyport server add NAME -- /path/to/program ARGUMENT...");
  }
  if (forwards_nothing(o) && o.forwards.size() > 1) {
    return c.fail_with(kUsage, "--forward none stands alone", "leave it out, or leave the others out");
  }
  std::vector<std::string> pairs = o.env;
  for (const auto* more : {&o.headers, &o.query, &o.files}) pairs.insert(pairs.end(), more->begin(), more->end());
  for (const std::string& pair : pairs) {
    const std::string wrong = wrong_pair(pair);
    if (wrong.empty()) continue;
    return c.fail_with(kUsage, wrong,
                       "put the value into the vault (sallyport vault put) and write NAME=${vault:NAME}, or into a "
                       "file with mode 0600 "
                       "in " +
                           o.home + "/secrets and write NAME=${file:secrets/FILE}");
  }
  std::vector<std::string> command = o.rest;
  if (!command.empty()) {
    command[0] = find_program(command[0], c.io.environment);
    if (command[0].empty())
      return c.fail_with(kNotFound, "there is no program " + printable(o.rest[0], 100), "give its path, or install it");
  }
  return finish(c, c.api("POST", std::string(kBase), server_body(o, command)), details(c));
}

}  // namespace

int run_server(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(7);
  if (what == "add") return add(c);
  if (what == "list") {
    const std::string path = std::string(kBase) + query({{"limit", std::to_string(c.options.limit)},
                                                         {"offset", std::to_string(c.options.offset)}});
    return finish(c, c.api("GET", path),
                  list_of(c,
                          {{"name", "NAME"},
                           {"transport", "TRANSPORT"},
                           {"enabled", "ENABLED"},
                           {"tools", "TOOLS"},
                           {"prefix", "PREFIX"},
                           {"url", "URL", 50},
                           {"command", "COMMAND", 60}},
                          "No server is registered; add one: sallyport server add NAME -- PROGRAM"));
  }
  if (what == "show") return finish(c, c.api("GET", path_of(c)), details(c));
  if (what == "tls") return set_tls(c);
  if (what == "label") return run_label_of(c, path_of(c));
  if (what == "remove") {
    return finish(c, c.api("DELETE", path_of(c)),
                  [&](json::Value) { return "removed " + printable(c.options.name) + "\n"; });
  }
  if (what == "probe")
    return finish(c,
                  c.api("POST", path_of(c, "/probe"), c.options.accept ? R"({"accept":true})" : R"({"accept":false})"),
                  details(c));
  return finish(c, c.api("POST", path_of(c, "/restart"), "{}"),
                [&](json::Value) { return "restarted " + printable(c.options.name) + "\n"; });
}

}  // namespace sallyport::cli
