#include "core/error.h"

#include <array>

namespace sallyport {
namespace {

constexpr std::size_t kCodes = static_cast<std::size_t>(Code::count_);

struct Row {
  Code code;
  ErrorInfo info;
};

constexpr std::array<Row, kCodes> kTable{{
    {Code::internal, {"internal", 500, -32603, "Internal error"}},
    {Code::parse_error, {"parse_error", 400, -32700, "The body is not valid JSON"}},
    {Code::invalid_request, {"invalid_request", 400, -32600, "The request is not valid"}},
    {Code::method_not_found, {"method_not_found", 404, -32601, "Method not found"}},
    {Code::invalid_params, {"invalid_params", 400, -32602, "The parameters are not valid"}},
    {Code::invalid_arguments, {"invalid_arguments", 400, -32602, "The arguments do not fit the tool's schema"}},
    {Code::validation, {"validation_error", 400, -32602, "The request did not pass validation"}},
    {Code::unauthenticated, {"authentication_failed", 401, -31401, "Authentication is required"}},
    {Code::token_expired, {"token_expired", 401, -31401, "Invalid token"}},
    {Code::access_denied, {"authorization_failed", 403, -31403, "Access denied"}},
    {Code::unknown_tool, {"tool_not_found", 404, -32602, "Unknown tool"}},
    {Code::not_found, {"not_found", 404, -32602, "Not found"}},
    {Code::method_not_allowed, {"method_not_allowed", 405, -32600, "Method not allowed"}},
    {Code::not_acceptable,
     {"not_acceptable", 406, -32600, "The Accept header must list application/json and text/event-stream"}},
    {Code::conflict, {"conflict", 409, -31409, "The request conflicts with the present state"}},
    {Code::already_exists, {"already_exists", 409, -31409, "It exists already"}},
    {Code::gone, {"gone", 410, -31410, "It is gone"}},
    {Code::bad_host, {"bad_host", 403, -32600, "The Host header is not allowed"}},
    {Code::bad_origin, {"bad_origin", 403, -32600, "The Origin is not allowed"}},
    {Code::bad_framing, {"bad_framing", 400, -32600, "The HTTP request is malformed"}},
    {Code::body_too_large, {"body_too_large", 413, -32600, "The request body is too large"}},
    {Code::head_too_large, {"head_too_large", 431, -32600, "The request head is too large"}},
    {Code::target_too_long, {"target_too_long", 414, -32600, "The request target is too long"}},
    {Code::unsupported_media, {"unsupported_media", 415, -32600, "The Content-Type is not supported here"}},
    {Code::unsupported_version, {"unsupported_version", 400, -32022, "The protocol version is not supported"}},
    {Code::session_unknown, {"session_unknown", 404, -31404, "Session not found"}},
    {Code::session_missing, {"session_missing", 400, -32600, "The Mcp-Session-Id header is missing"}},
    {Code::request_timeout, {"request_timeout", 408, -31408, "The request took too long to arrive"}},
    {Code::rate_limited, {"rate_limited", 429, -31429, "Rate limit exceeded. Please try again later."}},
    {Code::too_many_connections, {"too_many_connections", 503, -31503, "Too many connections"}},
    {Code::cancelled, {"cancelled", 499, -31499, "The request was cancelled"}},
    {Code::draining, {"draining", 503, -31503, "The gateway is shutting down"}},
    {Code::upstream_unavailable, {"upstream_unavailable", 503, -31503, "The tool server is not available"}},
    {Code::upstream_timeout, {"upstream_timeout", 504, -31504, "The tool server did not answer in time"}},
    {Code::upstream_protocol, {"upstream_protocol", 502, -31502, "The tool server broke the protocol"}},
    {Code::upstream_too_large, {"upstream_too_large", 502, -31502, "The tool server's answer is too large"}},
    {Code::upstream_refused, {"upstream_refused", 502, -31502, "The tool server refused the request"}},
    {Code::breaker_open, {"breaker_open", 503, -31503, "The tool server failed repeatedly and is resting"}},
    {Code::egress_refused, {"egress_refused", 502, -31502, "The address of the tool server is not allowed"}},
    {Code::output_invalid, {"output_invalid", 502, -31502, "The tool server's answer does not fit its own schema"}},
    {Code::audit_unavailable, {"audit_unavailable", 503, -31503, "The audit cannot be written, so nothing is done"}},
    {Code::storage, {"storage", 503, -31503, "The store is not available"}},
    {Code::crypto, {"crypto", 500, -32603, "Internal error"}},
    {Code::config, {"config", 500, -32603, "Internal error"}},
    {Code::io, {"io", 500, -32603, "Internal error"}},
    {Code::limit, {"limit", 503, -31503, "A limit of the gateway is reached"}},
    {Code::password_change_required,
     {"password_change_required", 403, -31403, "The password must be changed before anything else"}},
    {Code::tool_changed, {"tool_changed", 409, -31409, "The tool's definition differs from the one that was approved"}},
    {Code::precondition_failed,
     {"precondition_failed", 412, -31412, "It is no longer as If-Match has it; read it again"}},
    {Code::header_mismatch, {"header_mismatch", 400, -32020, "A header does not say what the body says"}},
    {Code::missing_capability,
     {"missing_capability", 400, -32021, "The request needs a capability that the client did not declare"}},
    {Code::second_factor_required, {"second_factor_required", 401, -31401, "A code of the second factor is needed"}},
    {Code::second_factor_enrollment,
     {"second_factor_enrollment", 403, -31403, "A second factor must be set up before anything else"}},
    {Code::tool_execution_failed, {"tool_execution_failed", 500, -31500, "The tool says that it failed"}},
    {Code::approval_required, {"approval_required", 403, -31403, "The call waits for an approval"}},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  }
  return true;
}
static_assert(in_order(), "one row for each Code, in the order of the enum");

}  // namespace

const ErrorInfo& info(Code code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return kTable[index < kTable.size() ? index : 0].info;
}

}  // namespace sallyport
