// All that the answers to lists can depend on beside roles, catalogue and policies: rights, door, and what the rules may read
// of the caller. Internal to engines/decide.
#pragma once

#include <string>

#include "engines/decide/caller.h"
#include "engines/decide/decide.h"
#include "engines/policy/reads.h"

namespace sallyport::decide_internal {

// `request` names no tool and no server; `caller`: resolved for its principal. Two texts are the same only where all that stands in them is.
std::string list_key(const Snapshot& snapshot, const AccessRequest& request, const policy::Reads& reads,
                     Caller& caller);

}  // namespace sallyport::decide_internal
