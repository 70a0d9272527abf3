// The input document of the policies (issue 5): everything but the arguments, which travel apart so that their bytes
// cannot reach the principal's part. Internal to engines/decide.
#pragma once

#include <string>
#include <string_view>

#include "engines/decide/decide.h"
#include "engines/policy/policy.h"
#include "engines/rbac/held.h"

namespace sallyport::decide_internal {

bool is_tool_action(Permission action) noexcept;

// "execute", "read", ...; "admin" for what is no action on tools.
std::string_view action_name(Permission action) noexcept;

// Writes the document into `out`, which is cleared first: the members that `reads` has, and no other. `held`: what the
// principal holds on this tool; `roles`: of it, where they were resolved before.
void write_input(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held, const policy::Reads& reads,
                 std::string& out, const rbac::HeldRoles* roles = nullptr);

}  // namespace sallyport::decide_internal
