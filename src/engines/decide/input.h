// The input document of the policies (issue 5): everything but the arguments, which travel apart so that their bytes
// cannot reach the principal's part. Internal to engines/decide.
#pragma once

#include <string>
#include <string_view>

#include "engines/decide/caller.h"
#include "engines/decide/decide.h"
#include "engines/policy/policy.h"

namespace sallyport::decide_internal {

bool is_tool_action(Permission action) noexcept;

// "execute", "read", ...; "admin" for what is no action on tools.
std::string_view action_name(Permission action) noexcept;

// Writes the document into `out`, which is cleared first: the members that `reads` has, and no other. `held`: what the
// principal holds on this tool; `caller`: resolved for it, or null.
void write_input(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held, const policy::Reads& reads,
                 std::string& out, Caller* caller = nullptr);

// Calls fn(name) for each label that calls have left with the caller and that has not run out, sorted by name.
template <class Fn>
void each_label(const Snapshot& snapshot, const AccessRequest& request, Fn&& fn) {
  const auto found = snapshot.labels->find(request.principal.id);
  if (found == snapshot.labels->end() || !found->second) return;
  for (const auto& [name, label] : *found->second) {
    if (label.until > request.now) fn(name);
  }
}

}  // namespace sallyport::decide_internal
