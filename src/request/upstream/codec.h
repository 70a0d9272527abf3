// The legacy era (2024-11-05 to 2025-11-25) on the wire towards a tool server: envelopes of our own around checked
// text. modern.h is the codec of 2026-07-28. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "request/upstream/call.h"

namespace sallyport::upstream::legacy {

inline constexpr std::string_view kOfferedVersion = "2025-11-25";

// `id` is also the progress token, unique among the session's active requests (MCP, Progress). Hop keys in the `_meta`
// of call.params (progressToken, io.modelcontextprotocol/*) are dropped, third-party keys pass. Errors: invalid_params
// where params is no object or any part holds CR or LF (it would be a second message on a pipe: design, principle 4).
Result<std::string> request(std::uint64_t id, const Call& call);
Result<std::string> notification(std::string_view method, std::string_view params);
// `forwards` of the server's record: what it may ask of the client behind a call, and so what is declared.
std::string initialize(std::uint64_t id, const std::vector<std::string>& forwards);
std::string cancelled(std::uint64_t id, std::string_view reason);
// Our answer to a request of the server; `raw_id` as it came.
std::string answer(std::string_view raw_id, const Reply& reply);

// The result of initialize. Errors: upstream_protocol (a version that we do not speak, missing members).
Result<ServerInfo> read_initialize(std::string_view result);

}  // namespace sallyport::upstream::legacy
