// What may change about people, and what must not: nobody is locked out by accident (S1-17).
#include <algorithm>
#include <array>

#include "control/control_plane.h"
#include "control/gifts.h"
#include "control/names.h"
#include "core/encoding.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kEmailBytesMax = 254;  // RFC 5321, 4.5.3.1.3 less the angle brackets
constexpr std::size_t kUserIdBytes = 16;
constexpr std::size_t kRolesMax = 64;  // engines/token issues none with more: such a user could not log in

bool has_admin(const std::vector<std::string>& roles) { return std::ranges::find(roles, "admin") != roles.end(); }

std::string new_id(Random& random) {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

// The last enabled one.
bool last_admin(const Snapshot& snapshot, const UserRecord& user) {
  if (!has_admin(user.roles) || !user.enabled) return false;
  const auto& users = snapshot.principals->users;
  return std::ranges::none_of(users, [&](const auto& entry) {
    return entry.first != user.id && entry.second->enabled && has_admin(entry.second->roles);
  });
}

void set_admin(std::vector<std::string>& roles, bool admin) {
  std::erase(roles, "admin");
  if (admin) roles.emplace_back("admin");
  if (roles.empty()) roles.emplace_back("user");
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

Result<void> check_scope_count(const KeyScopes& scopes) {
  if (scopes.grants.size() + scopes.dotted.size() <= kKeyScopesMax) return {};
  return fail(Code::validation, "scopes: at most 256 of them");
}

const UserRecord* find_user(const Snapshot& snapshot, const std::string& who) {
  const auto& principals = *snapshot.principals;
  const auto id = principals.user_ids.find(who);
  const auto user = principals.users.find(id == principals.user_ids.end() ? who : id->second);
  return user == principals.users.end() ? nullptr : user->second.get();
}

Result<const UserRecord*> ControlPlane::user_for(const std::string& who, const PrincipalPtr& giver) const {
  const UserRecord* const found = find_user(*snapshot_, who);
  if (found == nullptr) return fail(Code::not_found, "no user " + who);
  if (giver != nullptr) {
    SP_CHECK(check_user_gift(*snapshot_, *giver, *found));
  }
  return found;
}

Task<Result<void>> ControlPlane::save(UserRecord user) {
  SP_CO_CHECK(deps_.repository.put_user(user));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->user_ids[user.name] = user.id;
  const std::string id = user.id;  // the right side of an assignment is evaluated first
  principals->users[id] = std::make_shared<const UserRecord>(std::move(user));
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  co_return co_await publish(std::move(next));
}

Task<Result<UserRecord>> ControlPlane::create_user(NewUser user, PrincipalPtr giver) {
  SP_CO_CHECK(check_name(user.name, "a user name"));
  SP_CO_CHECK(check_user_name(user.name));
  SP_CO_CHECK(check_email(user.email));
  SP_CO_CHECK(check_role_names(user.roles));
  SP_CO_CHECK(check_scope_count(user.scopes));
  if (find_user(*snapshot_, user.name) != nullptr)
    co_return fail(Code::already_exists, "user " + user.name + " exists already");
  UserRecord record;
  record.id = new_id(deps_.random);
  record.name = std::move(user.name);
  record.email = std::move(user.email);
  record.password_hash = std::move(user.password_hash);
  record.roles = std::move(user.roles);
  record.permissions = user.scopes.everywhere;
  record.grants = std::move(user.scopes.grants);
  record.dotted = std::move(user.scopes.dotted);
  if (giver != nullptr) {
    SP_CO_CHECK(check_user_gift(*snapshot_, *giver, record));
  }
  record.must_change_password = user.must_change_password;
  record.created_at = deps_.clock.wall();
  record.password_set_at = record.created_at;
  SP_CO_CHECK(co_await save(record));
  co_return record;
}

Task<Result<UserRecord>> ControlPlane::set_user_enabled(std::string who, std::optional<bool> wanted,
                                                        PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  const bool enabled = wanted.value_or(!found->enabled);
  if (!enabled && giver != nullptr && giver->id == "user:" + found->id)
    co_return fail(Code::validation, "nobody disables themselves: ask another admin");
  if (!enabled && last_admin(*snapshot_, *found))
    co_return fail(Code::conflict, "the last enabled admin stays enabled");
  UserRecord user = *found;
  user.enabled = enabled;
  if (!enabled) user.tokens_valid_from = deps_.clock.wall();
  SP_CO_CHECK(co_await save(user));
  co_return user;
}

Task<Result<UserRecord>> ControlPlane::set_user_password(std::string who, std::string hash, bool must_change,
                                                         PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  UserRecord user = *found;
  put_password(user, std::move(hash), deps_.clock.wall());
  user.must_change_password = must_change;
  user.tokens_valid_from = deps_.clock.wall();
  SP_CO_CHECK(co_await save(user));
  co_return user;
}

Task<Result<UserRecord>> ControlPlane::update_user(std::string who, UserChange change, PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  UserRecord user = *found;
  if (change.roles) user.roles = std::move(*change.roles);
  if (change.admin) set_admin(user.roles, *change.admin);
  if (change.scopes) {
    SP_CO_CHECK(check_scope_count(*change.scopes));
    user.permissions = change.scopes->everywhere;
    user.grants = std::move(change.scopes->grants);
    user.dotted = std::move(change.scopes->dotted);
  }
  const bool rights = change.roles || change.admin || change.scopes;
  if (rights) {
    SP_CO_CHECK(check_role_names(user.roles));
    if (giver != nullptr) {
      SP_CO_CHECK(check_user_gift(*snapshot_, *giver, user));
    }
  }
  if (!has_admin(user.roles) && last_admin(*snapshot_, *found)) {
    co_return fail(Code::conflict, "the last enabled admin keeps the role: make another admin first");
  }
  if (change.email) {
    SP_CO_CHECK(check_email(*change.email));
    user.email = std::move(*change.email);
  }
  SP_CO_CHECK(co_await save(user));
  // At every change of rights, so that one that failed half-way is repeated.
  if (rights) {
    SP_CO_CHECK(co_await end_keys_beyond(user.id));
  }
  co_return user;
}

Task<Result<void>> ControlPlane::delete_user(std::string who, PrincipalPtr giver) {
  SP_CO_TRY(const UserRecord* const found, user_for(who, giver));
  if (giver != nullptr && giver->id == "user:" + found->id) {
    co_return fail(Code::validation, "nobody deletes themselves: ask another admin");
  }
  if (last_admin(*snapshot_, *found))
    co_return fail(Code::conflict, "the last enabled admin stays: make another admin first");
  const std::string id = found->id;
  const std::string name = found->name;
  SP_CO_CHECK(deps_.repository.delete_user(id));
  auto principals = std::make_shared<Principals>(*snapshot_->principals);
  principals->users.erase(id);
  principals->user_ids.erase(name);
  std::vector<std::string> gone{"user:" + id};
  std::erase_if(principals->keys, [&](const auto& entry) {
    if (entry.second->owner_user_id != id) return false;
    gone.push_back("key:" + entry.first);
    return true;
  });
  Snapshot next = *snapshot_;
  next.principals = std::move(principals);
  next.labels = labels_.without(gone);
  next.certificates = certificates_.without(gone);
  co_return co_await publish(std::move(next));
}

}  // namespace sallyport::control
