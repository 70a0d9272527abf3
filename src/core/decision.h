// What a deciding stage says: allowed or not, by which stage and rule, and why. The audit record is built from it. A
// default-made Decision denies, and an internal error inside a deciding stage is a denying Decision (fail closed).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

enum class Stage : std::uint8_t {
  listener, http, address_admission, identity, mcp, authorization, principal_admission, validation, upstream,
  response_guard, audit, api, count_
};

std::string_view stage_name(Stage stage) noexcept;

struct Decision {
  bool allow = false;
  Stage stage = Stage::authorization;
  std::string rule_id;   // e.g. "rbac.no_grant", "policy.tool_access.deny"
  std::string reason;    // public reason code or sentence; no internals
  std::string evidence;  // log and audit only

  static Decision allowed(Stage stage, std::string rule_id) { return {true, stage, std::move(rule_id), {}, {}}; }
  static Decision denied(Stage stage, std::string rule_id, std::string reason, std::string evidence = {}) {
    return {false, stage, std::move(rule_id), std::move(reason), std::move(evidence)};
  }
};

}  // namespace sallyport
