// The authorization stage of MCP: finds what a name means within the scope of the URL, and asks the one decide(). A name
// that does not exist and one that the principal may not read are refused alike (design, principle 1). One a worker.
#pragma once

#include <string>
#include <string_view>

#include "engines/decide/decide.h"
#include "model/snapshot.h"

namespace sallyport {

// Who asks, from where: what every question of one request shares.
struct Asker {
  const Snapshot& snapshot;
  const Principal& principal;
  Channel channel = Channel::mcp;
  std::string_view scope;  // of the URL: model/toolset.h
  std::string_view address;
  std::string_view protocol_version;
  WallTime now{};
  Decider* decider = nullptr;  // of this request, where an OPA server has the policies; null: the worker's
  bool counts = true;  // AccessRequest::counts
};

struct ToolAccess {
  Decision decision;
  ServerPtr server;  // set when decision.allow
  ToolPtr tool;
};

// What is asked of a server as a whole: of its resources, its prompts, its completions.
struct ServerCall {
  std::string_view method;  // resources/read, ...
  std::string_view arguments;  // minified object: the params that reach the server, without what MCP puts beside them
};

class Authorization {
 public:
  explicit Authorization(Decider& decider) : decider_(decider) {}

  // tools/call and REST execute. `name`: as the scope shows it. `arguments`: minified object.
  ToolAccess call(const Asker& asker, std::string_view name, std::string_view arguments);
  // May this tool be listed? decide(execute) without arguments, phase list.
  bool lists(const Asker& asker, const ServerRecord& server, const ToolRecord& tool);
  // By what the answers of lists() may be kept: Decider::list_key, within this scope. Empty: not at all.
  std::string list_key(const Asker& asker);
  // Does /mcp/{scope} exist for this caller? Where it may use neither the server nor one tool there, it does not.
  bool enters(const Asker& asker);
  // Lists of a server's resources and prompts; whether it is heard. decide(execute) of the server as a whole, phase list.
  Decision server_list(const Asker& asker, const ServerRecord* server);
  // Reading a resource, subscribing to it, getting a prompt, completing: the same in phase call, bound by obligations.
  Decision server_call(const Asker& asker, const ServerRecord* server, const ServerCall& call);

 private:
  Decision decide(const Asker& asker, const AccessRequest& request);
  Decision decide_server(const Asker& asker, const AccessRequest& request);

  Decider& decider_;
};

// The tool that `name` means in `scope`; null when there is none or its server is disabled.
ToolPtr find_tool(const Catalogue& catalogue, std::string_view scope, std::string_view name);
// A registered tool that is bound to nothing, or to a tool that is not there, is a catalogue entry: shown by REST, offered
// to no agent. Every other tool can be called.
bool can_be_called(const Catalogue& catalogue, const ToolRecord& tool);

}  // namespace sallyport
