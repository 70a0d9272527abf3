// Groups of people (S2-38): made, changed, joined, left, taken away. What a group gives its members hold from the next request on.
#include <algorithm>

#include "control/control_plane.h"
#include "control/gifts.h"
#include "control/names.h"
#include "engines/rbac/rights.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kGroupsMax = 10'000;
constexpr std::size_t kGroupsOfOneMax = 64;
constexpr std::size_t kDescriptionBytesMax = 1000;

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Result<void> check_group(const Group& group) {
  SP_CHECK(check_name(group.name, "a group name"));
  if (group.name.find_first_of(":@/,") != std::string::npos) {
    return fail(Code::validation, "a group name holds none of : @ / and comma");
  }
  if (group.description.size() > kDescriptionBytesMax) {
    return fail(Code::validation, "description must have at most 1000 bytes");
  }
  SP_CHECK(check_role_names(group.roles));
  const auto barred = std::ranges::find_if_not(group.roles, rbac::may_be_of_a_group);
  if (barred != group.roles.end()) {
    return fail(Code::validation, "the role " + *barred + " is not given by a group: give it to people by name");
  }
  return check_scope_count({group.permissions, group.grants, group.dotted});
}

std::size_t members_of(const Principals& all, const std::string& name) {
  return static_cast<std::size_t>(
      std::ranges::count_if(all.users, [&](const auto& one) { return has(one.second->groups, name); }));
}

const Group* find_group(const Principals& all, const std::string& name) {
  const auto group = all.groups.find(name);
  return group == all.groups.end() ? nullptr : group->second.get();
}

}  // namespace

Task<Result<void>> ControlPlane::publish_groups(std::shared_ptr<Principals> principals) {
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return co_await end_keys_beyond({});
}

Task<Result<Group>> ControlPlane::put_group(Group group, bool fresh, PrincipalPtr giver) {
  SP_CO_CHECK(check_group(group));
  const auto& groups = snapshot_->principals->groups;
  const Group* const before = find_group(*snapshot_->principals, group.name);
  if (fresh && before != nullptr) co_return fail(Code::already_exists, "group " + group.name + " is there");
  if (!fresh && before == nullptr) co_return fail(Code::not_found, "no group " + group.name);
  if (fresh && groups.size() >= kGroupsMax) co_return fail(Code::limit, "at most 10000 groups");
  if (before != nullptr) {
    SP_CO_CHECK(check_group_gift(*snapshot_, *giver, *before));
  }
  SP_CO_CHECK(check_group_gift(*snapshot_, *giver, group));
  group.created_at = before != nullptr ? before->created_at : deps_.clock.wall();
  SP_CO_CHECK(deps_.repository.put_group(group));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->groups[group.name] = std::make_shared<const Group>(group);
  SP_CO_CHECK(co_await publish_groups(std::move(principals)));
  co_return group;
}

Task<Result<void>> ControlPlane::delete_group(std::string name, PrincipalPtr giver) {
  const Group* const group = find_group(*snapshot_->principals, name);
  if (group == nullptr) co_return fail(Code::not_found, "no group " + name);
  SP_CO_CHECK(check_group_gift(*snapshot_, *giver, *group));
  if (const std::size_t members = members_of(*snapshot_->principals, name); members != 0) {
    co_return fail(Code::conflict,
                   "the group " + name + " has " + std::to_string(members) + " members: let them leave first");
  }
  SP_CO_CHECK(deps_.repository.delete_group(name));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->groups.erase(name);
  co_return co_await publish_groups(std::move(principals));
}

Task<Result<Group>> ControlPlane::set_member(std::string name, std::string who, bool member, PrincipalPtr giver) {
  const Group* const group = find_group(*snapshot_->principals, name);
  if (group == nullptr) co_return fail(Code::not_found, "no group " + name);
  const Group found = *group;
  SP_CO_TRY(const UserRecord* const before, user_for(who, giver));
  UserRecord user = *before;
  const bool is_member = has(user.groups, name);
  if (!member && !is_member) co_return fail(Code::not_found, user.name + " is not in the group " + name);
  if (member && !is_member) {
    if (user.groups.size() >= kGroupsOfOneMax) co_return fail(Code::limit, "nobody is in more than 64 groups");
    user.groups.push_back(name);
  }
  if (!member) std::erase(user.groups, name);
  SP_CO_CHECK(check_user_gift(*snapshot_, *giver, user));
  const std::string id = user.id;
  SP_CO_CHECK(co_await save(std::move(user)));
  SP_CO_CHECK(co_await end_keys_beyond(id));
  co_return found;
}

}  // namespace sallyport::control
