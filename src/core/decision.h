// What a deciding stage says: allowed or not, by which stage and rule, and why. The audit record is built from it. A
// default-made Decision denies, and an internal error inside a deciding stage is a denying Decision (fail closed).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class Stage : std::uint8_t {
  listener, http, address_admission, identity, mcp, authorization, principal_admission, validation, upstream,
  response_guard, audit, api, count_
};

std::string_view stage_name(Stage stage) noexcept;

// What a yes is bound to. A policy names them (docs/policy.md), the pipeline carries them out; one that cannot be is a no.
struct Obligations {
  std::vector<std::string> redact;  // names of members of the result, at any depth, whose values are not shown
  bool require_approval = false;    // people approve this very call first
  bool log_full = false;            // arguments and result stand in the audit
  std::optional<std::uint32_t> calls_per_minute;  // of this principal to this tool, beside every other limit; from 1
  friend bool operator==(const Obligations&, const Obligations&) = default;
};

struct Decision {
  bool allow = false;
  Stage stage = Stage::authorization;
  std::string rule_id;   // e.g. "rbac.no_grant", "policy.tool_access.deny"
  std::string reason;    // public reason code or sentence; no internals
  std::string evidence;  // log and audit only
  std::shared_ptr<const Obligations> obligations = {};  // of an allowed one; null: none

  static Decision allowed(Stage stage, std::string rule_id) { return {true, stage, std::move(rule_id), {}, {}, {}}; }
  static Decision denied(Stage stage, std::string rule_id, std::string reason, std::string evidence = {}) {
    return {false, stage, std::move(rule_id), std::move(reason), std::move(evidence), {}};
  }
};

}  // namespace sallyport
