// How names and URIs of upstreams appear on /mcp, and back. Tools and prompts: `prefix_name`; a prefix holds no "_", so
// the first "_" ends it. URIs: `prefix+scheme://...`; a prefix holds no "+". /mcp/{server} maps nothing (design,
// Catalogue). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/server.h"

namespace sallyport::mcp {

struct Target {
  ServerPtr server;
  std::string name;  // as the upstream calls it
};

// The longest length of a name on /mcp that hosts of language models take (practice: 64).
std::string expose_name(const ServerRecord& server, std::string_view name);
std::string expose_uri(const ServerRecord& server, std::string_view uri);

// The server that a name or URI seen on /mcp belongs to; nothing when no server has that prefix.
std::optional<Target> resolve_name(const Catalogue& catalogue, std::string_view exposed);
std::optional<Target> resolve_uri(const Catalogue& catalogue, std::string_view exposed);

// May a server say that `uri` changed to who subscribed to `whole`? MCP, resources/updated: "a sub-resource of the one that the
// client actually subscribed to", which is one below its path, or a query or fragment of it.
bool is_part(std::string_view uri, std::string_view whole);

// A result of `server` with every URI in it as /mcp shows it: contents of resources/read, resource and resource_link
// blocks of tool results and prompts. `result` is a minified object; what has no URI comes back unchanged.
std::string expose_result_uris(const ServerRecord& server, std::string_view result);
// One listed item (tool, prompt, resource, template) with its name or URI as /mcp shows it.
std::string expose_item(const ServerRecord& server, std::string_view item);
// `object` with the member `key` (no character that JSON escapes) as `raw`: replaced, or added at the end.
std::string with_member(std::string_view object, std::string_view key, std::string_view raw);
// `object` with the string member `key` replaced; everything else byte for byte.
std::string with_string_member(std::string_view object, std::string_view key, std::string_view value);

}  // namespace sallyport::mcp
