// The first set-up of a home, idempotent: key, database, one admin with a one-time password, one key for an agent. Secrets
// are random, shown once, never defaults (ruling C8, S1-7).
#include "app/init.h"

#include "config/own_url.h"
#include "core/random.h"

namespace sallyport::app {
namespace {

struct Made {
  std::string password;
  Secret key;
};

Task<Result<Made>> make_people(App& app, std::string password) {
  Made made{password, {}};
  UserRecord owner;
  owner.name = "admin";
  auto hash = co_await app.accounts().hash_new_password(owner, Secret(std::move(password)));
  if (!hash) co_return fail(std::move(hash).error());
  control::NewUser admin;
  admin.name = owner.name;
  admin.password_hash = std::move(*hash);
  admin.roles = {"admin"};
  admin.must_change_password = true;
  SP_CO_CHECK(co_await app.control().create_user(std::move(admin)));
  KeyRecord key;
  key.name = "agent";
  key.description = "made by init: reads and executes every tool, over MCP";
  key.permissions = {Permission::tool_read, Permission::tool_execute};
  SP_CO_TRY(auto fresh, co_await app.control().create_key(std::move(key)));
  made.key = std::move(fresh.key);
  co_return made;
}

std::string client_snippet(const std::string& url, std::string_view key) {
  json::Writer w;
  w.object().key("mcpServers").object().key("sallyport").object();
  w.member("type", "http").member("url", url).key("headers").object();
  w.member("Authorization", "Bearer " + std::string(key)).end_object().end_object().end_object().end_object();
  return json::pretty(w.text());
}

std::string vs_code_snippet(const std::string& url, std::string_view key) {
  json::Writer w;
  w.object().key("servers").object().key("sallyport").object();
  w.member("type", "http").member("url", url).key("headers").object();
  w.member("Authorization", "Bearer " + std::string(key)).end_object().end_object().end_object().end_object();
  return json::pretty(w.text());
}

std::string desktop_snippet(const std::string& program, const std::string& url, const std::string& ca,
                            std::string_view key) {
  json::Writer w;
  w.object().key("mcpServers").object().key("sallyport").object();
  w.member("command", program).key("args").array().value("stdio").value("--url").value(url).end_array();
  w.key("env").object().member("MCP_API_KEY", key);
  if (!ca.empty()) w.member("SSL_CERT_FILE", ca);
  w.end_object().end_object().end_object().end_object();
  return json::pretty(w.text());
}

// Opens a session, calls the calculator, in one paste.
std::string curl_lines(const std::string& url, const std::string& ca, std::string_view key) {
  const std::string start = "curl -s " + (ca.empty() ? "" : "--cacert " + ca + " ") + url +
                            " -H 'Authorization: Bearer " + std::string(key) + "' -H 'Content-Type: application/json'";
  return "S=$(" + start + " -D - -o /dev/null -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
         "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"curl\",\"version\":\"1\"}}}' "
         "| tr -d '\\r' | awk 'tolower($1)==\"mcp-session-id:\"{print $2}'); \\\n  " +
         start + " -H \"Mcp-Session-Id: $S\" -d '{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
         "{\"name\":\"calculator_add\",\"arguments\":{\"a\":2,\"b\":3}}}'; echo";
}

std::string welcome(const std::string& base, const std::string& ca, const std::string& program, const Made& made) {
  const std::string url = base + "/mcp";
  const auto key = made.key.reveal();
  std::string out;
  out += "\nSallyport is set up. What follows is shown once:\n\n";
  out += "  address         " + url + "\n";
  out += "  admin           admin, one-time password " + made.password + "  (must be changed at the first login)\n";
  out += "  agent API key   " + std::string(key) + "\n\n";
  out += "First call, once it serves (paste it as it is):\n\n  " + curl_lines(url, ca, key) + "\n\n";
  out += "Cursor (.cursor/mcp.json):\n\n" + client_snippet(url, key) + "\n\n";
  out += "VS Code (.vscode/mcp.json):\n\n" + vs_code_snippet(url, key) + "\n\n";
  out += "Claude Desktop (claude_desktop_config.json):\n\n" + desktop_snippet(program, url, ca, key) + "\n";
  return out;
}

std::string as_json(const std::string& base, const Made& made) {
  json::Writer w;
  w.object().member("address", base).member("admin", "admin").member("one_time_password", made.password);
  w.member("api_key", made.key.reveal()).end_object();
  return w.take();
}

// Of our own certificates; a public authority's need not be named.
std::string ca_of(const config::Settings& settings) {
  const std::string folder = settings.home + "/certs/";
  return settings.tls.enabled && settings.tls.certificate == folder + "server.crt" ? folder + "ca.crt" : std::string();
}

}  // namespace

Result<std::string> first_setup(App& app, const std::string& program, bool json) {
  const std::string base = config::own_url(app.settings());
  if (!app.control().snapshot()->principals->users.empty()) return std::string();
  SystemRandom random;
  // 24 characters of randomness, and one of each class that the rules ask for (S2-35).
  SP_TRY(const Made made, app.run_control(make_people(app, random_id(random, 18) + "-aA7")));
  return json ? as_json(base, made) : welcome(base, ca_of(app.settings()), program, made);
}

}  // namespace sallyport::app
