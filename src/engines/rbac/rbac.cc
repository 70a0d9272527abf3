#include "engines/rbac/rbac.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

#include "engines/rbac/held.h"

namespace sallyport::rbac {
namespace {

constexpr std::string_view kAdmin = "admin";
constexpr std::string_view kAgent = "agent";

bool matches(const Grant& grant, std::string_view server, std::string_view tool) noexcept {
  const bool server_fits = server.empty() ? grant.server == "*" : glob_match(grant.server, server);
  return server_fits && (tool.empty() ? grant.tool == "*" : glob_match(grant.tool, tool));
}

// The permissions of the grants that fit. To execute a tool implies to read it: else it would be callable, not listed.
PermissionSet scoped(const std::vector<Grant>& list, std::string_view server, std::string_view tool) noexcept {
  PermissionSet set;
  for (const Grant& grant : list) {
    if (!matches(grant, server, tool)) continue;
    set.add(grant.permission);
    if (grant.permission == Permission::tool_execute) set.add(Permission::tool_read);
  }
  return set;
}

bool any_grants(const std::vector<Grant>& list, Permission permission) noexcept {
  return std::ranges::any_of(list, [&](const Grant& grant) {
    return grant.permission == permission ||
           (permission == Permission::tool_read && grant.permission == Permission::tool_execute);
  });
}

PermissionSet without_execute(PermissionSet set) noexcept {
  return PermissionSet::from_bits(set.bits() & ~PermissionSet{Permission::tool_execute}.bits());
}

bool holds(const std::vector<std::string>& list, std::string_view name) noexcept {
  return std::ranges::any_of(list, [&](const std::string& have) { return have == name; });
}

bool holds_dotted(const Principal& principal, const Roles& roles, std::string_view name) noexcept {
  if (holds(principal.dotted, name)) return true;
  return std::ranges::any_of(principal.roles, [&](const std::string& role_name) {
    const Role* role = find_role(roles, role_name);
    return role != nullptr && holds(role->dotted, name);
  });
}

}  // namespace

const Roles& builtin_roles() {
  using enum Permission;
  static const Roles kRoles{
      {"admin", {"admin", PermissionSet::all(), {}, {}}},
      {"user", {"user", {tool_read, tool_execute}, {}, {}}},
      {"agent", {"agent", {}, {}, {}}},
      {"readonly", {"readonly", {tool_read}, {}, {}}},
      {"auditor", {"auditor", {tool_read, audit_read}, {}, {}}},
  };
  return kRoles;
}

const Role* find_role(const Roles& roles, std::string_view name) noexcept {
  const Roles& builtin = builtin_roles();
  if (name != kAdmin) {
    if (const auto own = roles.find(name); own != roles.end()) return &own->second;
  }
  const auto it = builtin.find(name);
  return it == builtin.end() ? nullptr : &it->second;
}

bool has_role(const Principal& principal, std::string_view name) noexcept { return holds(principal.roles, name); }

std::vector<std::string_view> all_roles(const Principal& principal, const Roles& roles) {
  constexpr std::size_t kFew = 32;  // beyond it looking through `out` costs more than a set
  std::vector<std::string_view> out;
  std::unordered_set<std::string_view> seen;
  const auto is_new = [&](std::string_view name) {
    if (out.size() < kFew) return std::ranges::find(out, name) == out.end();
    if (seen.empty()) seen.insert(out.begin(), out.end());
    return seen.insert(name).second;
  };
  const auto add = [&](std::string_view name) {
    if (is_new(name)) out.push_back(name);
  };
  for (const std::string& name : principal.roles) {
    const Role* const role = find_role(roles, name);
    if (role == nullptr) continue;
    add(role->name);
    for (const std::string& above : role->inherits) add(above);
  }
  return out;
}

PermissionSet effective(const Principal& principal, const Roles& roles) noexcept {
  PermissionSet set = principal.permissions;
  for (const std::string& name : principal.roles) {
    if (const Role* role = find_role(roles, name)) set.add(role->permissions);
  }
  return set;
}

namespace {

// What of its own the principal holds on this tool, and what a role gives: what an agent was granted it executes over MCP
// only (C6); what its other roles give is not the agent's.
PermissionSet given(PermissionSet permissions, const std::vector<Grant>& grants, std::string_view server,
                    std::string_view tool, bool executes) noexcept {
  permissions.add(scoped(grants, server, tool));
  return executes ? permissions : without_execute(permissions);
}

void add_to(HeldRoles::Given& to, const Role& role,
            std::set<std::tuple<Permission, std::string_view, std::string_view>>& known) {
  to.permissions.add(role.permissions);
  for (const Grant& grant : role.grants) {
    if (known.emplace(grant.permission, grant.server, grant.tool).second) to.grants.push_back(grant);
  }
}

}  // namespace

PermissionSet effective_on(const Principal& principal, const Roles& roles, std::string_view server,
                           std::string_view tool, Channel channel) noexcept {
  const bool over_mcp = channel == Channel::mcp;
  PermissionSet set =
      given(principal.permissions, principal.grants, server, tool, over_mcp || !has_role(principal, kAgent));
  for (const std::string& name : principal.roles) {
    const Role* role = find_role(roles, name);
    if (role != nullptr) set.add(given(role->permissions, role->grants, server, tool, over_mcp || name != kAgent));
  }
  return set;
}

PermissionSet effective_on(const Principal& principal, const HeldRoles& held, std::string_view server,
                           std::string_view tool, Channel channel) noexcept {
  const bool over_mcp = channel == Channel::mcp;
  PermissionSet set =
      given(principal.permissions, principal.grants, server, tool, over_mcp || !has_role(principal, kAgent));
  set.add(given(held.others().permissions, held.others().grants, server, tool, true));
  set.add(given(held.agent().permissions, held.agent().grants, server, tool, over_mcp));
  return set;
}

bool HeldRoles::resolve(const std::shared_ptr<const Roles>& roles, const Principal& principal) {
  if (roles_ == roles && roles_ && names_ == principal.roles) return false;
  roles_ = nullptr;  // nothing is resolved where what follows throws
  names_ = principal.roles;
  agent_ = others_ = {};
  std::set<std::tuple<Permission, std::string_view, std::string_view>> of_agent, of_others;
  for (const std::string& name : names_) {
    const Role* const role = find_role(*roles, name);
    if (role == nullptr) continue;
    if (name == kAgent) add_to(agent_, *role, of_agent);
    else add_to(others_, *role, of_others);
  }
  all_ = all_roles(principal, *roles);
  roles_ = roles;
  return true;
}

bool holds_somewhere(const Principal& principal, const Roles& roles, Permission permission) noexcept {
  if (effective(principal, roles).has(permission) || any_grants(principal.grants, permission)) return true;
  return std::ranges::any_of(principal.roles, [&](const std::string& name) {
    const Role* role = find_role(roles, name);
    return role != nullptr && any_grants(role->grants, permission);
  });
}

std::string_view missing_dotted(const Principal& principal, const Roles& roles,
                                std::span<const std::string> required) noexcept {
  if (required.empty() || has_role(principal, kAdmin)) return {};
  for (const std::string& name : required) {
    if (!holds_dotted(principal, roles, name)) return name;
  }
  return {};
}

// Greedy with one point of return: a later `*` makes an earlier one irrelevant, so the cost is at most pattern x text.
bool glob_match(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace sallyport::rbac
