#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>

#include "cli/context.h"
#include "cli/import_secrets.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

constexpr std::array<std::string_view, 8> kLaunchers{"npx", "npm", "bunx", "pnpm", "yarn", "uvx", "uv", "pipx"};

struct Outcome {
  ImportedServer server;
  std::size_t secrets = 0;
  std::string result;
  bool failed = false;
};

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The program by its absolute path; what its arguments show it needs of the sandbox.
void settle_program(const Context& c, ImportedServer& s, std::size_t secrets) {
  if (s.http || !s.skip.empty()) return;
  const std::string given = s.command[0];
  s.command[0] = find_program(given, c.io.environment);
  if (s.command[0].empty()) {
    s.skip = "there is no program " + printable(given, 60) + " on this machine";
    return;
  }
  if (std::ranges::find(kLaunchers, base_name(given)) != kLaunchers.end()) {
    s.network = true;
    s.notes.push_back(base_name(given) +
                      " fetches the server at each start: install it and name its program to pin it");
  }
  s.network = s.network || secrets > 0;  // it has credentials for something outside
  for (std::size_t i = 1; i < s.command.size(); ++i) {
    std::error_code ec;
    const std::filesystem::path path(s.command[i]);
    if (path.is_absolute() && std::filesystem::is_directory(path, ec) && path != "/") {
      s.paths.push_back("rw:" + path.lexically_normal().string());
      s.notes.push_back("may read and write " + printable(path.string(), 80));
    }
  }
}

void write_map(json::Writer& w, std::string_view key, const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  w.key(key).object();
  for (const auto& [name, value] : map) w.member(name, value);
  w.end_object();
}

void write_items(json::Writer& w, std::string_view key, const std::vector<std::string>& items) {
  if (items.empty()) return;
  w.key(key).array();
  for (const std::string& item : items) w.value(item);
  w.end_array();
}

std::string body_of(const ImportedServer& s, bool probe) {
  json::Writer w;
  w.object().member("name", s.name).member("transport", s.http ? "http" : "stdio");
  write_items(w, "command", s.command);
  if (s.http) w.member("url", s.url);
  if (!s.working_directory.empty()) w.member("working_directory", s.working_directory);
  write_map(w, "env", s.env);
  write_map(w, "headers", s.headers);
  write_items(w, "paths", s.paths);
  if (s.network) w.member("network", true);
  w.member("probe", probe).end_object();
  return w.take();
}

// Secrets first, since a probe needs them; taken back when the server is refused.
void register_one(const Context& c, Outcome& o, const std::vector<FoundSecret>& secrets) {
  std::vector<std::string> written;
  const auto forget = [&written] {
    for (const std::string& path : written) ::unlink(path.c_str());
  };
  o.failed = true;
  if (const auto done = write_secrets(c.options.home, secrets, written); !done) {
    forget();
    o.result = "failed: " + done.error().detail;
    return;
  }
  const auto answer = c.api("POST", "/api/v1/servers", body_of(o.server, !c.options.no_probe));
  if (answer && exit_of_status(answer->status) == kOk) {
    o.failed = false;
    o.result = "registered";
    return;
  }
  forget();
  if (!answer) {
    o.result = "failed: " + answer.error().detail;
    return;
  }
  const auto document = json::read_upstream_document(answer->body);
  o.result = answer->status == 409 ? "exists already"
                                   : "refused: " + (document ? cell_text(document->root(), "error.message")
                                                             : std::to_string(answer->status));
}

Outcome import_one(const Context& c, ImportedServer server) {
  Outcome o;
  std::vector<FoundSecret> secrets;
  if (server.skip.empty()) secrets = take_secrets(server, c.io.environment);
  settle_program(c, server, secrets.size());
  o.server = std::move(server);
  o.secrets = secrets.size();
  if (!o.server.skip.empty()) o.result = "skipped: " + o.server.skip;
  else if (c.options.dry_run) o.result = "would be registered";
  else register_one(c, o, secrets);
  return o;
}

std::string outcomes_json(const std::vector<Outcome>& outcomes, const std::string& snippet) {
  json::Writer w;
  w.object().key("servers").array();
  for (const Outcome& o : outcomes) {
    const ImportedServer& s = o.server;
    w.object()
        .member("client_name", s.client_name)
        .member("name", s.name)
        .member("transport", s.http ? "http" : "stdio");
    w.member("runs", s.http ? s.url : s.command.empty() ? std::string() : s.command[0]);
    w.member("secrets", o.secrets).member("network", s.http || s.network ? "yes" : "no").member("result", o.result);
    w.key("notes").array();
    for (const std::string& note : s.notes) w.value(note);
    w.end_array().key("registration").raw(body_of(s, false)).end_object();
  }
  w.end_array().member_raw("client_snippet", snippet).end_object();
  return w.take();
}

std::string own_program() {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", ec);
  return ec ? "sallyport" : path.string();
}

// What takes the place of the imported entries in the client's file; the key is the reader's to fill in.
std::string snippet_of(const Context& c, ClientFile::Shape shape) {
  json::Writer w;
  w.object().key(shape == ClientFile::Shape::vscode ? "servers" : "mcpServers").object().key("sallyport").object();
  if (shape == ClientFile::Shape::vscode) w.member("type", "stdio");
  w.member("command", own_program())
      .key("args")
      .array()
      .value("--home")
      .value(c.options.home)
      .value("stdio")
      .end_array();
  w.key("env").object().member("MCP_API_KEY", "<the agent's key>").end_object();
  w.end_object().end_object().end_object();
  return w.take();
}

void print(const Context& c, const std::vector<Outcome>& outcomes, const std::string& snippet) {
  const std::string all = outcomes_json(outcomes, snippet);
  if (c.options.json) {
    c.io.out << json::pretty(all) << "\n";
    return;
  }
  const auto document = json::read(all);
  if (!document) return;
  c.io.out << render_table(document->root().find("servers").value_or(json::Value()),
                           {{"client_name", "IN THE FILE", 32},
                            {"name", "NAME"},
                            {"transport", "TRANSPORT"},
                            {"runs", "RUNS", 50},
                            {"secrets", "SECRETS"},
                            {"network", "NETWORK"},
                            {"result", "RESULT", 120}},
                           c.io.colour);
  for (const Outcome& o : outcomes) {
    for (const std::string& note : o.server.notes)
      c.io.out << "note: " << o.server.name << ": " << printable(note, 300) << "\n";
  }
  c.io.out << "\nThe client's file was not changed. Put this in place of the entries above:\n"
           << json::pretty(snippet) << "\n";
}

}  // namespace

int run_import(const Context& c) {
  std::ifstream file(c.options.name, std::ios::binary);
  file.peek();  // a folder opens, but cannot be read
  if (!file.is_open() || file.bad())
    return c.fail_with(kNotFound, printable(c.options.name) + " cannot be read",
                       "give the path of the client's settings file");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto read = read_client_file(text);
  if (!read)
    return c.fail_with(kFailure, printable(c.options.name) + ": " + printable(read.error().detail, 500),
                       "give a file of Claude Desktop, Cursor or VS Code");
  std::vector<Outcome> outcomes;
  for (ImportedServer& server : read->servers) outcomes.push_back(import_one(c, std::move(server)));
  print(c, outcomes, snippet_of(c, read->shape));
  return std::ranges::any_of(outcomes, &Outcome::failed) ? kFailure : kOk;
}

}  // namespace sallyport::cli
