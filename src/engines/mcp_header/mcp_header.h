// The Mcp-* headers of MCP 2026-07-28 (Streamable HTTP, headers): what a tool's schema asks to see in `Mcp-Param-{name}`
// headers (x-mcp-header), how values are encoded (`=?base64?...?=`), and the check of a request's headers against its
// body. Used towards clients (check) and towards tool servers (make); header values never decide anything. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sallyport::mcp_header {

enum class Type : std::uint8_t { string, integer, boolean };

struct Param {
  std::string header;  // without "Mcp-Param-"
  std::vector<std::string> path;  // property names from the root of the arguments
  Type type = Type::string;
};

struct Params {
  std::vector<Param> params;
  std::string invalid;  // why the tool must not be listed over modern HTTP; empty: all well
};

// The annotations of an inputSchema (raw JSON object). Valid only: non-empty tchar token, unique without case, type string,
// integer or boolean, reached from the root through `properties` alone (no items, anyOf/oneOf/allOf/not, if/then/else,
// $ref, $defs).
Params read_schema(std::string_view input_schema);

// A value as a field value: as it is where it is visible ASCII without outer blanks and does not look encoded, else
// =?base64?...?=. Never holds CR or LF.
std::string encode(std::string_view value);
// The reverse; outer blanks trimmed. Errors: header_mismatch (bad padding, foreign characters). Without both markers it is
// a literal.
Result<std::string> decode(std::string_view field_value);

using Headers = std::vector<std::pair<std::string, std::string>>;
// Mcp-Param-* for `arguments` (raw minified object): absent and null values have none, nor has what `check`
// would not want.
Headers make(const Params& params, std::string_view arguments);

// All values of one header of a request, by lower-case name; more than one value for one name is a mismatch.
using Lookup = std::function<std::vector<std::string_view>(std::string_view lower_case_name)>;
// Do the Mcp-Param-* headers say what the arguments say? Integers compare as numbers (within +-(2^53-1)). A header whose
// value is absent or null in the body, or a value without its header, is a mismatch. A value of another type than the
// schema's, or an integer beyond that range, has no header: the schema decides about it. Errors: header_mismatch with
// the header's name as detail.
Result<void> check(const Params& params, std::string_view arguments, const Lookup& lookup);
// Mcp-Method, Mcp-Name, MCP-Protocol-Version: present once and equal to `expected`, case and all; only Mcp-Name has an
// encoded form. Errors: header_mismatch with the header's name as detail.
Result<void> check_one(std::string_view header, std::string_view expected, const Lookup& lookup);

}  // namespace sallyport::mcp_header
