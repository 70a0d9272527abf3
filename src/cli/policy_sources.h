// Inside cli only: sets of policies as people name them on the command line.
#pragma once

#include <string>

#include "cli/context.h"

namespace sallyport::cli {

// A number, "active" or "shadow" is a version of the gateway; anything else is a folder.
bool names_version(const std::string& which);
// The files of it. Errors: those of the gateway by its message, io.
Result<PolicyFiles> policy_files(const Context& context, const std::string& which);
// The member "modules".
void write_modules(json::Writer& w, const PolicyFiles& files);
// Text of a policy for a terminal, line by line; tabs stay.
std::string printable_lines(std::string_view text);
// Compiles the folder's files and runs its tests: kOk, or what went wrong is said. A failing test passes with --force.
int try_before(const Context& context, const std::string& folder);

}  // namespace sallyport::cli
