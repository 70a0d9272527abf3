#include "config/table.h"

#include "config/add_row.h"

namespace sallyport::config {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;

void add_listen(Add<Settings> add) {
  add.text("listen.address", "127.0.0.1", {0, 45, check_address},
           "Address the gateway binds. Any but a loopback address needs tls.enabled or listen.behind_tls_proxy (C16).",
           SP_INTO(listen.address));
  add.integer("listen.port", 8000, {1, 65535, ""}, "TCP port of the gateway.", SP_INTO(listen.port));
  add.integer("listen.workers", 0, {0, 256, "threads"}, "Worker threads; 0 is one for each core.",
              SP_INTO(listen.workers));
  add.list("listen.hosts", "localhost,127.0.0.1,[::1]", {1, 253, check_host},
           "Names a Host header may carry: exact names and *.suffix (C15).", SP_INTO(listen.hosts))
      .reload();
  add.list("listen.origins", "", {0, 300, check_origin},
           "Origins a browser may call from; empty means no CORS at all. '*' is refused, since credentials are allowed "
           "(C15).",
           SP_INTO(listen.origins))
      .env({{"ALLOWED_ORIGINS"}, {"CORS_ORIGINS"}})
      .reload();
  add.list("listen.trusted_proxies", "", {0, 49, check_cidr},
           "Networks (CIDR) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed (S1-31).",
           SP_INTO(listen.trusted_proxies));
  add.flag("listen.behind_tls_proxy", false,
           "Says that a proxy terminates TLS in front; this or tls.enabled is required for an address that is not "
           "loopback (C16). Without tls.enabled, only listen.trusted_proxies are served then.",
           SP_INTO(listen.behind_tls_proxy));
  add.integer("listen.redirect_port", 0, {0, 65535, ""},
              "Plain TCP port beside a TLS one that leads to https:// and answers ACME's http-01; 0: none.",
              SP_INTO(listen.redirect_port));
  add.flag(
      "listen.proxy_protocol", false,
      "Each connection comes from listen.trusted_proxies and begins with a PROXY header (v1 or v2); X-Forwarded-* is "
      "then not looked at.",
      SP_INTO(listen.proxy_protocol));
  add.flag("listen.admin_socket", true, "Serve the REST API to the owner of the home over <home>/admin.sock.",
           SP_INTO(listen.admin_socket));
}

void add_limits(Add<Settings> add) {
  add.integer("limits.head_bytes", 16384, {1024, kMiB, "bytes"}, "Request line and headers of one request.",
              SP_INTO(limits.head_bytes));
  add.integer("limits.body_bytes", 10485760, {1024, kGiB, "bytes"}, "Body of one request.", SP_INTO(limits.body_bytes));
  add.integer("limits.header_count", 100, {8, 1000, "headers"}, "Headers of one request.",
              SP_INTO(limits.header_count));
  add.integer("limits.json_depth", 64, {4, 1000, "levels"}, "Nesting of one JSON document.",
              SP_INTO(limits.json_depth));
  add.integer("limits.connections", 4096, {1, 1'000'000, "connections"},
              "Client connections open at once, over all workers.", SP_INTO(limits.connections));
  add.integer("limits.connections_per_address", 256, {1, 1'000'000, "connections"},
              "Client connections open at once from one address.", SP_INTO(limits.connections_per_address));
  add.integer("limits.head_timeout_seconds", 10, {1, 300, "seconds"}, "Time for a request's head to arrive.",
              SP_INTO(limits.head_timeout));
  add.integer("limits.body_timeout_seconds", 30, {1, 3600, "seconds"}, "Time for a request's body to arrive.",
              SP_INTO(limits.body_timeout));
  add.integer("limits.idle_timeout_seconds", 75, {1, 3600, "seconds"},
              "How long a kept-alive connection may wait for its next request.", SP_INTO(limits.idle_timeout));
  add.integer("limits.write_timeout_seconds", 30, {1, 3600, "seconds"},
              "How long a client may take no byte of its answer.", SP_INTO(limits.write_timeout));
  add.integer("limits.drain_seconds", 20, {1, 600, "seconds"}, "Time that accepted requests are given at SIGTERM.",
              SP_INTO(limits.drain));
  add.integer("sessions.idle_minutes", 60, {1, 10080, "minutes"},
              "An MCP session without a request ends after this time (S2-3).", SP_INTO(sessions.idle));
  add.integer("sessions.max_per_principal", 64, {1, 100'000, "sessions"}, "MCP sessions one principal may hold.",
              SP_INTO(sessions.max_per_principal));
}

// ${NAME}.requests, .window_seconds, .burst of one class.
// requests, window_seconds and burst of one class.
void add_rate_class(Add<Settings> add, const RateDefault& d) {
  const std::string name(d.name);
  const std::string base = "rate." + name + ".";
  const Added requests = add.integer(base + "requests", d.value.requests, {1, 1'000'000'000, "requests"}, d.doc,
                                     [name](Settings& s, const Value& v) { assign(s.rate[name].requests, v); });
  const Added window = add.integer(base + "window_seconds", d.value.window.count(), {1, 86'400, "seconds"},
                                   "Time in which the bucket of this class refills once.",
                                   [name](Settings& s, const Value& v) { assign(s.rate[name].window, v); });
  const Added burst = add.integer(base + "burst", d.value.burst, {0, 1'000'000'000, "requests"},
                                  "What the bucket of this class holds beyond its requests.",
                                  [name](Settings& s, const Value& v) { assign(s.rate[name].burst, v); });
  for (const Added& row : {requests, window, burst}) row.reload();
  if (d.name != "default") return;  // the environment names of the guides set the default class (C4)
  requests.env({{"RATE_LIMIT_REQUESTS"}, {"REQUESTS_PER_MINUTE", 1, true}});
  window.env({{"RATE_LIMIT_WINDOW"}});
  burst.env({{"RATE_LIMIT_BURST"}});
}

void add_auth(Add<Settings> add) {
  add.integer("auth.access_token_minutes", 30, {1, 1440, "minutes"}, "Life of an access token (C2).",
              SP_INTO(auth.access_token))
      .env({{"ACCESS_TOKEN_EXPIRE_MINUTES"}, {"JWT_EXPIRATION_HOURS", 60, true}});
  add.text("auth.issuer", "sallyport", {1, 255, nullptr}, "Claim iss of the tokens this gateway mints and accepts.",
           SP_INTO(auth.issuer));
  add.text("auth.audience", "sallyport", {1, 255, nullptr}, "Claim aud of the tokens this gateway mints and accepts.",
           SP_INTO(auth.audience));
  add.secret("auth.secret_key",
             "Key that signs access tokens, 32 bytes at least; empty: one made at the first start and kept in the home "
             "(C3).",
             SP_INTO(auth.secret_key))
      .env({{"SECRET_KEY"}, {"JWT_SECRET_KEY"}});
  add.choice("auth.algorithm", "HS256", {"HS256", "EdDSA", "ES256", "RS256"},
             "Signature of access tokens (S0-3). All but HS256 publish their keys at /.well-known/jwks.json.",
             SP_INTO(auth.algorithm))
      .env({{"ALGORITHM"}});
  add.integer("auth.session_idle_minutes", 60, {1, 10080, "minutes"},
              "A login session, and every token of it, ends when it was not used for so long (S2-3).",
              SP_INTO(auth.session_idle));
  add.integer("auth.session_hours", 12, {1, 720, "hours"},
              "A login session ends so long after the login, whatever its use (S2-3).", SP_INTO(auth.session_lifetime));
  add.integer("auth.sessions_per_user", 5, {1, 1000, "sessions"},
              "Login sessions one user may hold: one more ends the oldest.", SP_INTO(auth.sessions_per_user));
  add.integer("auth.sessions_per_key", 100, {1, 10'000, "sessions"},
              "Login sessions that one API key may hold by /auth/api-key-login: one more ends the oldest.",
              SP_INTO(auth.sessions_per_key));
  add.choice("auth.session_binding", "none", {"none", "address", "user_agent", "both"},
             "What of the client that logged in must stay the same; a token from elsewhere is refused.",
             SP_INTO(auth.session_binding));
  add.choice(
      "auth.client_certificates", "off", {"off", "beside", "required", "only"},
      "What a client certificate says of who calls (S2-26): off: nothing; beside: one that stands for somebody is a "
      "credential as keys and tokens are; required: with each key or token one of the same principal; only: no "
      "other credential opens MCP or REST.",
      SP_INTO(auth.client_certificates));
  add.integer(
      "auth.key_rotation_days", 90, {1, 3650, "days"},
      "Age at which another key signs access tokens; the old one verifies until its last token has expired. Not "
      "of auth.secret_key.",
      SP_INTO(auth.key_rotation_days));
  add.integer("auth.api_key_grace_hours", 24, {0, 720, "hours"},
              "So long the old secret of a rotated API key stays good, where the rotation does not say; 0: not at all.",
              SP_INTO(auth.api_key_grace));
}

void add_people_and_audit(Add<Settings> add) {
  add.choice(
      "passwords.profile", "guide", {"guide", "nist"},
      "guide: 12 characters of four classes, 90 days, not one of the last 5 (S2-35 to S2-37); nist: 15 characters, or "
      "8 with a second factor, no classes, no expiry (NIST SP 800-63B-4). Both refuse common words and one's names.",
      SP_INTO(password_profile));
  add.list("second_factor.required_roles", "", {0, 255, nullptr},
           "Roles whose people must set up a second factor: without one their login opens nothing else.",
           SP_INTO(second_factor.required_roles));
  add.integer(
      "second_factor.step_up_minutes", 10, {1, 720, "minutes"},
      "How long a code stays good for dangerous operations of people who have a second factor; then one is asked for. "
      "And how young a login must be to set up the first one without the password.",
      SP_INTO(second_factor.step_up));
  add.flag("audit.enabled", true, "Must be true: a gateway without evidence does not start (C24).",
           SP_INTO(audit.enabled))
      .env({{"AUDIT_LOG_ENABLED"}});
  add.text("audit.path", "audit", {1, 4096, nullptr}, "Folder of the audit segments; relative to the home (C10).",
           SP_INTO(audit.path))
      .env({{"AUDIT_LOG_PATH"}, {"AUDIT_LOG_FILE"}});
  add.choice("audit.level", "os", {"os", "disk"},
             "os: a record survives kill -9 of the gateway; disk: it survives a power cut as well (group fdatasync).",
             SP_INTO(audit.durability));
  add.integer("audit.retention_days", 90, {1, 36'500, "days"}, "How long audit records are kept (S0-18).",
              SP_INTO(audit.retention_days))
      .env({{"AUDIT_LOG_RETENTION_DAYS"}});
  add.choice("audit.log_level", "info", {"debug", "info", "warning", "error"},
             "Least level of audit events repeated in the log (S0-18).", SP_INTO(audit.log_level))
      .env({{"AUDIT_LOG_LEVEL"}});
  add.flag("audit.encryption", false, "Seal each audit segment under a data key of its own (S0-18); 'audit tail' opens them, 'audit verify' needs no key.",
           SP_INTO(audit.encryption))
      .env({{"AUDIT_LOG_ENCRYPTION"}});
}

void add_storage_and_upstream(Add<Settings> add) {
  add.text("storage.url", "sqlite:///sallyport.db", {1, 4096, check_storage_url},
           "Database; sqlite:///file (relative to the home) or sqlite:////absolute/file.", SP_INTO(storage.url))
      .env({{"DATABASE_URL"}});
  add.text("policies", "policies", {1, 4096, nullptr}, "Folder of the Rego files in force; relative to the home.",
           SP_INTO(policies));
  add.integer("labels.lifetime_seconds", 86'400, {1, 31'536'000, "seconds"},
              "So long a caller carries the labels that a call has left with it, from the latest possible end of that "
              "call; each "
              "further call begins it anew.",
              SP_INTO(label_lifetime));
  add.integer("upstream.call_timeout_seconds", 30, {1, 300, "seconds"},
              "Time a tool call is given where the caller names none (S0-22).", SP_INTO(upstream.call_timeout));
  add.integer("upstream.start_timeout_seconds", 10, {1, 300, "seconds"},
              "Time a server is given to start and initialize.", SP_INTO(upstream.start_timeout));
  add.integer("upstream.idle_minutes", 15, {1, 1440, "minutes"},
              "An upstream session or process without a call ends after this time.", SP_INTO(upstream.idle));
  add.integer("upstream.sessions_per_principal", 16, {1, 10'000, "sessions"},
              "Upstream sessions (stdio: processes) of one principal.", SP_INTO(upstream.sessions_per_principal));
  add.integer("upstream.sessions_per_server", 64, {1, 100'000, "sessions"}, "Upstream sessions of one server.",
              SP_INTO(upstream.sessions_per_server));
  add.integer("upstream.sessions_total", 256, {1, 100'000, "sessions"}, "Upstream sessions in all.",
              SP_INTO(upstream.sessions_total));
  add.integer("upstream.result_bytes", 16777216, {1024, kGiB, "bytes"}, "Largest message taken from a server.",
              SP_INTO(upstream.result_bytes));
  add.flag("upstream.allow_private", false,
           "Let every HTTP server live at a loopback or private address; better said for each server.",
           SP_INTO(upstream.allow_private));
}

void add_approval(Add<Settings> add) {
  add.integer("approval.pending_seconds", 900, {1, 86'400, "seconds"},
              "How long a call waits for people to approve it; then it must be asked for anew.",
              SP_INTO(approval.pending));
  add.integer("approval.valid_seconds", 600, {1, 86'400, "seconds"},
              "How long an approval waits for its one use, and how long a refusal is the answer to the same call.",
              SP_INTO(approval.valid));
  add.flag("approval.four_eyes", true,
           "People approve and no API key does, and nobody a call of their own, or of a key of theirs.",
           SP_INTO(approval.four_eyes));
  add.integer("approval.per_principal", 16, {1, 10'000, "calls"},
              "Calls of one principal that may wait for approval, or for the use of one.",
              SP_INTO(approval.per_principal));
  add.integer("approval.total", 256, {1, 10'000, "calls"},
              "Calls that may wait for approval in all, a quarter of them of one person with all their keys, half of "
              "keys without an owner; as many that are settled are shown for a day.",
              SP_INTO(approval.total));
  add.integer("approval.arguments_bytes", 65'536, {256, kMiB, "bytes"},
              "Arguments of a call that people are asked to approve; longer ones are refused.",
              SP_INTO(approval.arguments_bytes));
  add.text("approval.base_url", "", {0, 2048, check_http_url},
           "URL of this gateway as people reach it, for the links to approvals; empty: its own address and port.",
           SP_INTO(approval.base_url));
  add.text("approval.webhook", "", {0, 2048, check_http_url},
           "URL that hears by POST of each call that waits for approval; empty: none.", SP_INTO(approval.webhook));
  add.secret("approval.webhook_secret", "Key that signs what the webhook gets (HMAC-SHA-256), 16 bytes at least.",
             SP_INTO(approval.webhook_secret));
  add.flag("approval.webhook_allow_private", false, "The webhook may live at a loopback or private address.",
           SP_INTO(approval.webhook_allow_private));
  add.flag("approval.webhook_arguments", false, "Send the webhook the arguments of the call as well.",
           SP_INTO(approval.webhook_arguments));
}

void add_encryption(Add<Settings> add) {
  add.flag("encryption.enabled", true,
           "Keep secrets sealed in the home. false: the vault keeps none and stays sealed; accepted on a loopback "
           "address "
           "only, without encryption.key and the like (C24).",
           SP_INTO(encryption.enabled))
      .env({{"ENCRYPTION_ENABLED"}});
  add.secret("encryption.key",
             "32 bytes in base64 that open keys/keyring in place of the key file; excludes encryption.password, "
             "encryption.hsm_module and encryption.transit_url (C26).",
             SP_INTO(encryption.key))
      .env({{"ENCRYPTION_KEY"}});
  add.secret("encryption.password",
             "Password of 12 bytes or more that opens keys/keyring in place of the key file, by scrypt; excludes "
             "encryption.key, encryption.hsm_module and encryption.transit_url (C26).",
             SP_INTO(encryption.password))
      .env({{"SECURITY_VAULT_PASSWORD"}});
  add.text("encryption.hsm_module", "", {0, 4096, nullptr},
           "PKCS#11 library (absolute path) of a token whose key opens keys/keyring in place of the key file.",
           SP_INTO(encryption.hsm_module));
  add.text("encryption.hsm_token", "", {0, 32, nullptr}, "Label of the token.", SP_INTO(encryption.hsm_token));
  add.text("encryption.hsm_key", "", {0, 128, nullptr}, "Label of the AES-256 key on the token.",
           SP_INTO(encryption.hsm_key));
  add.secret("encryption.hsm_pin", "The token's user PIN.", SP_INTO(encryption.hsm_pin));
  add.integer("encryption.rotate_days", 30, {1, 3650, "days"},
              "A new key-encryption key after so many days; stored keys are then wrapped anew.",
              SP_INTO(encryption.rotate_days));
  add.integer("encryption.hash_rotate_days", 365, {1, 3650, "days"},
              "A new hash key of API keys after so many days; a key is hashed anew when it is used (S2-11).",
              SP_INTO(encryption.hash_rotate_days));
}

void add_rest(Add<Settings> add) {
  add.choice("sandbox.mode", "prefer", {"prefer", "require"},
             "require: a stdio server does not start where namespaces are denied; prefer: it starts with what the "
             "machine allows, and that is said.",
             SP_INTO(sandbox.mode));
  add.text(
      "sandbox.run_as", "sallyport", {1, 32, nullptr},
      "User that the gateway becomes when root starts it; never uid 0. Once the home belongs to a user it stays that "
      "one, unless the environment or a settings file of root's own, in folders of root's own, names another.",
      SP_INTO(sandbox.run_as));
  add.choice("log.level", "info", {"debug", "info", "warning", "error"}, "Least level of the log.", SP_INTO(log.level))
      .reload();
  add.choice("log.format", "text", {"text", "json"}, "Lines for people or for machines.",
             [](Settings& s, const Value& v) { s.log.json = std::get<std::string>(v) == "json"; });
  add_encryption(add);
}

}  // namespace

void add_policy(Add<Settings> add);  // table_policy.cc
void add_secrets(Add<Settings> add);  // table_secrets.cc
void add_transit(Add<Settings> add);  // table_secrets.cc
void add_backup(Add<Settings> add);  // table_backup.cc
void add_certificates(Add<Settings> add);  // table_certificates.cc
void add_tls(Add<Settings> add);     // table_tls.cc

namespace {

std::vector<Row> make_table() {
  std::vector<Row> rows;
  rows.reserve(rate_defaults().size() * 3 + 150);  // an Added points into it while its row is written
  const Add<Settings> add(rows);
  add_listen(add);
  add_tls(add);
  add_limits(add);
  for (const RateDefault& d : rate_defaults()) add_rate_class(add, d);
  add_auth(add);
  add_people_and_audit(add);
  add_storage_and_upstream(add);
  add_approval(add);
  add_policy(add);
  add_secrets(add);
  add_backup(add);
  add_certificates(add);
  add_rest(add);
  add_transit(add);
  return rows;
}

}  // namespace

const std::vector<RateDefault>& rate_defaults() {
  static const std::vector<RateDefault> kDefaults{
      {"default", {100, std::chrono::seconds(60), 10}, "Requests of what has no class of its own (C4, S0-25)."},
      {"address",
       {6000, std::chrono::seconds(60), 1000},
       "Requests of one address (IPv6: one /64), before anybody is identified."},
      {"tls_address",
       {100, std::chrono::seconds(1), 200},
       "TLS handshakes of one address (IPv6: one /64); not of loopback and listen.trusted_proxies."},
      {"tls_all",
       {1000, std::chrono::seconds(1), 1000},
       "TLS handshakes of all addresses together; not of loopback and listen.trusted_proxies."},
      {"mcp", {600, std::chrono::seconds(60), 60}, "MCP requests of one principal (C4)."},
      {"tool", {600, std::chrono::seconds(60), 60}, "Calls of one tool by one principal."},
      {"public", {100, std::chrono::seconds(60), 0}, "REST requests without a credential (S1-3)."},
      {"read", {60, std::chrono::seconds(60), 0}, "REST reads of one principal (S1-3)."},
      {"write", {20, std::chrono::seconds(60), 0}, "REST writes of one principal (S1-3)."},
      {"admin", {10, std::chrono::seconds(60), 0}, "REST administration by one principal (S1-3)."},
      {"delete", {10, std::chrono::seconds(60), 0}, "REST deletions by one principal (S1-3)."},
      {"execute", {100, std::chrono::seconds(60), 0}, "Tool calls over REST by one principal (S0-27)."},
      {"login", {10, std::chrono::seconds(60), 0}, "Attempts to log in from one address (IPv6: one /64)."},
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
  constexpr std::string_view kNames[]{"true or false", "whole number",    "text", "choice", "list",
                                      "map",           "secret reference"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace sallyport::config
