// Inside cli only: what shell completion offers, read from the grammar of the commands.
#pragma once

#include <string>
#include <vector>

#include "cli/shell_completion.h"

namespace CLI {
class App;
}

namespace sallyport::cli {

// A node for each command below `app`, itself first; each takes the options `everywhere` beside its own.
std::vector<CompletionNode> completion_nodes(const CLI::App& app, const std::vector<std::string>& everywhere);

}  // namespace sallyport::cli
