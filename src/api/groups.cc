// Groups of people (S2-38): what they give, and to whom.
#include <algorithm>
#include <map>

#include "api/people.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

using Members = std::map<std::string_view, std::vector<std::string>>;  // names of users, by group

// Of all groups at one go: a list of many of them looks at each user once.
Members members_of(const Snapshot& snapshot) {
  Members out;
  for (const auto& [id, user] : snapshot.principals->users) {
    for (const std::string& group : user->groups) out[group].push_back(user->name);
  }
  for (auto& [group, names] : out) std::ranges::sort(names);
  return out;
}

std::string group_text(const Group& group, const Members& members) {
  const auto who = members.find(group.name);
  json::Writer w;
  w.object().member("name", group.name).member("description", group.description);
  write_texts(w, "roles", group.roles);
  write_scopes(w, group.permissions, group.grants, group.dotted);
  write_texts(w, "members", who == members.end() ? std::vector<std::string>() : who->second);
  w.member("created_at", iso_time(group.created_at)).end_object();
  return w.take();
}

const Group* find_group(const Call& call) {
  const auto& groups = call.request.snapshot->principals->groups;
  const auto found = groups.find(call.parts[0]);
  return found == groups.end() ? nullptr : found->second.get();
}

RestAnswer no_group(const Call& call) { return refuse(call, {Code::not_found, "no group " + call.parts[0]}); }

// `now`: with the members that it has after a change.
RestAnswer shown(const Snapshot& now, const Group& group, int status = 200) {
  RestAnswer answer;
  answer.status = status;
  answer.body = group_text(group, members_of(now));
  answer.reason = "group=" + group.name;
  return answer;
}

// `group`: as it is; what the body does not name stays.
Result<Group> read_group(const Call& call, Group group) {
  const json::Value body = call.root();
  if (body.find("description")) {
    SP_TRY(group.description, text_field(body, "description"));
  }
  if (body.find("roles")) {
    SP_TRY(group.roles, texts_field(body, "roles"));
    SP_CHECK(check_roles(call, group.roles));
  }
  if (body.find("scopes")) {
    SP_TRY(auto scopes, read_scopes(body));
    group.permissions = scopes.everywhere;
    group.grants = std::move(scopes.grants);
    group.dotted = std::move(scopes.dotted);
  }
  return group;
}

// A group and the state that it is in, taken together on the control executor.
struct Changed {
  Group group;
  SnapshotPtr now;
};

Task<Result<Changed>> with_state(control::ControlPlane& control, Task<Result<Group>> task) {
  SP_CO_TRY(Group group, co_await std::move(task));
  co_return Changed{std::move(group), control.snapshot()};
}

Task<RestAnswer> put(Call& call, Group before, bool fresh) {
  auto group = read_group(call, std::move(before));
  if (!group) co_return refuse(call, group.error());
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<Changed>(
      call, with_state(control, control.put_group(std::move(*group), fresh, call.request.principal)));
  if (!done) co_return refuse_gift(call, done.error());
  co_return shown(*done->now, done->group, fresh ? 201 : 200);
}

Task<Result<Changed>> set_member(Call& call, bool member) {
  auto& control = call.api.deps().control;
  return run_for_caller<Changed>(
      call, with_state(control, control.set_member(call.parts[0], call.parts[1], member, call.request.principal)));
}

// For the audit: the user by its id, where there is one.
std::string member_text(const Call& call) {
  const UserRecord* const user = find_user(*call.request.snapshot, call.parts[1]);
  return "group=" + call.parts[0] + " user=" + (user == nullptr ? call.parts[1] : user->id);
}

}  // namespace

Task<RestAnswer> list_groups(Call& call) {
  const Members members = members_of(*call.request.snapshot);
  std::vector<std::string> items;
  for (const auto& [name, group] : call.request.snapshot->principals->groups) {
    items.push_back(group_text(*group, members));
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> show_group(Call& call) {
  const Group* const group = find_group(call);
  co_return group == nullptr ? no_group(call) : shown(*call.request.snapshot, *group);
}

Task<RestAnswer> add_group(Call& call) {
  auto name = text_field(call.root(), "name");
  if (!name) co_return refuse(call, name.error());
  Group group;
  group.name = std::move(*name);
  co_return co_await put(call, std::move(group), true);
}

Task<RestAnswer> update_group(Call& call) {
  const Group* const group = find_group(call);
  if (group == nullptr) co_return no_group(call);
  co_return co_await put(call, *group, false);
}

Task<RestAnswer> remove_group(Call& call) {
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<void>(call, control.delete_group(call.parts[0], call.request.principal));
  if (!done) co_return refuse_gift(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = "group=" + call.parts[0];
  co_return answer;
}

Task<RestAnswer> join_group(Call& call) {
  const auto done = co_await set_member(call, true);
  if (!done) co_return refuse_gift(call, done.error());
  RestAnswer answer = shown(*done->now, done->group);
  answer.reason = member_text(call);
  co_return answer;
}

Task<RestAnswer> leave_group(Call& call) {
  const auto done = co_await set_member(call, false);
  if (!done) co_return refuse_gift(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = member_text(call);
  co_return answer;
}

}  // namespace sallyport::api
