// A policy to begin with: what ships, and behind it a section for each tool with what is known of it and example rules that fit its
// arguments, all of it comments. It decides as what ships does until an example is taken out of its comment. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace sallyport::policy {

// As the catalogue has it. Everything but the level and what it requires was said by its server, and is not trusted.
struct ScaffoldTool {
  std::string server;
  std::string name;
  std::string title;
  std::string description;
  int security_level = 1;
  std::vector<std::string> required;
  std::string definition;  // JSON object with inputSchema and annotations
};

struct Scaffold {
  std::string policy;  // package tool_access
  std::string tests;  // package tool_access_scaffold_test, for a file *_test.rego beside it
};

// Lines of examples begin with "#: ": without it each is a rule. Code::limit: more tools than one file of Rego holds (1 MiB,
// 20,000 lines).
Result<Scaffold> scaffold(const std::vector<ScaffoldTool>& tools);

}  // namespace sallyport::policy
