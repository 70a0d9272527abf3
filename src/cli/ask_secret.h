// Inside cli only: secrets from a person or a pipe, never from the command line, where the process list shows them.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/context.h"

namespace sallyport::cli {

// One line without its end.
std::string read_line(std::istream& in);

// Asked for twice on the terminal, which does not show it. Code::validation where the two differ.
Result<std::string> ask_twice(const Context& context, std::string_view what);

}  // namespace sallyport::cli
