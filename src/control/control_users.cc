// What may change about people, and what must not: nobody is locked out by accident (S1-17).
#include <algorithm>

#include "control/control_plane.h"
#include "control/gifts.h"

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

Result<const UserRecord*> ControlPlane::user_for(const std::string& who, const PrincipalPtr& giver) const {
  const UserRecord* const found = find_user(who);
  if (found == nullptr) return fail(Code::not_found, "no user " + who);
  if (giver != nullptr) {
    SP_CHECK(check_user_gift(*snapshot_, *giver, *found));
  }
  return found;
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
  if (!has_admin(user.roles) && last_admin(*found)) {
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
  if (last_admin(*found)) co_return fail(Code::conflict, "the last enabled admin stays: make another admin first");
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
