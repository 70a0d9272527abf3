#include "engines/rbac/sources.h"

#include <algorithm>

#include "engines/rbac/rbac.h"
#include "engines/rbac/rights.h"

namespace sallyport::rbac {
namespace {

// What is asked for.
struct Wanted {
  Permission permission;
  std::string_view server, tool;
  Channel channel;
};

bool fits(const Grant& grant, const Wanted& wanted) {
  const bool gives = grant.permission == wanted.permission ||
                     (grant.permission == Permission::tool_execute && wanted.permission == Permission::tool_read);
  const auto names = [](const std::string& glob, std::string_view text) {
    return text.empty() ? glob == "*" : glob_match(glob, text);
  };
  return gives && names(grant.server, wanted.server) && names(grant.tool, wanted.tool);
}

class Finder {
 public:
  Finder(const Snapshot& snapshot, const Principal& principal, const Wanted& wanted)
      : snapshot_(snapshot), wanted_(wanted), agent_(has_role(principal, "agent")) {}

  // Of somebody without roles: `holder` has permissions and grants.
  template <class Holder>
  void rights(const Holder& holder, bool only_over_mcp, Source source) {
    if (only_over_mcp && wanted_.permission == Permission::tool_execute && wanted_.channel != Channel::mcp) return;
    if (holder.permissions.has(wanted_.permission)) add(source, std::string(name_of(wanted_.permission)));
    for (const Grant& grant : holder.grants) {
      if (fits(grant, wanted_)) add(source, to_string(grant));
    }
  }

  void role(const std::string& name, const std::string& group) {
    const Role* const role = find_role(*snapshot_.roles, name);
    if (role == nullptr) return;
    const bool agent = name == "agent";
    rights(as_written(*role), agent, Source{name, {}, group, {}});
    for (const std::string& above : role->inherits) {
      if (const Role* const parent = find_role(*snapshot_.roles, above)) {
        rights(as_written(*parent), agent, Source{name, above, group, {}});
      }
    }
  }

  void own(const auto& holder) {
    for (const std::string& name : holder.roles) role(name, {});
    rights(holder, agent_, {});
  }

  void group(const Group& group) {
    for (const std::string& name : group.roles) {
      if (may_be_of_a_group(name)) role(name, group.name);
    }
    rights(group, agent_, Source{{}, {}, group.name, {}});
  }

  std::vector<Source> found;

 private:
  // Without what it inherits.
  [[nodiscard]] const Role& as_written(const Role& role) const {
    const auto own = snapshot_.written_roles->find(role.name);
    return own == snapshot_.written_roles->end() ? role : own->second;
  }

  void add(Source source, std::string right) {
    source.right = std::move(right);
    if (std::ranges::find(found, source) == found.end()) found.push_back(std::move(source));
  }

  const Snapshot& snapshot_;
  Wanted wanted_;
  bool agent_;
};

}  // namespace

std::vector<Source> sources_of(const Snapshot& snapshot, const Principal& principal, Permission permission,
                               std::string_view server, std::string_view tool, Channel channel) {
  Finder finder(snapshot, principal, {permission, server, tool, channel});
  const Principals& all = *snapshot.principals;
  const auto user =
      principal.id.starts_with("user:") ? all.users.find(std::string_view(principal.id).substr(5)) : all.users.end();
  if (user == all.users.end()) {
    finder.own(principal);
    return std::move(finder.found);
  }
  finder.own(*user->second);
  for (const std::string& name : user->second->groups) {
    const auto group = all.groups.find(name);
    if (group != all.groups.end()) finder.group(*group->second);
  }
  return std::move(finder.found);
}

std::string to_text(const Source& source) {
  std::string text = source.right;
  if (!source.role.empty()) text += " by role " + source.role;
  if (!source.from.empty()) text += " (from " + source.from + ")";
  if (!source.group.empty()) text += " of group " + source.group;
  else if (source.role.empty()) text += " of its own";
  return text;
}

}  // namespace sallyport::rbac
