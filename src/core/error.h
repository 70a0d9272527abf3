// The closed table of everything that can go wrong: one code, one HTTP status, one JSON-RPC code, one metric label and
// one public text each. `Error::detail` is for the log and the audit only; a caller ever sees `public_text` and what a
// stage chose to say. Any thread; values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// Order is free; names are stable (they appear in logs, metrics and answers).
enum class Code : std::uint8_t {
  internal,
  parse_error,
  invalid_request,
  method_not_found,
  invalid_params,
  invalid_arguments,
  validation,
  unauthenticated,
  token_expired,
  access_denied,
  unknown_tool,
  not_found,
  method_not_allowed,
  not_acceptable,
  conflict,
  already_exists,
  gone,
  bad_host,
  bad_origin,
  bad_framing,
  body_too_large,
  head_too_large,
  target_too_long,
  unsupported_media,
  unsupported_version,
  session_unknown,
  session_missing,
  request_timeout,
  rate_limited,
  too_many_connections,
  cancelled,
  draining,
  upstream_unavailable,
  upstream_timeout,
  upstream_protocol,
  upstream_too_large,
  upstream_refused,
  breaker_open,
  egress_refused,
  output_invalid,
  audit_unavailable,
  storage,
  crypto,
  config,
  io,
  limit,
  password_change_required,
  tool_changed,
  precondition_failed,  // RFC 9110 13.1.1: If-Match does not name what is there
  header_mismatch,     // MCP 2026-07-28: a header does not say what the body says
  missing_capability,  // MCP 2026-07-28: the request needs what the client did not declare
  second_factor_required,    // a code is asked for: the second step of a login, or a step-up
  second_factor_enrollment,  // the role asks for a second factor and there is none yet
  tool_execution_failed,     // REST: the tool itself says that it failed
  approval_required,         // a policy wants people to approve the call first
  count_  // not a code
};

struct ErrorInfo {
  std::string_view name;         // stable identifier, also the metric label
  int http_status;               // for REST and for answers before a JSON-RPC id is known
  int jsonrpc_code;              // own codes lie outside -32768..-32000 (MCP 2026-07-28, errors)
  std::string_view public_text;  // one sentence for the caller
};

// The row of `code`. Never fails.
const ErrorInfo& info(Code code) noexcept;

struct Error {
  Code code = Code::internal;
  std::string detail;  // log and audit only: may hold names, paths, offsets; never a secret
};

}  // namespace sallyport
