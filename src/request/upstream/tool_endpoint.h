// A registered tool that is bound to an HTTP endpoint: a call POSTs the arguments as JSON through the one egress client, and
// what comes back is the result. No header or credential of the caller crosses; the endpoint's own headers were approved
// with it. On the worker that owns `deps`.
#pragma once

#include <string>

#include "core/clock.h"
#include "model/registration.h"
#include "request/upstream/call.h"
#include "request/upstream/deps.h"

namespace sallyport::upstream {

// `tool.registration->endpoint` is set; `arguments`: minified JSON object. The result is one text; a JSON object is its
// structuredContent as well (MCP 2025-06-18, tools). Errors: those of EgressClient::fetch; upstream_refused and
// upstream_unavailable for a status beyond 2xx (the number alone is told), upstream_protocol for what is neither JSON nor
// text, config, breaker_open.
Task<Result<Reply>> post_to_endpoint(const Deps& deps, ToolPtr tool, std::string arguments, SteadyTime deadline,
                                     BegunPtr begun = {});

}  // namespace sallyport::upstream
