// The control plane's part for servers and their tools: check, probe, approve, remove.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>

#include "control/control_plane.h"
#include "control/server_tls.h"
#include "control/standing.h"
#include "control/vault_source.h"
#include "model/label.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kServerNameRule =
    "a server name starts with a lower-case letter and has 1 to 32 of [a-z0-9-]";

bool is_program(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

// argv[0] as an absolute path, looked up on PATH once, now: what runs later is what was approved.
Result<std::string> resolve_program(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    const auto path = std::filesystem::absolute(program).lexically_normal();
    if (is_program(path)) return path.string();
    return fail(Code::validation, "no executable file at " + path.string());
  }
  const char* search = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing of ours writes the environment
  std::string_view rest = search != nullptr ? search : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const auto candidate = std::filesystem::path(rest.substr(0, end)) / program;
    if (candidate.is_absolute() && is_program(candidate)) return candidate.string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fail(Code::validation, "no program \"" + program + "\" on PATH; give its absolute path");
}

Result<void> check_stdio(ServerRecord& server) {
  if (server.command.empty()) return fail(Code::validation, "a stdio server needs a command");
  if (!server.url.empty()) return fail(Code::validation, "a stdio server has no url");
  if (!server.query.empty()) return fail(Code::validation, "a stdio server has no query");
  SP_TRY(server.command[0], resolve_program(server.command[0]));
  for (const auto& path : server.paths) {
    if (!path.starts_with("ro:/") && !path.starts_with("rw:/")) {
      return fail(Code::validation, "path \"" + path + "\": write ro:/absolute/folder or rw:/absolute/folder");
    }
  }
  return {};
}

Result<void> check_http(const ServerRecord& server) {
  if (!server.command.empty()) return fail(Code::validation, "an http server has no command");
  if (!server.files.empty()) return fail(Code::validation, "an http server has no files");
  if (!server.url.starts_with("http://") && !server.url.starts_with("https://")) {
    return fail(Code::validation, "URL must start with http:// or https://");  // S4-7
  }
  return {};
}

// What a caller's own secret opens must not serve the others (S2-13).
Result<void> check_shared(const ServerRecord& server) {
  if (!server.shared) return {};
  if (refers_to_principals(server.tls.client_key)) {
    return fail(Code::validation, "client_key: a shared server has no secrets of callers (${vault:principal/...})");
  }
  for (const auto* values : {&server.env, &server.headers, &server.query, &server.files}) {
    for (const auto& [name, value] : *values) {
      if (!refers_to_principals(value)) continue;
      return fail(Code::validation, name + ": a shared server has no secrets of callers (${vault:principal/...})");
    }
  }
  return {};
}

// Two servers of one prefix would take each other's names on /mcp.
Result<void> names_free(const std::map<std::string, ServerPtr, std::less<>>& servers, const ServerRecord& fresh) {
  if (servers.contains(fresh.name)) {
    return fail(Code::already_exists, "server " + fresh.name + " exists already; remove it first");
  }
  for (const auto& [name, other] : servers) {
    if (fresh.prefix.empty() || other->prefix != fresh.prefix) continue;
    return fail(Code::already_exists, "the prefix " + fresh.prefix + " belongs to server " + name + "; choose another");
  }
  return {};
}

// What a server may ask a client (MCP, client features), each named once.
Result<void> check_forwards(const std::vector<std::string>& forwards) {
  for (auto at = forwards.begin(); at != forwards.end(); ++at) {
    if (*at != "elicitation" && *at != "sampling" && *at != "roots") {
      return fail(Code::validation, "forwards holds elicitation, sampling and roots, nothing else");
    }
    if (std::find(forwards.begin(), at, *at) != at) return fail(Code::validation, "forwards names " + *at + " twice");
  }
  return {};
}

std::string text_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// What an administrator said of a name holds while its server does not list it: else a server could shake a label off. Said
// before the tools are replaced; an entry of a name that is back does no harm, for the next time it goes it is said anew.
std::map<std::string, std::string> labels_away(const ServerRecord& server,
                                               const std::map<std::string_view, const ToolRecord*>& before,
                                               const std::vector<ToolRecord>& now) {
  auto away = server.labels_away;
  for (const auto& [name, tool] : before) {
    if (std::ranges::find(now, name, &ToolRecord::name) != now.end()) continue;
    if (tool->labels.empty()) away.erase(tool->name);
    else away[tool->name] = text_of(tool->labels);
  }
  return away;
}

}  // namespace

bool is_server_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= 32 && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<ServerRecord> check_server(ServerRecord server) {
  if (!is_server_name(server.name)) return fail(Code::validation, std::string(kServerNameRule));
  if (server.name == kRegistry) {
    return fail(Code::validation, "\"registry\" is the server of registered tools; choose another name");
  }
  if (!server.prefix.empty() && !is_server_name(server.prefix)) {
    return fail(Code::validation, "a prefix is empty or follows the rule of names: " + std::string(kServerNameRule));
  }
  if (server.security_level < 0 || server.security_level > 10) {
    return fail(Code::validation, "security_level must be between 0 and 10");
  }
  using std::chrono::milliseconds;
  if (server.call_timeout < milliseconds(1000) || server.call_timeout > milliseconds(300'000)) {
    return fail(Code::validation, "Timeout must be between 1 and 300 seconds");  // S0-22
  }
  SP_CHECK(check_forwards(server.forwards));
  SP_CHECK(check_shared(server));
  SP_CHECK(check_labels(server.labels));
  SP_CHECK(server.transport == Transport::stdio ? check_stdio(server) : check_http(server));
  SP_CHECK(check_upstream_tls(server));
  return server;
}

Result<std::vector<ToolRecord>> ControlPlane::store_tools(const ServerRecord& server,
                                                          const std::vector<pin::Definition>& listed) {
  std::vector<ToolRecord> tools;
  tools.reserve(listed.size());
  std::map<std::string_view, const ToolRecord*> before;
  if (const auto there = tools_.find(server.name); there != tools_.end()) {
    for (const ToolRecord& tool : there->second) before.emplace(tool.name, &tool);
  }
  for (const auto& definition : listed) {
    const auto known = before.find(definition.name);
    tools.push_back(approve(server, definition, deps_.clock.wall(), known == before.end() ? nullptr : known->second));
    const auto away = server.labels_away.find(definition.name);
    if (known == before.end() && away != server.labels_away.end()) tools.back().labels = words_of(away->second);
  }
  const auto record = servers_.find(server.name);
  if (auto away = labels_away(server, before, tools); record != servers_.end() && away != server.labels_away) {
    auto next = std::make_shared<ServerRecord>(server);
    next->labels_away = std::move(away);
    SP_CHECK(deps_.repository.put_server(*next));
    record->second = std::move(next);
  }
  SP_CHECK(deps_.repository.replace_tools(server.name, tools));
  return tools;
}

Task<Result<ProbeReport>> ControlPlane::add_server(ServerRecord server, bool probe, PrincipalPtr caller) {
  auto checked = check_server(std::move(server));
  if (!checked) co_return fail(std::move(checked).error());
  SP_CO_CHECK(names_free(servers_, *checked));
  ProbeReport report;
  if (probe) {
    SP_CO_TRY(report.result, co_await deps_.probe(*checked));
    report.accepted = true;
  }
  if (caller) SP_CO_CHECK(still_stands(*snapshot_, *caller, deps_.clock.wall()));
  SP_CO_CHECK(names_free(servers_, *checked));  // again: others were added while it was probed
  SP_CO_CHECK(deps_.repository.put_server(*checked));
  auto tools = store_tools(*checked, report.result.tools);
  if (!tools) {  // a server that lists a name twice, say: nothing of it stays
    (void)deps_.repository.delete_server(checked->name);
    co_return fail(std::move(tools).error());
  }
  tools_[checked->name] = std::move(*tools);
  for (const auto& tool : report.result.tools) report.drift.added.push_back(tool.name);
  const std::string name = checked->name;  // the right side of an assignment is evaluated first
  servers_[name] = std::make_shared<const ServerRecord>(std::move(*checked));
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return report;
}

Task<Result<void>> ControlPlane::remove_server(std::string name) {
  if (!servers_.contains(name)) co_return fail(Code::not_found, "no server " + name);
  SP_CO_CHECK(deps_.repository.delete_server(name));
  servers_.erase(name);
  tools_.erase(name);
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_await deps_.restart(name);
  co_return Result<void>{};
}

Task<Result<ProbeReport>> ControlPlane::probe_server(std::string name, bool accept, PrincipalPtr caller) {
  const auto found = servers_.find(name);
  if (found == servers_.end()) co_return fail(Code::not_found, "no server " + name);
  const ServerPtr server = found->second;
  ProbeReport report;
  SP_CO_TRY(report.result, co_await deps_.probe(*server));
  report.drift = compare(*snapshot_->catalogue, name, report.result.tools);
  if (!accept || !report.drift.any()) co_return report;
  SP_CO_CHECK(still_stands(*snapshot_, *caller, deps_.clock.wall()));
  const auto now = servers_.find(name);  // what was probed is what is approved, not a namesake added meanwhile
  if (now == servers_.end() || now->second != server) co_return fail(Code::not_found, "server " + name + " was removed meanwhile");
  SP_CO_TRY(tools_[name], store_tools(*server, report.result.tools));
  report.accepted = true;
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return report;
}

Task<Result<ServerPtr>> ControlPlane::set_server_tls(std::string name, UpstreamTls tls) {
  const auto found = servers_.find(name);
  if (found == servers_.end()) co_return fail(Code::not_found, "no server " + name);
  ServerRecord server = *found->second;
  server.tls = std::move(tls);
  SP_CO_CHECK(check_upstream_tls(server));
  SP_CO_CHECK(check_shared(server));
  SP_CO_CHECK(deps_.repository.put_server(server));
  found->second = std::make_shared<const ServerRecord>(std::move(server));
  const ServerPtr made = found->second;
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_await deps_.restart(name);
  co_return made;
}

Task<Result<void>> ControlPlane::restart_server(std::string name) {
  if (!servers_.contains(name)) co_return fail(Code::not_found, "no server " + name);
  co_await deps_.restart(name);
  co_return Result<void>{};
}

}  // namespace sallyport::control
