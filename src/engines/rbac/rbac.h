// Roles and grants (rulings C6, C7): what a principal holds on one tool, through one door. Pure functions over values of
// the Snapshot; any thread, no allocation. Allowed only what a role, a permission or a grant names; globs are byte-wise
// and linear in time, so a look-alike letter never matches.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"

namespace sallyport::rbac {

// admin: all. user: read and execute. agent: nothing of its own; what its key was granted, executed over MCP only.
// readonly: tool:read. auditor: tool:read and audit:read.
const Roles& builtin_roles();

// The role in force: of `roles` first, else built in; null where there is none. `admin` is always the built-in one.
const Role* find_role(const Roles& roles, std::string_view name) noexcept;

bool has_role(const Principal& principal, std::string_view name) noexcept;

// Its roles and those that they inherit, each once. A role that does not exist is none: "no role: deny" (C20) must not be
// passed with an invented name.
std::vector<std::string_view> all_roles(const Principal& principal, const Roles& roles);

// What it holds everywhere: its own permissions and those of its roles, whatever the door; scoped grants left out.
PermissionSet effective(const Principal& principal, const Roles& roles) noexcept;

// What it holds on this tool through this door: as above, and the grants whose globs match. A grant to execute carries
// the right to read the same tools. An empty `server` or `tool` names the whole: only the glob "*" matches it.
PermissionSet effective_on(const Principal& principal, const Roles& roles, std::string_view server, std::string_view tool,
                           Channel channel) noexcept;

inline bool grants(const Principal& principal, const Roles& roles, Permission permission, std::string_view server,
                   std::string_view tool, Channel channel) noexcept {
  return effective_on(principal, roles, server, tool, channel).has(permission);
}

// Does it hold the permission on anything at all, scoped grants included? Not a decision: who does not is refused before
// any object is looked at.
bool holds_somewhere(const Principal& principal, const Roles& roles, Permission permission) noexcept;

// The first dotted permission of `required` that neither the principal nor its roles hold; empty where all are held.
// The role admin holds every one.
std::string_view missing_dotted(const Principal& principal, const Roles& roles,
                                std::span<const std::string> required) noexcept;

// `*` any bytes, `?` one byte, everything else itself.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;

}  // namespace sallyport::rbac
