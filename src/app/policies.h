// Policies that are in no force yet, for the CLI: a folder of them is tried without a server.
#pragma once

#include <string>

#include "cli/hooks.h"

namespace sallyport::app {

// cli::Hooks::read_policies.
Result<cli::PolicyFiles> policies_in(const std::string& home, const std::string& folder);
// cli::Hooks::try_policies.
Result<cli::PolicyTrial> try_policies(const std::string& home, const std::string& folder, cli::PolicyWish wish);
// cli::Hooks::explain_policies. Errors: they cannot be read, do not compile, lack the package.
Result<std::string> explain_policies(const std::string& folder, const std::string& package, const std::string& input);

}  // namespace sallyport::app
