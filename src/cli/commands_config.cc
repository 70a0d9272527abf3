#include <fstream>
#include <ostream>
#include <sstream>

#include "cli/client.h"
#include "cli/context.h"
#include "config/own_url.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

int check(const Context& c, const Result<config::Settings>& settings) {
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

// By whoever asks, instead of by our own settings.
bool is_named(const Context& c) { return !c.options.url.empty() || c.io.environment.contains("SALLYPORT_URL"); }

}  // namespace

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
  if (is_named(c)) return {};
  const auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (!settings || !settings->tls.enabled) return {};
  const std::string path = settings->home + "/certs/ca.crt";
  return std::ifstream(path) ? path : std::string();
}

// A gateway of ours that serves HTTPS may have a certificate for other names than the one probed, or ask for the client's:
// it is asked on its admin socket. A URL that was named is asked as it stands.
Result<ApiAnswer> ask_health(const Context& c, const std::string& url, std::chrono::milliseconds timeout) {
  if (is_named(c) || !url.starts_with("https://")) return get_url(url + "/health", timeout);
  return request_over_socket(c.options.home, "GET", "/health", "");
}

int run_config(const Context& c) {
  if (c.options.command == "config schema") {
    c.io.out << config::json_schema();
    return kOk;
  }
  const auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (c.options.command == "config check" || !settings) return check(c, settings);
  c.io.out << (c.options.json ? json::pretty(config::explain_json(*settings)) + "\n" : config::explain_text(*settings));
  return kOk;
}

int run_healthcheck(const Context& c) {
  const auto url = gateway_url(c);
  if (!url) return c.fail_with(kFailure, url.error().detail);
  const auto answer = ask_health(c, *url, std::chrono::seconds(3));
  const bool healthy = answer && answer->status == 200;
  if (c.options.json && answer) c.io.out << answer->body << "\n";
  if (healthy) return kOk;
  return c.fail_with(kFailure, "unhealthy: " + *url + "/health " +
                                   (answer ? "answered " + std::to_string(answer->status)
                                           : "gave no answer: " + answer.error().detail));
}

}  // namespace sallyport::cli
