// MCP 2026-07-28 on the wire towards a tool server: every request carries its version, its client and what that client
// can answer; a result says itself what it is. Envelopes of our own around checked text (mcp-spec.md, 2.4, 3, 4, 7, 8).
// Everything that a server says here is hostile. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "request/upstream/call.h"
#include "request/upstream/interest.h"

namespace sallyport::upstream::modern {

inline constexpr std::string_view kVersion = revision_name(kModern);

// JSON-RPC errors of 2026-07-28.
inline constexpr std::int64_t kHeaderMismatch = -32020;
inline constexpr std::int64_t kMissingCapability = -32021;
inline constexpr std::int64_t kUnsupportedVersion = -32022;

// Whether a result of `method` may ask for input (multi round-trip requests).
bool may_ask(std::string_view method) noexcept;

// The request with its `_meta`: version, clientInfo, clientCapabilities, logLevel, progressToken (our `id`), and the
// third-party keys of the client's `_meta`. A retry's inputResponses and requestState are spliced in; those of
// call.params itself are dropped. Errors: invalid_params (params or a part is not what it shall be, a line break, a
// retry of a method that cannot ask), method_not_found (ping, initialize, logging/setLevel, resources/(un)subscribe: gone
// in this revision).
Result<std::string> request(std::uint64_t id, const Call& call);
std::string discover(std::uint64_t id);
std::string listen(std::uint64_t id, const Interest& interest);

// Mcp-Method, Mcp-Name and Mcp-Param-* of the same request, from what we send (mcp-spec.md, 4: never a client's).
mcp_header::Headers headers(const Call& call);

// The result of server/discover. Errors: upstream_protocol (no such result, or one that does not offer kVersion).
Result<ServerInfo> read_discover(std::string_view result);

// Sorts a result by its resultType: absent or "complete" is the answer; "input_required" asks, where the method may and
// for what call.client_capabilities declares. Errors: upstream_protocol for anything else, "task" included.
Result<Reply> sort_result(const Call& call, std::string result);

// `code` of a raw JSON-RPC error object; 0 where there is none.
std::int64_t error_code(std::string_view error);
// data.supported of an error kUnsupportedVersion: does it name kVersion, and does it name a legacy revision?
struct Supported {
  bool modern = false, legacy = false;
};
std::optional<Supported> supported_versions(std::string_view error);

// A notification of a subscriptions/listen stream: whose it is, and its params without that mark.
std::optional<std::uint64_t> subscription_id(std::string_view params);
std::string without_subscription_id(std::string_view params);

}  // namespace sallyport::upstream::modern
