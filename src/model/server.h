// Upstream MCP servers and their tools, as the operator approved them. Plain values owned by the Snapshot's catalogue.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "model/permission.h"
#include "model/toolset.h"
#include "model/upstream_tls.h"
#include "model/usage.h"

namespace sallyport::schema {
class Schema;  // engines/schema: a compiled JSON Schema
}
namespace sallyport::mcp_header {
struct Params;  // engines/mcp_header: what the input schema wants in headers
}

namespace sallyport {

struct Registration;  // model/registration.h

enum class Transport : std::uint8_t { stdio, http };

// Everything an operator approved about a server. Values of `env`, `headers`, `query` and `files` may be references
// (docs/vault.md), resolved when used, never stored resolved.
struct ServerRecord {
  std::string name;    // [a-z][a-z0-9-]{0,31}: no "_" (it ends a prefix), no "+" (it ends a URI prefix)
  Transport transport = Transport::stdio;
  std::vector<std::string> command;  // stdio: argv[0] is an absolute path, resolved when it was approved
  std::string working_directory;     // stdio; empty: a private empty folder
  std::map<std::string, std::string> env;
  std::vector<std::string> paths;    // stdio: folders shown inside the sandbox, "ro:/path" or "rw:/path"
  bool network = false;              // stdio: may open sockets beyond none
  std::string url;                   // http
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> query;  // http: parameters behind the URL
  std::map<std::string, std::string>
      files;  // stdio: variable -> what a file holds whose path it names; in memory alone
  UpstreamTls tls;  // http, with an https:// URL
  bool allow_private = false;        // http: loopback and private addresses allowed for this server (SSRF guard)
  std::string prefix;                // of its names on /mcp; may be empty
  bool shared = false;               // one upstream session for all principals
  std::vector<std::string> forwards = {"elicitation", "sampling"};  // what it may ask the client behind a call: also "roots"
  bool enabled = true;
  int security_level = 1;            // 0..10, of tools that say nothing else (S0-12)
  std::vector<std::string> required; // dotted permissions for every tool of it (S2-47)
  std::vector<std::string> labels;   // that a call of any of its tools leaves with the caller, such as "private_data"
  std::map<std::string, std::string>
      labels_away;  // of tools that it does not list now: name -> labels, a blank between two
  std::chrono::milliseconds call_timeout{30'000};   // 1 s .. 300 s
  std::chrono::milliseconds start_timeout{10'000};
  std::uint64_t result_bytes_max = 16U << 20;
};

// One approved definition of a tool. The raw JSON is what clients are shown, unchanged but for the name.
struct ToolRecord {
  std::string server;
  std::string name;          // as the upstream calls it
  std::string exposed_name;  // as /mcp shows it: prefix + "_" + name, or the name where the prefix is empty
  std::string definition;    // minified JSON object as the upstream listed it
  std::string digest;        // SHA-256 (hex) of the canonical definition: name, title, description, schemas, annotations
  std::string title;
  std::string description;
  int security_level = 1;
  std::vector<std::string> required;  // dotted permissions, the server's included
  std::vector<std::string> labels;    // the server's included
  bool enabled = true;
  std::shared_ptr<const schema::Schema> input;   // null: the schema could not be compiled; calls are refused
  std::shared_ptr<const schema::Schema> output;  // null: none declared
  std::shared_ptr<const mcp_header::Params> header_params;  // null: the schema wants none in headers
  std::shared_ptr<const Registration> registration;  // null: an upstream's own
  WallTime created_at{};  // registered, or approved for the first time
  WallTime updated_at{};  // its definition or what it is bound to changed
  std::shared_ptr<Usage> usage = std::make_shared<Usage>();  // calls that were let through to it, whatever came of them
};

using ServerPtr = std::shared_ptr<const ServerRecord>;
using ToolPtr = std::shared_ptr<const ToolRecord>;

struct Catalogue {
  std::map<std::string, ServerPtr, std::less<>> servers;  // by name; upstreams alone
  ServerPtr registry;  // stands for the server of registered tools; null while there are none
  std::map<std::string, std::map<std::string, ToolPtr, std::less<>>, std::less<>> tools;  // server -> name -> tool
  std::map<std::string, ToolPtr, std::less<>> exposed;  // on /mcp; a collision keeps the first, registered ones last
  std::vector<std::string> collisions;                  // reported, never silent
  std::map<std::string, ToolsetPtr, std::less<>> toolsets;  // by name
};

}  // namespace sallyport
