// The catalogue of the Snapshot, built from the records the store keeps: each approved definition once, its schemas
// compiled once, its name on /mcp, collisions reported. Owned by the control plane, used on its thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "engines/pin/definition.h"
#include "model/registration.h"

namespace sallyport::control {

// What a probe found: the definitions the server lists now, and what it says of itself.
struct ProbeResult {
  std::string server_name;
  std::string server_version;
  std::string protocol_version;
  std::vector<pin::Definition> tools;
  std::vector<std::string> refused;  // definitions that were not usable, and why
};

// How a probe differs from what was approved.
struct Drift {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;
  [[nodiscard]] bool any() const { return !added.empty() || !removed.empty() || !changed.empty(); }
};

struct ProbeReport {
  ProbeResult result;
  Drift drift;
  bool accepted = false;
};

// The record as it may be stored: name, prefix, transport and its fields, argv[0] absolute and executable, URL shape,
// levels and times within range. Code::validation with a sentence for the operator.
Result<ServerRecord> check_server(ServerRecord server);
bool is_server_name(std::string_view name);  // [a-z][a-z0-9-]{0,31}
// The name of a tool that can be called: 1 to 128 of [A-Za-z0-9_.-] (MCP 2025-11-25, tools).
bool is_callable_name(std::string_view name);
// `before`: the tool of that name as it was approved before; null: none. Its use goes on.
ToolRecord approve(const ServerRecord& server, const pin::Definition& definition, WallTime now,
                   const ToolRecord* before = nullptr);
Drift compare(const Catalogue& catalogue, const std::string& server, const std::vector<pin::Definition>& listed);

class CatalogueBuilder {
 public:
  using Tools = std::map<std::string, std::vector<ToolRecord>, std::less<>>;
  // `tools`: server -> records as stored, kRegistry's among them. Compiled schemas are kept by digest, so that a change compiles what is new.
  std::shared_ptr<const Catalogue> build(const std::map<std::string, ServerPtr, std::less<>>& servers,
                                         const Tools& tools,
                                         const std::map<std::string, ToolsetPtr, std::less<>>& toolsets = {});

 private:
  struct Compiled {
    std::shared_ptr<const schema::Schema> input;
    std::shared_ptr<const schema::Schema> output;
    std::shared_ptr<const mcp_header::Params> header_params;  // null: no x-mcp-header at all
  };
  Compiled compile(const ToolRecord& tool);
  void put_registered(Catalogue& catalogue, const Tools& tools);
  void forget_unused(const Catalogue& catalogue);
  void put(Catalogue& catalogue, const ServerRecord& server, const ToolRecord& stored);
  std::map<std::string, Compiled, std::less<>> by_digest_;
};

}  // namespace sallyport::control
