#include "config/table.h"

#include "config/assign.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;

void add_listen(std::vector<Row>& t) {
  t.push_back({{.path = "listen.address", .type = Type::text, .fallback = "127.0.0.1", .max = 45, .doc = "Address the gateway binds. Any but a loopback address needs listen.behind_tls_proxy (C16).", .check = check_address}, SP_INTO(listen.address)});
  t.push_back({{.path = "listen.port", .type = Type::integer, .fallback = "8000", .min = 1, .max = 65535, .doc = "TCP port of the gateway."}, SP_INTO(listen.port)});
  t.push_back({{.path = "listen.workers", .type = Type::integer, .fallback = "0", .min = 0, .max = 256, .unit = "threads", .doc = "Worker threads; 0 is one for each core."}, SP_INTO(listen.workers)});
  t.push_back({{.path = "listen.hosts", .type = Type::list, .fallback = "localhost,127.0.0.1,[::1]", .min = 1, .max = 253, .restart = false, .doc = "Names a Host header may carry: exact names and *.suffix (C15).", .check = check_host}, SP_INTO(listen.hosts)});
  t.push_back({{.path = "listen.origins", .type = Type::list, .fallback = "", .max = 300, .restart = false, .doc = "Origins a browser may call from; empty means no CORS at all. '*' is refused, since credentials are allowed (C15).", .env = {{"ALLOWED_ORIGINS"}, {"CORS_ORIGINS"}}, .check = check_origin}, SP_INTO(listen.origins)});
  t.push_back({{.path = "listen.trusted_proxies", .type = Type::list, .fallback = "", .max = 49, .doc = "Networks (CIDR) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed (S1-31).", .check = check_cidr}, SP_INTO(listen.trusted_proxies)});
  t.push_back({{.path = "listen.behind_tls_proxy", .type = Type::boolean, .fallback = "false", .doc = "Says that a proxy terminates TLS in front; required for an address that is not loopback (C16)."}, SP_INTO(listen.behind_tls_proxy)});
  t.push_back({{.path = "listen.admin_socket", .type = Type::boolean, .fallback = "true", .doc = "Serve the REST API to the owner of the home over <home>/admin.sock."}, SP_INTO(listen.admin_socket)});
}

void add_limits(std::vector<Row>& t) {
  t.push_back({{.path = "limits.head_bytes", .type = Type::integer, .fallback = "16384", .min = 1024, .max = kMiB, .unit = "bytes", .doc = "Request line and headers of one request."}, SP_INTO(limits.head_bytes)});
  t.push_back({{.path = "limits.body_bytes", .type = Type::integer, .fallback = "10485760", .min = 1024, .max = kGiB, .unit = "bytes", .doc = "Body of one request."}, SP_INTO(limits.body_bytes)});
  t.push_back({{.path = "limits.header_count", .type = Type::integer, .fallback = "100", .min = 8, .max = 1000, .unit = "headers", .doc = "Headers of one request."}, SP_INTO(limits.header_count)});
  t.push_back({{.path = "limits.json_depth", .type = Type::integer, .fallback = "64", .min = 4, .max = 1000, .unit = "levels", .doc = "Nesting of one JSON document."}, SP_INTO(limits.json_depth)});
  t.push_back({{.path = "limits.connections", .type = Type::integer, .fallback = "4096", .min = 1, .max = 1'000'000, .unit = "connections", .doc = "Client connections open at once, over all workers."}, SP_INTO(limits.connections)});
  t.push_back({{.path = "limits.connections_per_address", .type = Type::integer, .fallback = "256", .min = 1, .max = 1'000'000, .unit = "connections", .doc = "Client connections open at once from one address."}, SP_INTO(limits.connections_per_address)});
  t.push_back({{.path = "limits.head_timeout_seconds", .type = Type::integer, .fallback = "10", .min = 1, .max = 300, .unit = "seconds", .doc = "Time for a request's head to arrive."}, SP_INTO(limits.head_timeout)});
  t.push_back({{.path = "limits.body_timeout_seconds", .type = Type::integer, .fallback = "30", .min = 1, .max = 3600, .unit = "seconds", .doc = "Time for a request's body to arrive."}, SP_INTO(limits.body_timeout)});
  t.push_back({{.path = "limits.idle_timeout_seconds", .type = Type::integer, .fallback = "75", .min = 1, .max = 3600, .unit = "seconds", .doc = "How long a kept-alive connection may wait for its next request."}, SP_INTO(limits.idle_timeout)});
  t.push_back({{.path = "limits.write_timeout_seconds", .type = Type::integer, .fallback = "30", .min = 1, .max = 3600, .unit = "seconds", .doc = "How long a client may take no byte of its answer."}, SP_INTO(limits.write_timeout)});
  t.push_back({{.path = "limits.drain_seconds", .type = Type::integer, .fallback = "20", .min = 1, .max = 600, .unit = "seconds", .doc = "Time that accepted requests are given at SIGTERM."}, SP_INTO(limits.drain)});
  t.push_back({{.path = "sessions.idle_minutes", .type = Type::integer, .fallback = "60", .min = 1, .max = 10080, .unit = "minutes", .doc = "An MCP session without a request ends after this time (S2-3)."}, SP_INTO(sessions.idle)});
  t.push_back({{.path = "sessions.max_per_principal", .type = Type::integer, .fallback = "64", .min = 1, .max = 100'000, .unit = "sessions", .doc = "MCP sessions one principal may hold."}, SP_INTO(sessions.max_per_principal)});
}

// ${NAME}.requests, .window_seconds, .burst of one class.
void add_rate_class(std::vector<Row>& t, const RateDefault& d) {
  const std::string base = "rate." + std::string(d.name) + ".";
  const std::string name(d.name);
  const bool guide = d.name == "default";  // the environment names of the guides set the default class (C4)
  using Env = std::vector<EnvName>;
  t.push_back({{.path = base + "requests", .type = Type::integer, .fallback = std::to_string(d.value.requests), .min = 1, .max = 1'000'000'000, .unit = "requests", .restart = false, .doc = d.doc,
                .env = guide ? Env{{"RATE_LIMIT_REQUESTS"}, {"REQUESTS_PER_MINUTE", 1, true}} : Env{}},
               [name](Settings& s, const Value& v) { assign(s.rate[name].requests, v); }});
  t.push_back({{.path = base + "window_seconds", .type = Type::integer, .fallback = std::to_string(d.value.window.count()), .min = 1, .max = 86'400, .unit = "seconds", .restart = false,
                .doc = "Time in which the bucket of this class refills once.", .env = guide ? Env{{"RATE_LIMIT_WINDOW"}} : Env{}},
               [name](Settings& s, const Value& v) { assign(s.rate[name].window, v); }});
  t.push_back({{.path = base + "burst", .type = Type::integer, .fallback = std::to_string(d.value.burst), .min = 0, .max = 1'000'000'000, .unit = "requests", .restart = false,
                .doc = "What the bucket of this class holds beyond its requests.", .env = guide ? Env{{"RATE_LIMIT_BURST"}} : Env{}},
               [name](Settings& s, const Value& v) { assign(s.rate[name].burst, v); }});
}

void add_auth_and_audit(std::vector<Row>& t) {
  t.push_back({{.path = "auth.access_token_minutes", .type = Type::integer, .fallback = "30", .min = 1, .max = 1440, .unit = "minutes", .doc = "Life of an access token (C2).", .env = {{"ACCESS_TOKEN_EXPIRE_MINUTES"}, {"JWT_EXPIRATION_HOURS", 60, true}}}, SP_INTO(auth.access_token)});
  t.push_back({{.path = "auth.issuer", .type = Type::text, .fallback = "sallyport", .min = 1, .max = 255, .doc = "Claim iss of the tokens this gateway mints and accepts."}, SP_INTO(auth.issuer)});
  t.push_back({{.path = "auth.audience", .type = Type::text, .fallback = "sallyport", .min = 1, .max = 255, .doc = "Claim aud of the tokens this gateway mints and accepts."}, SP_INTO(auth.audience)});
  t.push_back({{.path = "auth.secret_key", .type = Type::secret, .fallback = "", .doc = "Key that signs access tokens, 32 bytes at least; empty: one made at the first start and kept in the home (C3).", .env = {{"SECRET_KEY"}, {"JWT_SECRET_KEY"}}}, SP_INTO(auth.secret_key)});
  t.push_back({{.path = "auth.algorithm", .type = Type::choice, .fallback = "HS256", .choices = {"HS256"}, .doc = "Signature of access tokens (S0-3).", .env = {{"ALGORITHM"}}}, SP_INTO(auth.algorithm)});
  t.push_back({{.path = "audit.enabled", .type = Type::boolean, .fallback = "true", .doc = "Must be true: a gateway without evidence does not start (C24).", .env = {{"AUDIT_LOG_ENABLED"}}}, SP_INTO(audit.enabled)});
  t.push_back({{.path = "audit.path", .type = Type::text, .fallback = "audit", .min = 1, .max = 4096, .doc = "Folder of the audit segments; relative to the home (C10).", .env = {{"AUDIT_LOG_PATH"}, {"AUDIT_LOG_FILE"}}}, SP_INTO(audit.path)});
  t.push_back({{.path = "audit.level", .type = Type::choice, .fallback = "os", .choices = {"os", "disk"}, .doc = "os: a record survives kill -9 of the gateway; disk: it survives a power cut as well (group fdatasync)."}, SP_INTO(audit.durability)});
  t.push_back({{.path = "audit.retention_days", .type = Type::integer, .fallback = "90", .min = 1, .max = 36'500, .unit = "days", .doc = "How long audit records are kept (S0-18).", .env = {{"AUDIT_LOG_RETENTION_DAYS"}}}, SP_INTO(audit.retention_days)});
  t.push_back({{.path = "audit.log_level", .type = Type::choice, .fallback = "info", .choices = {"debug", "info", "warning", "error"}, .doc = "Least level of audit events repeated in the log (S0-18).", .env = {{"AUDIT_LOG_LEVEL"}}}, SP_INTO(audit.log_level)});
  t.push_back({{.path = "audit.encryption", .type = Type::boolean, .fallback = "false", .doc = "Encrypt audit records; refused until the vault exists (S0-18).", .env = {{"AUDIT_LOG_ENCRYPTION"}}}, SP_INTO(audit.encryption)});
}

void add_storage_and_upstream(std::vector<Row>& t) {
  t.push_back({{.path = "storage.url", .type = Type::text, .fallback = "sqlite:///sallyport.db", .min = 1, .max = 4096, .doc = "Database; sqlite:///file (relative to the home) or sqlite:////absolute/file.", .env = {{"DATABASE_URL"}}, .check = check_storage_url}, SP_INTO(storage.url)});
  t.push_back({{.path = "policies", .type = Type::text, .fallback = "policies", .min = 1, .max = 4096, .doc = "Folder of the Rego files in force; relative to the home."}, SP_INTO(policies)});
  t.push_back({{.path = "upstream.call_timeout_seconds", .type = Type::integer, .fallback = "30", .min = 1, .max = 300, .unit = "seconds", .doc = "Time a tool call is given where the caller names none (S0-22)."}, SP_INTO(upstream.call_timeout)});
  t.push_back({{.path = "upstream.start_timeout_seconds", .type = Type::integer, .fallback = "10", .min = 1, .max = 300, .unit = "seconds", .doc = "Time a server is given to start and initialize."}, SP_INTO(upstream.start_timeout)});
  t.push_back({{.path = "upstream.idle_minutes", .type = Type::integer, .fallback = "15", .min = 1, .max = 1440, .unit = "minutes", .doc = "An upstream session or process without a call ends after this time."}, SP_INTO(upstream.idle)});
  t.push_back({{.path = "upstream.sessions_per_principal", .type = Type::integer, .fallback = "16", .min = 1, .max = 10'000, .unit = "sessions", .doc = "Upstream sessions (stdio: processes) of one principal."}, SP_INTO(upstream.sessions_per_principal)});
  t.push_back({{.path = "upstream.sessions_per_server", .type = Type::integer, .fallback = "64", .min = 1, .max = 100'000, .unit = "sessions", .doc = "Upstream sessions of one server."}, SP_INTO(upstream.sessions_per_server)});
  t.push_back({{.path = "upstream.sessions_total", .type = Type::integer, .fallback = "256", .min = 1, .max = 100'000, .unit = "sessions", .doc = "Upstream sessions in all."}, SP_INTO(upstream.sessions_total)});
  t.push_back({{.path = "upstream.result_bytes", .type = Type::integer, .fallback = "16777216", .min = 1024, .max = kGiB, .unit = "bytes", .doc = "Largest message taken from a server."}, SP_INTO(upstream.result_bytes)});
  t.push_back({{.path = "upstream.allow_private", .type = Type::boolean, .fallback = "false", .doc = "Let every HTTP server live at a loopback or private address; better said for each server."}, SP_INTO(upstream.allow_private)});
}

void add_rest(std::vector<Row>& t) {
  t.push_back({{.path = "sandbox.mode", .type = Type::choice, .fallback = "prefer", .choices = {"prefer", "require"}, .doc = "require: a stdio server does not start where namespaces are denied; prefer: it starts with what the machine allows, and that is said."}, SP_INTO(sandbox.mode)});
  t.push_back({{.path = "sandbox.run_as", .type = Type::text, .fallback = "sallyport", .min = 1, .max = 32, .doc = "User that the gateway becomes when root starts it; never uid 0."}, SP_INTO(sandbox.run_as)});
  t.push_back({{.path = "log.level", .type = Type::choice, .fallback = "info", .choices = {"debug", "info", "warning", "error"}, .restart = false, .doc = "Least level of the log."}, SP_INTO(log.level)});
  t.push_back({{.path = "log.format", .type = Type::choice, .fallback = "text", .choices = {"text", "json"}, .doc = "Lines for people or for machines."}, [](Settings& s, const Value& v) { s.log.json = std::get<std::string>(v) == "json"; }});
  t.push_back({{.path = "encryption.enabled", .type = Type::boolean, .fallback = "false", .doc = "Encrypt data at rest; refused until the vault exists. An explicit false is accepted on a loopback address only (C24).", .env = {{"ENCRYPTION_ENABLED"}}}, SP_INTO(encryption.enabled)});
  t.push_back({{.path = "encryption.key", .type = Type::secret, .fallback = "", .doc = "32 bytes in base64 that unseal the vault; excludes encryption.password (C26).", .env = {{"ENCRYPTION_KEY"}}}, SP_INTO(encryption.key)});
  t.push_back({{.path = "encryption.password", .type = Type::secret, .fallback = "", .doc = "Password that unseals the vault; excludes encryption.key (C26).", .env = {{"SECURITY_VAULT_PASSWORD"}}}, SP_INTO(encryption.password)});
}

std::vector<Row> make_table() {
  std::vector<Row> t;
  add_listen(t);
  add_limits(t);
  for (const RateDefault& d : rate_defaults()) add_rate_class(t, d);
  add_auth_and_audit(t);
  add_storage_and_upstream(t);
  add_rest(t);
  return t;
}

}  // namespace

const std::vector<RateDefault>& rate_defaults() {
  static const std::vector<RateDefault> kDefaults{
      {"default", {100, std::chrono::seconds(60), 10}, "Requests of what has no class of its own (C4, S0-25)."},
      {"address", {6000, std::chrono::seconds(60), 1000}, "Requests of one address, before anybody is identified."},
      {"mcp", {600, std::chrono::seconds(60), 60}, "MCP requests of one principal (C4)."},
      {"tool", {600, std::chrono::seconds(60), 60}, "Calls of one tool by one principal."},
      {"public", {100, std::chrono::seconds(60), 0}, "REST requests without a credential (S1-3)."},
      {"read", {60, std::chrono::seconds(60), 0}, "REST reads of one principal (S1-3)."},
      {"write", {20, std::chrono::seconds(60), 0}, "REST writes of one principal (S1-3)."},
      {"admin", {10, std::chrono::seconds(60), 0}, "REST administration by one principal (S1-3)."},
      {"delete", {10, std::chrono::seconds(60), 0}, "REST deletions by one principal (S1-3)."},
      {"execute", {100, std::chrono::seconds(60), 0}, "Tool calls over REST by one principal (S0-27)."},
      {"login", {10, std::chrono::seconds(60), 0}, "Attempts to log in from one address."},
  };
  return kDefaults;
}

const std::vector<Row>& table() {
  static const std::vector<Row> kTable = make_table();
  return kTable;
}

std::string own_env_name(std::string_view path) {
  std::string out = "SALLYPORT_";
  for (const char c : path) out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return out;
}

std::string_view type_name(Type type) {
  constexpr std::string_view kNames[]{"true or false", "whole number", "text", "choice", "list", "map", "secret reference"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace sallyport::config
