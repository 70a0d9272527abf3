// Servers that sallyport.yaml declares: registered, probed and approved at the first start that sees them. One that is
// registered already stays as it is (remove it first): a file edited by somebody is no approval of new definitions.
#include "app/worker_unit.h"

namespace sallyport::app {
namespace {

ServerRecord record_of(const config::ServerSetting& setting) {
  ServerRecord server;
  server.name = setting.name;
  server.transport = setting.transport == "http" ? Transport::http : Transport::stdio;
  server.command = setting.command;
  server.working_directory = setting.working_directory;
  server.env = setting.env;
  server.paths = setting.paths;
  server.network = setting.network;
  server.url = setting.url;
  server.headers = setting.headers;
  server.query = setting.query;
  server.files = setting.files;
  server.allow_private = setting.allow_private;
  server.tls = {setting.tls.ca, setting.tls.pins, setting.tls.client_certificate, setting.tls.client_key};
  server.prefix = setting.prefix;
  server.shared = setting.shared;
  server.enabled = setting.enabled;
  server.security_level = static_cast<int>(setting.security_level);
  server.required = setting.required;
  server.labels = setting.labels;
  server.forwards = setting.forwards;
  server.call_timeout = setting.call_timeout;
  server.start_timeout = setting.start_timeout;
  server.result_bytes_max = setting.result_bytes;
  return server;
}

}  // namespace

Task<void> App::declare_servers() {
  for (const auto& setting : options_.settings.servers) {
    if (stopping_ || control_->snapshot()->catalogue->servers.contains(setting.name)) continue;
    const auto added = co_await control_->add_server(record_of(setting), true);
    if (added) {
      log_.info("declared server registered", {{"server", setting.name}, {"tools", added->result.tools.size()}});
    } else {
      log_.error("declared server not registered; it is tried again at the next start",
                 {{"server", setting.name}, {"why", added.error().detail}});
    }
  }
}

}  // namespace sallyport::app
