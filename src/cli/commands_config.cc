#include <unistd.h>

#include <fstream>
#include <ostream>
#include <sstream>

#include "cli/client.h"
#include "cli/context.h"
#include "config/own_url.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

// `serve` gives root up before it opens what the settings name; this has read them as who it is.
std::string as_root(uid_t user) {
  if (user != 0) return {};
  return "checked as root, and serve goes on as the owner of the home or sandbox.run_as: a file that only root can "
         "read "
         "passes here and fails there; fix: run it as that user";
}

int check(const Context& c, Result<config::Settings> settings) {
  if (const std::string warning = as_root(::geteuid()); settings && !warning.empty())
    settings->warnings.push_back(warning);
  if (c.options.json) {
    json::Writer w;
    w.object().member("valid", settings.has_value()).key("mistakes").array();
    std::istringstream lines(settings ? "" : settings.error().detail);
    for (std::string line; std::getline(lines, line);) w.value(line);
    w.end_array().key("warnings").array();
    if (settings) {
      for (const std::string& warning : settings->warnings) w.value(warning);
    }
    c.io.out << json::pretty(w.end_array().end_object().text()) << "\n";
    return settings ? kOk : kFailure;
  }
  if (!settings) return c.fail_with(kFailure, "the settings are refused\n" + settings.error().detail);
  for (const std::string& warning : settings->warnings)
    c.io.out << coloured("warning", "warning", c.io.colour) << ": " << warning << "\n";
  c.io.out << coloured("ok", "ok", c.io.colour) << ": "
           << (settings->config_file.empty() ? "no settings file, defaults and environment" : settings->config_file)
           << "\n";
  return kOk;
}

// The address probes reach the gateway at, from its own settings.
std::string probe_url(config::Settings settings) {
  if (settings.listen.address == "0.0.0.0") settings.listen.address = "127.0.0.1";
  if (settings.listen.address == "::") settings.listen.address = "::1";
  return config::own_url(settings);
}

}  // namespace

bool names_gateway(const Context& c) { return !c.options.url.empty() || c.io.environment.contains("SALLYPORT_URL"); }

Result<std::string> gateway_url(const Context& c) {
  std::string url = c.options.url;
  if (const auto found = c.io.environment.find("SALLYPORT_URL"); url.empty() && found != c.io.environment.end())
    url = found->second;
  if (url.empty()) {
    SP_TRY(const config::Settings settings, config::load(c.options.home, c.options.config, c.io.environment));
    url = probe_url(settings);
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string own_authority(const Context& c) {
  if (names_gateway(c)) return {};
  const auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (!settings || !settings->tls.enabled) return {};
  const std::string path = settings->home + "/certs/ca.crt";
  return std::ifstream(path) ? path : std::string();
}

// A gateway of ours that serves HTTPS may have a certificate for other names than the one probed, or ask for the client's: it
// is asked on its admin socket, where it has one (listen.admin_socket). A URL that was named is asked as it stands.
Result<ApiAnswer> ask_health(const Context& c, const std::string& url, std::chrono::milliseconds timeout) {
  if (names_gateway(c) || !url.starts_with("https://")) return get_url(url + "/health", timeout);
  auto answer = request_over_socket(c.options.home, "GET", "/health", "");
  if (answer || answer.error().code != Code::upstream_unavailable) return answer;
  return get_url(url + "/health", timeout, own_authority(c));
}

int run_config(const Context& c) {
  if (c.options.command == "config schema") {
    c.io.out << config::json_schema();
    return kOk;
  }
  auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (c.options.command == "config check" || !settings) return check(c, std::move(settings));
  c.io.out << (c.options.json ? json::pretty(config::explain_json(*settings)) + "\n" : config::explain_text(*settings));
  return kOk;
}

namespace {

// A probe by TLS failed: without a certificate of a client's no name helps where one is demanded.
std::string how_to_probe(const Context& c) {
  const auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (settings && settings->tls.client_certificates == "required" && !settings->listen.admin_socket) {
    return "if it runs: it demands a client certificate (tls.client_certificates: required), and a probe has none; set "
           "listen.admin_socket: true";
  }
  return "if it runs: set listen.admin_socket: true, or --url https://NAME:PORT with a name of its certificate";
}

}  // namespace

int run_healthcheck(const Context& c) {
  const auto url = gateway_url(c);
  if (!url) return c.fail_with(kFailure, url.error().detail);
  const auto answer = ask_health(c, *url, std::chrono::seconds(3));
  const bool healthy = answer && answer->status == 200;
  if (c.options.json && answer) {
    const auto body = json::read_upstream_document(answer->body);
    c.io.out << (body ? json::pretty(body->text()) : "{}") << "\n";
  }
  if (healthy) return kOk;
  // By the probe's own address, and without a certificate of a client's.
  const bool by_tls = !answer && url->starts_with("https://") && !names_gateway(c);
  return c.fail_with(kFailure,
                     "unhealthy: " + *url + "/health " +
                         (answer ? "answered " + std::to_string(answer->status)
                                 : "gave no answer: " + printable(answer.error().detail, 1000)),
                     by_tls ? how_to_probe(c) : "");
}

}  // namespace sallyport::cli
