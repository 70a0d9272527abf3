// Roles of this gateway as they are written, and as they are in force: each with what it inherits. Pure functions over
// values; called when a role changes, so that a decision never walks the tree.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport::rbac {

inline constexpr std::size_t kRoleDepthMax = 16;     // of inheritance
inline constexpr std::size_t kRoleScopesMax = 1024;  // of a role, with what it inherits

// True for a built-in role that others may inherit: user, readonly, auditor. Not admin (give the role itself), and not
// agent (it takes away: execution over MCP only, ruling C6).
[[nodiscard]] bool may_be_inherited(std::string_view builtin) noexcept;

// `inherits` of each becomes all of its ancestors, each once. Code::validation: a circle, a role that is not there or may not be
// inherited; Code::limit: too deep, too many scopes.
Result<Roles> roles_in_force(const Roles& written);

}  // namespace sallyport::rbac
