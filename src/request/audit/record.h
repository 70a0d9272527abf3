// One audit record: the superset of the guides' fields (ruling C10). A plain value that owns its bytes (a view into a
// parser's buffer would outlive it: design, section 6), built by the pipeline and written by an AuditWriter. Empty strings
// and absent optionals are left out of the line. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/decision.h"

namespace sallyport::audit {

enum class Kind : std::uint8_t { intent, outcome, refusal, event, count_ };

std::string_view kind_name(Kind kind) noexcept;

// Event classes of S0-15; free text is allowed, these are the ones of the product.
inline constexpr std::string_view kToolExecution = "tool_execution";
inline constexpr std::string_view kToolList = "tool_list";
inline constexpr std::string_view kAuthentication = "authentication";
inline constexpr std::string_view kAuthorization = "authorization";
inline constexpr std::string_view kToolOperation = "tool_operation";
inline constexpr std::string_view kSystem = "system";
inline constexpr std::string_view kSecurity = "security";
inline constexpr std::string_view kHttp = "http_request";

struct AuditRecord {
  Kind kind = Kind::event;
  WallTime time{};               // "timestamp" (ISO-8601 Z, microseconds) and "timestamp_epoch" (float seconds)
  std::string request_id;
  std::string event_type;        // S0-15, S0-16
  std::string principal;         // "user:<id>", "key:<id>", "local:<uid>"
  std::string user_id;           // S0-16: the person behind it, where there is one
  std::string credential_id;
  std::string auth_type;         // S1-27
  std::string session;           // hashed, never the id itself
  std::string server;
  std::string tool;              // written as "tool" and, with the server, "tool_id"
  std::string action;            // "call", "list", "login", ...
  std::string result;            // "success", "denied", "error", ...
  std::string stage;             // of the Decision
  std::string rule_id;
  std::string reason;
  std::string evidence;          // Decision::evidence or Error::detail
  std::string client_ip;         // written as "ip_address" and "client_ip" (S0-16, S1-27)
  std::string user_agent;
  std::string method;            // HTTP
  std::string path;
  std::string query_params;      // redacted: Redactor::query
  std::optional<int> status_code;
  std::optional<double> execution_time_s;  // upstream's part: S0-16 "execution_time"
  std::optional<double> process_time_s;    // the whole: S1-27 "process_time"
  std::optional<std::uint64_t> content_length;
  std::string protocol_version;
  std::string rpc_method;        // "tools/call"
  std::string arguments;         // redacted JSON: Redactor::json. Spliced as it is.
  std::string response;  // redacted JSON of what the caller was shown; where a policy asks for it (log_full)
  std::string arguments_digest;  // hex
  std::string result_digest;     // hex
  std::string data_key;          // of a sealed segment, in its first record (segment_seal.h)
  std::optional<std::uint64_t> result_bytes;

  // Takes stage, rule, reason and evidence of a Decision; `result` becomes "success" or "denied".
  void set(const Decision& decision);
};

}  // namespace sallyport::audit
