// Records for the tests of engines/decide.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engines/decide/decide.h"
#include "engines/policy/policy.h"

namespace sallyport::test {

inline ServerRecord server_named(std::string name) {
  ServerRecord server;
  server.name = std::move(name);
  return server;
}

inline ToolRecord tool_named(std::string server, std::string name, int level = 1) {
  ToolRecord tool;
  tool.server = std::move(server);
  tool.name = std::move(name);
  tool.security_level = level;
  return tool;
}

inline Principal principal_with(std::vector<std::string> roles) {
  Principal principal;
  principal.id = "user:0123456789abcdef";
  principal.name = "ann";
  principal.roles = std::move(roles);
  return principal;
}

inline Snapshot snapshot_with(policy::Modules modules, Roles roles = {}, std::uint64_t epoch = 1) {
  Snapshot snapshot;
  snapshot.epoch = epoch;
  snapshot.roles = std::make_shared<const Roles>(std::move(roles));
  snapshot.policy = std::make_shared<const PolicySet>(PolicySet{epoch, std::move(modules)});
  return snapshot;
}

inline Snapshot shipped() { return snapshot_with(policy::shipped_policies()); }

// A tool_access of the test's own, with the shipped admin_access.
inline Snapshot with_tool_access(const std::string& rules, std::uint64_t epoch = 1) {
  policy::Modules modules = policy::shipped_policies();
  std::erase_if(modules, [](const auto& m) { return m.first == "tool_access.rego"; });
  modules.emplace_back("tool_access.rego", "package tool_access\nimport rego.v1\n" + rules);
  return snapshot_with(std::move(modules), {}, epoch);
}

}  // namespace sallyport::test
