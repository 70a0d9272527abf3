#include <ostream>
#include <sstream>

#include "cli/client.h"
#include "cli/context.h"
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

// The address people and probes reach the gateway at, from its own settings.
std::string own_url(const config::Settings& s) {
  std::string host = s.listen.address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(s.listen.port);
}

}  // namespace

Result<std::string> gateway_url(const Context& c) {
  std::string url = c.options.url;
  if (const auto found = c.io.environment.find("SALLYPORT_URL"); url.empty() && found != c.io.environment.end())
    url = found->second;
  if (url.empty()) {
    SP_TRY(const config::Settings settings, config::load(c.options.home, c.options.config, c.io.environment));
    url = own_url(settings);
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
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
  const auto answer = get_url(*url + "/health", std::chrono::seconds(3));
  const bool healthy = answer && answer->status == 200;
  if (c.options.json && answer) c.io.out << answer->body << "\n";
  if (healthy) return kOk;
  return c.fail_with(kFailure, "unhealthy: " + *url + "/health " +
                                   (answer ? "answered " + std::to_string(answer->status)
                                           : "gave no answer: " + answer.error().detail));
}

}  // namespace sallyport::cli
