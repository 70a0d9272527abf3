// People's yes or no to one call, which a policy asked for (Obligations::require_approval; docs/policy.md, "Approval"):
// what the pipeline, the control plane and REST hand to each other. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sallyport {

enum class ApprovalState : std::uint8_t { pending, approved, denied, expired, cancelled, used, count_ };

inline constexpr std::array<std::string_view, static_cast<std::size_t>(ApprovalState::count_)> kApprovalStates{
    "pending", "approved", "denied", "expired", "cancelled", "used"};

inline std::string_view name_of(ApprovalState state) noexcept {
  return kApprovalStates[static_cast<std::size_t>(state)];
}

struct Approval {
  std::string id;  // 24 hex digits
  std::string digest;  // the one call that it is for: SHA-256 of principal, tool with its definition (or server and
      // method), where the call goes, arguments; hex
  std::string principal;  // Principal::id of the caller
  std::string principal_name;  // for people
  std::string person;  // whose call it is: person_of() the caller
  std::string server, tool;  // tool: of what is no tool its method
  std::string tool_digest;  // of the definition that was approved when the call came; empty: no tool
  std::string arguments;  // minified, exact
  std::string rule_id;  // of the decision
  std::string request_id;
  ApprovalState state = ApprovalState::pending;
  WallTime created_at{};
  // pending: nobody decides after it; approved: no call after it; denied: a new one may be asked for
  WallTime expires_at{};
  WallTime decided_at{};
  std::string decided_by;  // Principal::id
  std::string reason;  // of who decided
  std::uint32_t rounds = 0;  // used: how often the one call was begun or gone on with (MCP 2026-07-28, multi-round)
  friend bool operator==(const Approval&, const Approval&) = default;
};

// A call that needs one: `call` has its digest and what people are shown. With an `id` it goes on with the call that this
// approval was used for, in its round `round`.
struct ApprovalClaim {
  Approval call;
  std::string id = {};
  std::uint32_t round = 0;
};

}  // namespace sallyport
