#include <algorithm>
#include <array>

#include "api/people.h"

namespace sallyport::api {

void write_texts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
  w.key(key).array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
}

std::string actor_user(const Call& call) {
  return call.principal().kind == PrincipalKind::user ? call.principal().id.substr(5) : "";
}

const UserRecord* find_user(const Snapshot& snapshot, const std::string& who) {
  const auto& principals = *snapshot.principals;
  const auto id = principals.user_ids.find(who);
  const auto user = principals.users.find(id == principals.user_ids.end() ? who : id->second);
  return user == principals.users.end() ? nullptr : user->second.get();
}

std::string audit_text(std::string_view kind, std::string_view id, const std::vector<std::string>& roles) {
  std::string out = std::string(kind) + "=" + std::string(id) + " roles=";
  for (const auto& role : roles) out += (&role == &roles.front() ? "" : ",") + role;
  return out;
}

Result<void> check_roles(const Call& call, const std::vector<std::string>& roles) {
  constexpr std::array<std::string_view, 5> kBuiltIn{"admin", "user", "agent", "readonly", "auditor"};
  for (const auto& role : roles) {
    if (std::ranges::find(kBuiltIn, role) == kBuiltIn.end() && !call.request.snapshot->roles->contains(role)) {
      return fail(Code::validation,
                  "no role \"" + role + "\"; the built-in ones are admin, user, agent, readonly, auditor");
    }
  }
  return {};
}

}  // namespace sallyport::api
