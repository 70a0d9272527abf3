// Which server a message of MCP leads to: what authorization asks about, and rehearses. Internal to the pipeline.
#pragma once

#include <string>

#include "request/authorization/authorization.h"
#include "request/pipeline/flow.h"

namespace sallyport {

// resources, prompts, completions: they ask one server as a whole.
bool is_of_server(mcp::Method method) noexcept;
// initialize, server/discover.
bool opens(mcp::Method method) noexcept;

struct ChosenTarget {
  ServerPtr server;    // null: none
  std::string name;    // as that server calls it
  std::string chosen;  // as the caller does
};
// Of a message for which is_of_server() holds. invalid_params: it names nothing.
Result<ChosenTarget> chosen_target(const Flow& flow);

// Asks, for an OPA server to hear, what a list of tools will ask.
void rehearse_list(Authorization& authorization, const Asker& asker);

}  // namespace sallyport
