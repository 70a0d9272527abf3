// What a declared server may be: a launch that needs no shell, no secret in the clear, one name each.
#include <algorithm>

#include "config/sources.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

class OneServer {
 public:
  OneServer(const FileServer& server, Mistakes& mistakes) : server_(server), s_(server.setting), mistakes_(mistakes) {}

  void run() {
    if (s_.name.empty()) refuse("name", "a server needs a name", "add 'name: ...'");
    if (s_.transport == "stdio") stdio();
    else http();
    secrets("env", s_.env);
    secrets("headers", s_.headers);
    secrets("query", s_.query);
    secrets("files", s_.files);
    arguments();
  }

  void refuse(std::string_view key, std::string_view reason, std::string_view fix) {
    const auto found = server_.given.find(key);
    const std::string source = found == server_.given.end() ? mistakes_.source(s_.line) : found->second.source;
    mistakes_.from(source, "servers." + (s_.name.empty() ? "" : s_.name + ".") + std::string(key), reason, fix);
  }

 private:
  void stdio() {
    if (s_.command.empty())
      return refuse("command", "a stdio server needs its program", "add 'command: [/path/to/program]'");
    if (!s_.command[0].starts_with('/')) {
      refuse("command", "the program must be an absolute path", "write what 'command -v' prints for it");
    }
    only("stdio", {"url", "headers", "query", "allow_private", "tls.ca", "tls.pins", "tls.client_certificate",
                   "tls.client_key"});
  }

  void http() {
    if (s_.url.empty()) refuse("url", "an http server needs its URL", "add 'url: https://...'");
    only("http", {"command", "working_directory", "env", "files", "paths", "network"});
    tls();
    const auto query = s_.url.find('?');
    if (query == std::string::npos) return;
    std::string_view rest = std::string_view(s_.url).substr(query + 1);
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const auto equals = std::min(pair.find('='), pair.size());
      if (looks_like_secret(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())))) {
        refuse("url", "the query holds what looks like a secret",
               "send it as a header, or under query, whose value is a reference");
      }
    }
  }

  void tls() {
    const UpstreamTlsSetting& tls = s_.tls;
    const bool any = !tls.ca.empty() || !tls.pins.empty() || !tls.client_certificate.empty() || !tls.client_key.empty();
    if (any && !s_.url.starts_with("https://"))
      refuse("url", "settings of TLS, and a URL without it", "write https://, or remove 'tls'");
    if (tls.client_certificate.empty() != tls.client_key.empty())
      refuse("tls.client_key", "a client certificate and its key go together", "name both, or neither");
  }

  void only(std::string_view transport, std::initializer_list<std::string_view> foreign) {
    for (const std::string_view key : foreign) {
      if (server_.given.contains(key)) {
        refuse(key, "has no meaning with transport " + std::string(transport), "remove it, or change the transport");
      }
    }
  }

  void secrets(std::string_view key, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) {
      const std::string path = std::string(key) + "." + name.substr(0, 64);
      if (has_reference(value)) {
        if (!references_are_well_formed(value))
          refuse_named(key, path, "has a malformed reference", "write ${env:NAME}, ${file:PATH} or ${vault:NAME}");
      } else if (looks_like_secret(name, value)) {
        refuse_named(key, path, "looks like a secret in the clear",
                     "put it into a file with mode 0600 and write ${file:PATH}, or export it and write ${env:NAME}");
      }
    }
  }

  void refuse_named(std::string_view key, std::string_view path, std::string_view reason, std::string_view fix) {
    const auto found = server_.given.find(key);
    mistakes_.from(found == server_.given.end() ? mistakes_.source(s_.line) : found->second.source,
                   "servers." + s_.name + "." + std::string(path), reason, fix);
  }

  static bool references_are_well_formed(std::string_view text) {
    for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
      const auto end = text.find('}', at);
      if (end == std::string_view::npos || !is_reference(text.substr(at, end - at + 1))) return false;
    }
    return true;
  }

  // Arguments of a process are seen by every process of the machine.
  void arguments() {
    std::string_view option;
    for (const std::string& argument : s_.command) {
      const auto equals = argument.find('=');
      const bool named = equals != std::string::npos && argument.starts_with('-');
      const std::string_view name = named ? std::string_view(argument).substr(0, equals) : option;
      const std::string_view value = named ? std::string_view(argument).substr(equals + 1) : std::string_view(argument);
      if (!value.starts_with('-') && looks_like_secret(name, value)) {
        refuse("command", "an argument looks like a secret, and arguments are seen by every process",
               "hand it over in 'env' as a reference");
        return;
      }
      option = argument.starts_with('-') ? std::string_view(argument) : std::string_view();
    }
  }

  const FileServer& server_;
  const ServerSetting& s_;
  Mistakes& mistakes_;
};

}  // namespace

void check_servers(const std::vector<FileServer>& servers, Mistakes& mistakes) {
  if (servers.size() > 1000) {
    mistakes.at(servers[1000].setting.line, "servers", "more than 1000 servers", "remove some");
    return;
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    OneServer one(servers[i], mistakes);
    one.run();
    for (std::size_t j = 0; j < i; ++j) {
      if (servers[i].setting.name.empty() || servers[j].setting.name != servers[i].setting.name) continue;
      one.refuse("name", "stands twice, first in line " + std::to_string(servers[j].setting.line),
                 "give each its own name");
      break;
    }
  }
}

}  // namespace sallyport::config
