// Which server a message of MCP leads to: what authorization asks about, and rehearses. Internal to the pipeline.
#pragma once

#include <string>

#include "request/authorization/authorization.h"
#include "request/pipeline/flow.h"
#include "request/pipeline/worker.h"

namespace sallyport {

// resources, prompts, completions: they ask one server as a whole.
bool is_of_server(mcp::Method method) noexcept;
// initialize, server/discover.
bool opens(mcp::Method method) noexcept;

struct ChosenTarget {
  ServerPtr server;    // null: none
  std::string name;    // as that server calls it
  std::string chosen;  // as the caller does
  std::string arguments;  // what is asked of it: mcp::decided_params

  [[nodiscard]] ServerCall call(const Flow& flow) const { return {flow.message->method_name, arguments}; }
};
// Of a message for which is_of_server() holds. invalid_params: it names nothing.
Result<ChosenTarget> chosen_target(const Flow& flow);

// Subscribing to a resource, whatever the method of this revision.
inline constexpr std::string_view kSubscribes = "resources/subscribe";
// One call more of `most` a minute that a policy lets this caller make of `what` (server/tool, or the server). Error:
// rate_limited.
Result<void> admit_obliged(Flow& flow, const Worker& worker, std::uint32_t most, const std::string& what);

// Asks, for an OPA server to hear, what a list of tools will ask.
void rehearse_list(Authorization& authorization, const Asker& asker);

}  // namespace sallyport
