// How much may be given, and who may be managed: nobody gives what they do not hold, nor changes, locks out or ends whoever
// holds more than they do (S1-2, S4-4). A scoped grant is covered by the permission on everything, or by a grant whose globs
// are as wide; what an agent executes over MCP only (C6) covers no execution through other doors. A policy may go by
// names: so a role of this gateway is given by who has it, and a group, where a rule in force reads groups, by who is in it, or by
// holders of system:admin. Pure functions, any thread.
// Every error is Code::access_denied naming the first thing that is missing, but for those that are named.
#pragma once

#include <string_view>

#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport::control {

// The giver, and the owner of the key, hold all that the key may. Code::not_found: no such owner.
Result<void> check_gift(const Snapshot& snapshot, const Principal& giver, const KeyRecord& key);
// The half of check_gift about the owner.
Result<void> check_owner(const Snapshot& snapshot, const KeyRecord& key);
// The role as it would be in force.
Result<void> check_role_gift(const Snapshot& snapshot, const Principal& giver, const Role& role);
Result<void> check_group_gift(const Snapshot& snapshot, const Principal& giver, const Group& group);
// All that the user holds, by way of groups too.
Result<void> check_user_gift(const Snapshot& snapshot, const Principal& giver, const UserRecord& user);
// Of the user or key behind a principal id ("user:...", "key:..."): whoever ends its sessions or resets its second factor
// holds all that it may. Nothing to say of one that is not there.
Result<void> check_over(const Snapshot& snapshot, const Principal& caller, std::string_view principal_id);

}  // namespace sallyport::control
