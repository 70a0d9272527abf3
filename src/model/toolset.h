// Toolsets, and what the scope of a URL of MCP means: "" is /mcp, "name" a server, "p/name" a toolset. Plain values.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sallyport {

struct Catalogue;

// A named choice of tools with a URL of its own, /mcp/p/{name}. It narrows what a caller may do and never widens it.
struct Toolset {
  struct Entry {
    std::string server;
    std::string tool;
    std::string description;  // shown in place of the tool's own, and marked as such; empty: its own
  };
  std::string name;  // as a server's
  std::string description;
  bool enabled = true;
  std::map<std::string, Entry, std::less<>> tools;  // by the name that it shows
  WallTime created_at{};
};

using ToolsetPtr = std::shared_ptr<const Toolset>;

inline constexpr std::string_view kToolsetScope = "p/";

// The toolset that a scope means; null where it means none, or one that is not there or not enabled.
ToolsetPtr toolset_of(const Catalogue& catalogue, std::string_view scope);
// Does the scope offer something of that server? Of a toolset: one of its tools.
bool in_scope(const Catalogue& catalogue, std::string_view scope, std::string_view server);

}  // namespace sallyport
