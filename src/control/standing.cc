#include "control/standing.h"

#include <algorithm>
#include <string>

#include "control/login_desk.h"
#include "engines/rbac/rights.h"
#include "engines/token/key_ring.h"

namespace sallyport::control {
namespace {

std::unexpected<Error> gone(const Principal& caller) {
  return fail(Code::unauthenticated, "caller.ended_meanwhile principal=" + caller.id + " session=" + caller.session_id);
}

bool session_stands(const Snapshot& newest, const Principal& caller, WallTime now) {
  if (caller.session_id.empty()) {  // a key itself, or a certificate
    LoginSession own;
    own.owner = caller.id;
    own.key_secret = caller.key_secret;
    own.created_at = now;
    return owner_lives(*newest.principals, own, now);
  }
  const LoginSessionPtr session = newest.sessions->find(caller.session_id);
  return session && session->owner == caller.id && owner_lives(*newest.principals, *session, now);
}

template <class T>
bool all_in(const std::vector<T>& before, const std::vector<T>& now) {
  return std::ranges::all_of(before, [&](const T& one) { return std::ranges::find(now, one) != now.end(); });
}

// All that the caller held when it asked, its groups' included.
bool keeps_all(const Snapshot& newest, const Principal& caller, const UserRecord& user) {
  Principal now;
  rbac::give_rights(now, user, *newest.principals);
  PermissionSet both = now.permissions;
  both.add(caller.permissions);
  return both == now.permissions && all_in(caller.roles, now.roles) && all_in(caller.grants, now.grants) &&
         all_in(caller.dotted, now.dotted);
}

}  // namespace

Result<void> still_stands(const Snapshot& newest, const Principal& caller, WallTime now) {
  if (caller.kind == PrincipalKind::local) return {};
  if (!session_stands(newest, caller, now)) return gone(caller);
  if (newest.principals->revoked_tokens.contains(caller.credential_id)) return gone(caller);
  if (newest.token_keys && newest.token_keys->revoked(caller.token_key_id)) return gone(caller);
  if (!caller.certificate_id.empty() && !newest.certificates->by_id.contains(caller.certificate_id))
    return gone(caller);
  if (caller.kind != PrincipalKind::user) return {};
  const auto user = newest.principals->users.find(std::string_view(caller.id).substr(5));
  if (user == newest.principals->users.end() || caller.issued_at < user->second->tokens_valid_from) return gone(caller);
  if (!keeps_all(newest, caller, *user->second)) return fail(Code::access_denied, "caller.role_taken_away_meanwhile");
  return {};
}

}  // namespace sallyport::control
