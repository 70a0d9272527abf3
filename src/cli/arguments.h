// Inside cli only: the one caller of CLI11. The grammar of all commands, their help with examples, shell completion.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "cli/options.h"

namespace sallyport::cli {

// Nothing: `options` is filled. Else the exit code: help was printed to `out` (0), or a usage error to `err` (2).
std::optional<int> parse(int argc, const char* const* argv, const std::string& version, Options& options,
                         std::ostream& out, std::ostream& err);

// A completion script made from the same grammar. `shell`: bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace sallyport::cli
