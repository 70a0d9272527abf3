// A tool definition as an upstream lists it, taken apart once, with the digest by which it is pinned: SHA-256 over the
// canonical form of name, title, description, input and output schema and annotations (threats.md: tool poisoning, rug
// pulls). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "json/document.h"

namespace sallyport::pin {

struct Definition {
  std::string name;           // 1..128 of [A-Za-z0-9_.-] (MCP 2025-11-25, tools)
  std::string title;
  std::string description;
  std::string raw;            // the whole minified item
  std::string input_schema;   // raw object
  std::string output_schema;  // raw object; empty when none is declared
  std::string digest;         // 64 hex digits
};

// `item`: one element of tools/list. Errors: upstream_protocol, naming what is wrong (no object, a bad name, an input
// schema that is no object). The item may be hostile.
Result<Definition> read_definition(std::string_view item);

}  // namespace sallyport::pin
