// Inside cli only: completion scripts from the tree of commands.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sallyport::cli {

struct CompletionNode {
  std::string path;                                        // "" or "server add"
  std::vector<std::pair<std::string, std::string>> words;  // sub-commands and what they are about
  std::vector<std::string> options;
};

std::string completion_text(const std::string& shell, const std::vector<CompletionNode>& nodes);

}  // namespace sallyport::cli
