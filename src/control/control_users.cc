// What may change about people, and what must not: nobody is locked out by accident (S1-17).
#include <algorithm>

#include "control/control_plane.h"
#include "control/key_changes.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kEmailBytesMax = 254;  // RFC 5321, 4.5.3.1.3 less the angle brackets
constexpr std::size_t kUserIdBytes = 16;
constexpr std::size_t kRolesMax = 64;  // engines/token issues none with more: such a user could not log in

bool has_admin(const std::vector<std::string>& roles) { return std::ranges::find(roles, "admin") != roles.end(); }

void set_admin(std::vector<std::string>& roles, bool admin) {
  std::erase(roles, "admin");
  if (admin) roles.emplace_back("admin");
  if (roles.empty()) roles.emplace_back("user");
}

// Keys that may more than their owner still may: they would give a demoted admin the role back.
std::vector<std::string> keys_beyond(const Snapshot& snapshot, std::string_view owner_user_id) {
  std::vector<std::string> ids;
  for (const auto& [id, key] : snapshot.principals->keys) {
    if (key->owner_user_id == owner_user_id && key->enabled && !check_owner(snapshot, *key)) ids.push_back(id);
  }
  return ids;
}

}  // namespace

// S4-7, wider: one "@", something before it, a dotted name after it, no spaces or control characters.
Result<void> check_email(std::string_view email) {
  if (email.empty()) return {};
  const auto at = email.find('@');
  const auto domain = email.substr(std::min(at, email.size() - 1) + 1);
  const auto bad = [](unsigned char c) {
    return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == ',' || c == '"';
  };
  const bool good = email.size() <= kEmailBytesMax && at != std::string_view::npos && at > 0 &&
                    domain.find('@') == std::string_view::npos && domain.find('.') != std::string_view::npos &&
                    !domain.starts_with('.') && !domain.ends_with('.') && std::ranges::none_of(email, bad);
  if (!good) return fail(Code::validation, "Invalid email format");
  return {};
}

// A name that looks like an id, or like the name of a principal, could stand for another user where both are accepted.
Result<void> check_user_name(std::string_view name) {
  if (name.contains(':'))
    return fail(Code::validation, "a user name must not hold a colon: user:... is how evidence names a user");
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (name.size() != kUserIdBytes || !std::ranges::all_of(name, hex)) return {};
  return fail(Code::validation, "a user name must not look like an id (16 hexadecimal digits)");
}

Result<void> check_role_names(const std::vector<std::string>& roles) {
  if (roles.size() > kRolesMax) return fail(Code::validation, "roles: at most 64");
  auto sorted = roles;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) == sorted.end()) return {};
  return fail(Code::validation, "roles: each once");
}

Task<Result<UserRecord>> ControlPlane::update_user(std::string who, UserChange change) {
  const UserRecord* const found = find_user(who);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + who);
  UserRecord user = *found;
  if (change.roles) user.roles = std::move(*change.roles);
  if (change.admin) set_admin(user.roles, *change.admin);
  if (change.roles || change.admin) SP_CO_CHECK(check_role_names(user.roles));
  if (!has_admin(user.roles) && last_admin(*found)) {
    co_return fail(Code::conflict, "the last enabled admin keeps the role: make another admin first");
  }
  if (change.email) {
    SP_CO_CHECK(check_email(*change.email));
    user.email = std::move(*change.email);
  }
  SP_CO_CHECK(co_await save(user));
  if (!change.roles && !change.admin) co_return user;
  // At every change of roles, so that one that failed half-way is repeated.
  for (const std::string& id : keys_beyond(*snapshot_, user.id)) SP_CO_CHECK(co_await set_key_enabled(id, false));
  co_return user;
}

Task<Result<void>> ControlPlane::delete_user(std::string who, std::string actor_user_id) {
  const UserRecord* const found = find_user(who);
  if (found == nullptr) co_return fail(Code::not_found, "no user " + who);
  if (found->id == actor_user_id) co_return fail(Code::validation, "nobody deletes themselves: ask another admin");
  if (last_admin(*found)) co_return fail(Code::conflict, "the last enabled admin stays: make another admin first");
  const std::string id = found->id;
  const std::string name = found->name;
  SP_CO_CHECK(deps_.repository.delete_user(id));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->users.erase(id);
  principals->user_ids.erase(name);
  std::erase_if(principals->keys, [&](const auto& entry) { return entry.second->owner_user_id == id; });
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  co_return co_await publish(std::move(next));
}

}  // namespace sallyport::control
