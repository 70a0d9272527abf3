// Inside cli only: what every command works with, and the one way to the REST API.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/cli.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::cli {

struct Context {
  const Options& options;
  const Hooks& hooks;
  Io& io;

  // The running gateway over its admin socket; with none running, the same handlers in process.
  [[nodiscard]] Result<ApiAnswer> api(std::string_view method, const std::string& path,
                                      std::string_view body = {}) const;
  // The running gateway alone: what is asked for lives in its memory, and would end with this process.
  [[nodiscard]] Result<ApiAnswer> server_api(std::string_view method, const std::string& path,
                                             std::string_view body) const;
  // Says what went wrong and returns `code`.
  int fail_with(int code, std::string_view what, std::string_view fix = {}) const;
};

using Render = std::function<std::string(json::Value)>;

// Prints an answer: --json as it is (indented), else by `render`; an error with its message. The exit code.
int finish(const Context& context, const Result<ApiAnswer>& answer, const Render& render);

// Renders {data: [...], pagination} as a table with a line that says what is left.
Render list_of(const Context& context, std::vector<Column> columns, std::string_view nothing);
Render list_of_tools(const Context& context, std::string_view nothing);
// Renders any object as key: value lines.
Render details(const Context& context);

// RFC 3986: everything but unreserved characters as %XX.
std::string url_encode(std::string_view text);
// A JSON object that was given as text, as @FILE, or as - for stdin. Errors: io, invalid_params.
Result<std::string> json_object(const Context& context, const std::string& given, std::string_view what);
// "?a=1&b=2" of what is not empty.
std::string query(std::initializer_list<std::pair<std::string_view, std::string>> parameters);
// "?limit=50&offset=0" of a list's options.
std::string page(const Options& options);
// A member with that array; nothing where there are none.
void write_names(json::Writer& w, std::string_view key, const std::vector<std::string>& names);
// The same, and with `none` (--no-scopes and the like) an empty array: what was given replaces what there is.
void write_list(json::Writer& w, std::string_view key, const std::vector<std::string>& names, bool none);

// Absolute path of a program: as given, or found on PATH; empty: there is none.
std::string find_program(const std::string& name, const config::Environment& environment);

// Base URL of the gateway: --url, SALLYPORT_URL, or from its own settings.
Result<std::string> gateway_url(const Context& context);
// The authority of our own certificates, where that gateway is ours and serves HTTPS with one; else empty.
std::string own_authority(const Context& context);
// By --url or SALLYPORT_URL, instead of by our own settings.
bool names_gateway(const Context& context);
// GET /health of that gateway; of our own with TLS on its admin socket, and over HTTPS where it has none.
Result<ApiAnswer> ask_health(const Context& context, const std::string& url, std::chrono::milliseconds timeout);

// The commands, one file a noun.
int run_server(const Context& context);
int run_tool(const Context& context);
int run_registry(const Context& context);  // tool register, update, unregister, search
int run_toolset(const Context& context);
int run_role(const Context& context);
int run_group(const Context& context);
int run_identity(const Context& context);
int run_access(const Context& context);
int run_label(const Context& context);
int run_label_of(const Context& context, std::string_view path);  // tool label, server label
int run_approval(const Context& context);
int run_certs(const Context& context);
int run_user(const Context& context);
int run_mfa(const Context& context);
int run_key(const Context& context);
int run_policy(const Context& context);
int run_policy_shadow(const Context& context);
int run_policy_replay(const Context& context);
int run_policy_versions(const Context& context);  // policy versions, show, diff, activate, rollback
int run_policy_trial(const Context& context);  // policy check, test
int run_policy_explain(const Context& context);
int run_policy_scaffold(const Context& context);
int run_session(const Context& context);
int run_token(const Context& context);
int run_vault(const Context& context);
int run_backup(const Context& context);
int run_vault_keys(const Context& context);  // vault keys, rotate, password
int run_audit(const Context& context);
int run_config(const Context& context);
int run_import(const Context& context);
int run_doctor(const Context& context);
int run_healthcheck(const Context& context);
int run_stdio(const Context& context);

}  // namespace sallyport::cli
