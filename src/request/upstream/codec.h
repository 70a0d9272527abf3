// The legacy era (2024-11-05 to 2025-11-25) on the wire towards a tool server: envelopes of our own around checked
// text. The seam for 2026-07-28: another codec beside this one, chosen by the session's negotiated era. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "request/upstream/call.h"

namespace sallyport::upstream::legacy {

inline constexpr std::string_view kOfferedVersion = "2025-11-25";

// Whether an answered protocolVersion is one that we speak (MCP, Lifecycle).
bool speaks(std::string_view version);

// `id` is also the progress token, unique among the session's active requests (MCP, Progress). Hop keys in the `_meta`
// of call.params (progressToken, io.modelcontextprotocol/*) are dropped, third-party keys pass. Errors: invalid_params
// where params is no object or any part holds CR or LF (it would be a second message on a pipe: design, principle 4).
Result<std::string> request(std::uint64_t id, const Call& call);
Result<std::string> notification(std::string_view method, std::string_view params);
std::string initialize(std::uint64_t id);
std::string cancelled(std::uint64_t id, std::string_view reason);
// Our answer to a request of the server; `raw_id` as it came.
std::string answer(std::string_view raw_id, const Reply& reply);

// The result of initialize. Errors: upstream_protocol (a version that we do not speak, missing members).
Result<ServerInfo> read_initialize(std::string_view result);

}  // namespace sallyport::upstream::legacy
