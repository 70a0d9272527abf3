// Tools that were registered over REST beside those of tool servers (S1-15, S1-19). They belong to the server "registry",
// which is none: `registration` of their ToolRecord says what a call of them is. Plain values owned by the Snapshot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/server.h"

namespace sallyport {

// No tool server may have this name; /mcp/registry offers the registered tools alone.
inline constexpr std::string_view kRegistry = "registry";

// Bound to an upstream's tool, or to an HTTP endpoint, or to neither: then it is a catalogue entry, which nobody can call.
struct Registration {
  std::string version;  // at most 50 characters; free text
  std::vector<std::string> categories;
  std::vector<std::string> tags;
  std::string owner;  // Principal::id of who registered it
  std::string bound_server;  // an upstream's tool; empty: none
  std::string bound_tool;
  ServerPtr endpoint;  // url, headers, allow_private, call_timeout of the HTTP endpoint; null: none
  [[nodiscard]] bool bound() const noexcept { return endpoint != nullptr || !bound_server.empty(); }
};

// Of ServerRecord::name of an endpoint: what its breaker and its errors are called.
std::string endpoint_name(std::string_view tool);
// The server of a tool's `server` field: an upstream, or the registry; null where there is none.
ServerPtr server_of(const Catalogue& catalogue, std::string_view name);
// Any tool `server`/`name`, registered or not, disabled or not; null where there is none.
ToolPtr tool_of(const Catalogue& catalogue, std::string_view server, std::string_view name);
// The upstream's tool `server`/`name`, disabled or not; never a registered one, so that there are no chains.
ToolPtr upstream_tool(const Catalogue& catalogue, std::string_view server, std::string_view name);

}  // namespace sallyport
