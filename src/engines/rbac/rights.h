// What a person or a key may, as the principal that it becomes: one place, so that the door, the control plane and every
// view count the same. Of a user that is its own and what its groups give. Pure functions over values of the Snapshot; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"

namespace sallyport::rbac {

// Sets roles, permissions, grants, dotted and groups of `to`, its own first; nothing else of it. A group that is not there
// gives nothing, and none gives the roles admin and agent, whatever its record says.
void give_rights(Principal& to, const UserRecord& user, const Principals& all);

// A key without roles is an agent (ruling C6).
void give_rights(Principal& to, const KeyRecord& key);

// The roles of a user, its groups' included, each once, its own first.
std::vector<std::string> roles_of(const UserRecord& user, const Principals& all);

// May a group give that role?
[[nodiscard]] bool may_be_of_a_group(std::string_view role) noexcept;

}  // namespace sallyport::rbac
