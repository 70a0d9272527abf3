// Upstream servers: listed, added, probed, restarted, removed by whoever holds server:read or server:write.
#include <algorithm>

#include "api/people.h"
#include "api/registry.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

void write_names(json::Writer& w, std::string_view key, const std::vector<std::string>& names) {
  w.key(key).array();
  for (const auto& name : names) w.value(name);
  w.end_array();
}

// Certificates by where they are; the reference of a key not at all.
void write_tls(json::Writer& w, const UpstreamTls& tls) {
  const auto place = [](const std::string& text) { return text.empty() || text[0] == '/' ? text : std::string("PEM"); };
  w.key("tls").object().member("ca", place(tls.ca));
  write_names(w, "pins", tls.pins);
  w.member("client_certificate", place(tls.client_certificate)).end_object();
}

void write_server(json::Writer& w, const ServerRecord& server, std::size_t tools) {
  w.object().member("name", server.name).member("transport", server.transport == Transport::stdio ? "stdio" : "http");
  if (server.transport == Transport::stdio) {
    w.key("command").array();
    for (const auto& part : server.command) w.value(part);
    w.end_array();
  } else {
    w.member("url", server.url).member("allow_private", server.allow_private);
    write_tls(w, server.tls);
  }
  w.member("prefix", server.prefix).member("shared", server.shared).member("enabled", server.enabled);
  w.member("network", server.network).member("security_level", server.security_level).member("tools", tools);
  w.key("env").array();  // names only: values may be references to secrets
  for (const auto& [name, value] : server.env) w.value(name);
  w.end_array();
  write_names(w, "paths", server.paths);
  write_names(w, "forwards", server.forwards);
  write_names(w, "labels", server.labels);
  w.end_object();
}

std::size_t tools_of(const Catalogue& catalogue, const std::string& server) {
  const auto found = catalogue.tools.find(server);
  return found == catalogue.tools.end() ? 0 : found->second.size();
}

Result<UpstreamTls> read_tls(json::Value body) {
  SP_CHECK(only_fields(body, {"ca", "pins", "client_certificate", "client_key"}));
  UpstreamTls tls;
  SP_TRY(tls.ca, text_field(body, "ca"));
  SP_TRY(tls.pins, texts_field(body, "pins"));
  SP_TRY(tls.client_certificate, text_field(body, "client_certificate"));
  SP_TRY(tls.client_key, text_field(body, "client_key"));
  return tls;
}

Result<ServerRecord> read_server(json::Value body, const ServerRecord& defaults) {
  SP_CHECK(only_fields(body, {"name",
                              "transport",
                              "command",
                              "url",
                              "env",
                              "headers",
                              "query",
                              "files",
                              "paths",
                              "network",
                              "prefix",
                              "shared",
                              "security_level",
                              "allow_private",
                              "required",
                              "working_directory",
                              "call_timeout",
                              "probe",
                              "forwards",
                              "labels",
                              "tls"}));
  ServerRecord server = defaults;
  SP_TRY(server.name, text_field(body, "name"));
  SP_TRY(server.command, texts_field(body, "command"));
  SP_TRY(server.url, text_field(body, "url"));
  SP_TRY(const auto transport, text_field(body, "transport", server.url.empty() ? "stdio" : "http"));
  if (transport != "stdio" && transport != "http") return fail(Code::validation, "transport must be stdio or http");
  server.transport = transport == "http" ? Transport::http : Transport::stdio;
  SP_TRY(server.env, map_field(body, "env"));
  SP_TRY(server.headers, map_field(body, "headers"));
  SP_TRY(server.query, map_field(body, "query"));
  SP_TRY(server.files, map_field(body, "files"));
  SP_TRY(server.paths, texts_field(body, "paths"));
  SP_TRY(server.network, flag_field(body, "network", false));
  SP_TRY(server.prefix, text_field(body, "prefix", server.name));
  SP_TRY(server.shared, flag_field(body, "shared", false));
  SP_TRY(const auto level, number_field(body, "security_level", 1));
  server.security_level = level < 0 || level > 10 ? -1 : static_cast<int>(level);
  SP_TRY(server.allow_private, flag_field(body, "allow_private", defaults.allow_private));
  if (const auto tls = body.find("tls"); tls && !tls->is_null()) {
    SP_TRY(server.tls, read_tls(*tls));
  }
  SP_TRY(server.required, texts_field(body, "required"));
  SP_TRY(server.labels, texts_field(body, "labels"));
  if (body.find("forwards")) {  // null, like []: nothing
    SP_TRY(server.forwards, texts_field(body, "forwards"));
  }
  SP_TRY(server.working_directory, text_field(body, "working_directory"));
  SP_TRY(const auto timeout, number_field(body, "call_timeout", defaults.call_timeout.count() / 1000));
  server.call_timeout = std::chrono::seconds(std::clamp<std::int64_t>(timeout, 0, 100'000));
  return server;
}

bool names_a_secret(const ServerRecord& server) {
  const auto refers = [](const auto& entry) { return entry.second.find("${") != std::string::npos; };
  const auto any = [&](const auto& values) { return std::ranges::any_of(values, refers); };
  return any(server.headers) || any(server.env) || any(server.query) || any(server.files) ||
         server.url.find("${") != std::string::npos;
}

// A reference or a path: whoever is not on this machine would learn by it what is here, or have us prove who we are to any host.
bool names_a_file(const UpstreamTls& tls) {
  return tls.ca.starts_with('/') || tls.client_certificate.starts_with('/') || !tls.client_key.empty();
}

RestAnswer probed(const control::ProbeReport& report, const std::string& name, int status) {
  json::Writer w;
  w.object().member("name", name).member("server_name", report.result.server_name);
  w.member("server_version", report.result.server_version).member("protocol_version", report.result.protocol_version);
  w.member("tools", report.result.tools.size()).member("accepted", report.accepted);
  w.member("drift", report.drift.any());
  write_names(w, "added", report.drift.added);
  write_names(w, "removed", report.drift.removed);
  write_names(w, "changed", report.drift.changed);
  write_names(w, "refused", report.result.refused);
  w.end_object();
  return ok(w, status);
}

}  // namespace

Task<RestAnswer> list_servers(Call& call) {
  std::vector<std::string> items;
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  for (const auto& [name, server] : catalogue.servers) {
    json::Writer w;
    write_server(w, *server, tools_of(catalogue, name));
    items.push_back(w.take());
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> show_server(Call& call) {
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  const auto server = catalogue.servers.find(call.parts[0]);
  if (server == catalogue.servers.end()) co_return refuse(call, {Code::not_found, "no server " + call.parts[0]});
  json::Writer w;
  write_server(w, *server->second, tools_of(catalogue, call.parts[0]));
  co_return ok(w);
}

namespace {

RestAnswer tls_only_here(const Call& call) {
  return refuse(call, {Code::access_denied, "tls with files over HTTP"},
                "Files and keys for TLS are named, and the TLS of a server with credentials is changed, on the "
                "gateway's own machine: "
                "sallyport server add, sallyport server tls");
}

}  // namespace

std::optional<RestAnswer> may_add(const Call& call, const ServerRecord& server) {
  const auto only_here = [&](std::string_view what, std::string_view evidence) {
    return refuse(call, {Code::access_denied, std::string(evidence)},
                  std::string(what) + " are added on the gateway's own machine: sallyport server add");
  };
  if (call.request.channel != Channel::local) {
    // Running a command is the operator's to allow: only on the machine itself, never for a stolen token (threats.md:
    // a posted stdio command; MCP, security best practices: proxy-stdio escalation).
    if (server.transport == Transport::stdio) return only_here("Servers that run a command", "stdio server over HTTP");
    // A reference names a file or a variable of this machine: over HTTP it would fetch the master key to any address.
    if (names_a_secret(server)) return only_here("Servers with ${...} references", "reference over HTTP");
    if (names_a_file(server.tls)) return tls_only_here(call);
    // The guard against requests to our own network is not for a token to switch off.
    if (server.allow_private && !call.api.deps().server_defaults.allow_private) {
      return only_here("Servers at private addresses", "allow_private over HTTP");
    }
  }
  for (const auto* values : {&server.env, &server.headers, &server.query, &server.files}) {
    for (const auto& [name, value] : *values) {
      if (!call.api.deps().looks_like_secret(name, value)) continue;
      return refuse(
          call, {Code::validation, "literal secret"},
          name + " looks like a secret in the clear; put it into the vault, a file (0600) or the environment and write "
                 "${vault:NAME}, ${file:/path} or ${env:NAME}");
    }
  }
  return std::nullopt;
}

namespace {

bool caller_ended(const Error& error) { return error.detail.starts_with("caller."); }  // still_stands

}  // namespace

Task<RestAnswer> add_server(Call& call) {
  auto server = read_server(call.root(), call.api.deps().server_defaults);
  if (!server) co_return refuse(call, server.error());
  auto probe = flag_field(call.root(), "probe", true);
  if (!probe) co_return refuse(call, probe.error());
  if (auto allowed = may_add(call, *server); allowed) co_return std::move(*allowed);
  const std::string name = server->name;
  auto& control = call.api.deps().control;
  auto added = co_await run_for_caller<control::ProbeReport>(
      call, control.add_server(std::move(*server), *probe, call.request.principal));
  if (!added) {
    const bool upstream = added.error().code != Code::validation && added.error().code != Code::already_exists &&
                          !caller_ended(added.error());
    const std::string why = "The server could not be probed, so nothing was added: " + added.error().detail;
    co_return refuse(call, added.error(), upstream ? why : "");
  }
  co_return probed(*added, name, 201);
}

Task<RestAnswer> set_server_tls(Call& call) {
  auto tls = read_tls(call.root());
  if (!tls) co_return refuse(call, tls.error());
  // Who a server has to be is what keeps its credentials from others: a token does not take away what was set here.
  const auto& servers = call.request.snapshot->catalogue->servers;
  const auto found = servers.find(call.parts[0]);
  const bool guarded = found != servers.end() && (names_a_secret(*found->second) || found->second->tls.any());
  if (call.request.channel != Channel::local && (guarded || names_a_file(*tls))) co_return tls_only_here(call);
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<ServerPtr>(call, control.set_server_tls(call.parts[0], std::move(*tls)));
  if (!done) co_return refuse(call, done.error());
  json::Writer w;
  write_server(w, **done, tools_of(*call.request.snapshot->catalogue, call.parts[0]));
  RestAnswer answer = ok(w);
  answer.reason = audit_text("tls of server", (*done)->name, (*done)->tls.pins);
  co_return answer;
}

Task<RestAnswer> remove_server(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_for_caller<void>(call, control.remove_server(call.parts[0]));
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  co_return answer;
}

Task<RestAnswer> probe_server(Call& call) {
  auto accept = flag_field(call.root(), "accept", false);
  if (!accept) co_return refuse(call, accept.error());
  auto& control = call.api.deps().control;
  auto report = co_await run_for_caller<control::ProbeReport>(
      call, control.probe_server(call.parts[0], *accept, call.request.principal));
  if (!report) {
    const bool known = report.error().code == Code::not_found || caller_ended(report.error());
    co_return refuse(call, report.error(), known ? "" : "The server could not be probed: " + report.error().detail);
  }
  co_return probed(*report, call.parts[0], 200);
}

Task<RestAnswer> restart_server(Call& call) {
  auto& control = call.api.deps().control;
  auto done = co_await run_for_caller<void>(call, control.restart_server(call.parts[0]));
  if (!done) co_return refuse(call, done.error());
  json::Writer w;
  w.object().member("name", call.parts[0]).member("restarted", true).end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
