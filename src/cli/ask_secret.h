// Inside cli only: secrets from a person or a pipe, never from the command line, where the process list shows them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "cli/context.h"
#include "core/secret.h"

namespace sallyport::cli {

// One line without its end.
std::string read_line(std::istream& in);

// `twice`: one that is new, and would be lost with a slip of the finger.
enum class Asking : std::uint8_t { once, twice };

// Asked for where stdin is a terminal, which does not show it; else the first line of stdin. Empty where there is none.
// Code::validation where the two differ.
Result<Secret> ask_secret(const Context& context, std::string_view what, Asking asking);

// The member `key` of an order. A JSON string holds UTF-8 alone: other bytes would arrive as other ones, and open nothing
// that these do, so they are refused. Code::validation names the fix.
Result<void> write_secret(json::Writer& w, std::string_view key, const Secret& secret);

}  // namespace sallyport::cli
