// What a client declared that it can answer (ClientCapabilities of initialize, or of each request in 2026-07-28), and what
// of it a tool server may use: only what the operator forwards to that server. Pure functions over raw objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/protocol.h"

namespace sallyport::mcp {

// "elicitation", "sampling" or "roots"; empty: no such request exists.
std::string_view capability_of(std::string_view method) noexcept;

// `declared` without what is not forwarded and what a server behind the gateway has no use for. `client` says what an
// absent detail means: an elicitation of 2025-06-18 is a form.
std::string forwarded_capabilities(std::string_view declared, const std::vector<std::string>& forwards, Revision client);

// Can a client that declared this answer the request? An url elicitation needs `elicitation.url`, tools in sampling need
// `sampling.tools` (MCP 2025-11-25).
bool can_answer(std::string_view declared, std::string_view method, std::string_view params);

// The ClientCapabilities that the request would need: for `data.requiredCapabilities` of -32021.
std::string required_capabilities(std::string_view method, std::string_view params);

// Of the answers that a client sends along (raw object by key; empty: none), those of a kind that `declared` covers. What kind one
// is shows in its members: roots, action (elicitation), else a sampled message. Nobody need have asked: a server of
// 2026-07-28 may take answers with the first request, so that what is not forwarded must not pass this way either.
std::string allowed_responses(std::string_view responses, std::string_view declared);

}  // namespace sallyport::mcp
