#include "cli/completion_nodes.h"

#include <CLI/App.hpp>
#include <algorithm>

namespace sallyport::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

void walk(const CLI::App& app, const std::string& path, const std::vector<std::string>& inherited,
          std::vector<CompletionNode>& out) {
  CompletionNode node{path, {}, option_names(app)};
  for (const std::string& name : inherited) {
    if (std::find(node.options.begin(), node.options.end(), name) == node.options.end()) node.options.push_back(name);
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.words.emplace_back(sub->get_name(), sub->get_description());
  }
  if (path == "completion") node.words = {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
  out.push_back(node);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    walk(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), inherited, out);
  }
}

}  // namespace

std::vector<CompletionNode> completion_nodes(const CLI::App& app, const std::vector<std::string>& everywhere) {
  std::vector<CompletionNode> out;
  walk(app, "", everywhere, out);
  return out;
}

}  // namespace sallyport::cli
