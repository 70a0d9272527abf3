// Login sessions (S2-3, S3-23): who is logged in, and the end of it; logging out is the end of one's own. What ends here
// is ended on every worker when the answer goes out (design, principle 3).
#include <algorithm>

#include "api/people.h"
#include "api/standing.h"
#include "engines/rbac/rbac.h"

namespace sallyport::api {
namespace {

std::string name_of(const Snapshot& snapshot, const LoginSession& session) {
  const auto id = std::string_view(session.owner).substr(session.owner.find(':') + 1);
  if (session.owner.starts_with("key:")) {
    const auto key = snapshot.principals->keys.find(id);
    return key == snapshot.principals->keys.end() ? "" : key->second->name;
  }
  const auto user = snapshot.principals->users.find(id);
  return user == snapshot.principals->users.end() ? "" : user->second->name;
}

std::string shown(const Call& call, const LoginSession& session) {
  json::Writer w;
  w.object().member("id", session.id).member("owner", session.owner);
  w.member("name", name_of(*call.request.snapshot, session)).member("created_at", iso_time(session.created_at));
  w.member("last_used_at", iso_time(session.last_used())).member("expires_at", iso_time(session.expires_at));
  w.member("address", session.client.address).member("user_agent", session.client.user_agent);
  w.member("current", session.id == call.principal().session_id).end_object();
  return w.take();
}

// Newest first; those that are over and not yet swept away are left out. `owner`: empty for all.
Task<RestAnswer> list_of(const Call& call, std::string owner) {
  const LoginSessions& sessions = *call.request.snapshot->sessions;
  std::vector<const LoginSession*> found;
  for (const auto& [id, session] : sessions.by_id) {
    const bool good = !sessions.over(*session, call.request.now) &&
                      control::owner_lives(*call.request.snapshot->principals, *session, call.request.now);
    if (good && (owner.empty() || session->owner == owner)) found.push_back(session.get());
  }
  std::ranges::sort(found, std::ranges::greater(), [](const auto* one) { return std::pair(one->created_at, one->id); });
  std::vector<std::string> items;
  for (const LoginSession* session : found) items.push_back(shown(call, *session));
  co_return co_await list(call, items);
}

// "user:<id>" of a user's name or id; nothing for neither.
std::optional<std::string> user_called(const Call& call, const std::string& who) {
  const Principals& principals = *call.request.snapshot->principals;
  const auto id = principals.user_ids.find(who);
  const std::string found = id == principals.user_ids.end() ? who : id->second;
  return principals.users.contains(found) ? std::optional("user:" + found) : std::nullopt;
}

// `owner`: whose they are.
Task<RestAnswer> end_these(Call& call, std::string owner, Task<Result<std::size_t>> ending, std::string action,
                           std::string reason) {
  auto ended = co_await run_over<std::size_t>(call, std::move(owner), std::move(ending));
  RestAnswer answer = ended ? no_content() : refuse_gift(call, ended.error());
  answer.action = std::move(action);
  if (ended) answer.reason = std::move(reason);
  co_return answer;
}

Task<RestAnswer> end_one(Call& call, std::string action) {
  auto& logins = call.api.deps().control.logins();
  const LoginSessionPtr session = call.request.snapshot->sessions->find(call.parts[0]);
  if (session == nullptr) co_return refuse(call, {Code::not_found, "no session " + call.parts[0]});
  co_return co_await end_these(call, session->owner, logins.end({session->id}), std::move(action),
                               session->owner + " session=" + session->id);
}

}  // namespace

Task<RestAnswer> logout(Call& call) {
  const Principal& principal = call.principal();
  if (principal.session_id.empty()) {
    co_return refuse(call, {Code::conflict, "only a login can be ended; revoke a key instead"});
  }
  auto& logins = call.api.deps().control.logins();
  co_return co_await end_these(call, principal.id, logins.end({principal.session_id}), "logout",
                               "session=" + principal.session_id);
}

Task<RestAnswer> logout_all(Call& call) {
  if (call.principal().kind == PrincipalKind::local) {
    co_return refuse(call, {Code::conflict, "the local administrator has no login; end those of a user instead"});
  }
  auto& logins = call.api.deps().control.logins();
  co_return co_await end_these(call, call.principal().id, logins.end_all_of(call.principal().id), "logout_all",
                               call.principal().id);
}

Task<RestAnswer> list_own_sessions(Call& call) { co_return co_await list_of(call, call.principal().id); }

// Another's is as unknown as one that never was.
Task<RestAnswer> end_own_session(Call& call) {
  const LoginSessionPtr session = call.request.snapshot->sessions->find(call.parts[0]);
  if (session != nullptr && session->owner == call.principal().id) co_return co_await end_one(call, "end_session");
  co_return refuse(call, {Code::not_found, "no session " + call.parts[0]});
}

Task<RestAnswer> list_sessions(Call& call) {
  const auto who = query_value(call.request.query, "user");
  if (!who) co_return co_await list_of(call, "");
  const auto owner = user_called(call, *who);
  if (!owner) co_return refuse(call, {Code::not_found, "no user " + *who});
  co_return co_await list_of(call, *owner);
}

Task<RestAnswer> end_session(Call& call) { co_return co_await end_one(call, "end_session"); }

Task<RestAnswer> end_user_sessions(Call& call) {
  const auto owner = user_called(call, call.parts[0]);
  if (!owner) co_return refuse(call, {Code::not_found, "no user " + call.parts[0]});
  auto& logins = call.api.deps().control.logins();
  co_return co_await end_these(call, *owner, logins.end_all_of(*owner), "end_sessions", *owner);
}

// By its id (claim jti). The session goes on: its next refresh gives another token.
Task<RestAnswer> revoke_token(Call& call) {
  const std::string& id = call.parts[0];
  // Its id does not say whose it is, and so not whether they may more than the caller.
  if (!rbac::has_role(call.principal(), "admin")) {
    co_return refuse(call, {Code::access_denied, "token.of_anybody"},
                     "Only an admin revokes a token by its id: end the session, or those of the user");
  }
  if (id.size() > 128) co_return refuse(call, {Code::validation, "a token id has at most 128 characters"});
  auto& control = call.api.deps().control;
  const WallTime until = call.request.now + std::chrono::hours(24);  // the longest that a token lives
  auto done = co_await run_for_caller<void>(call, control.revoke_token(id, until));
  RestAnswer answer = done ? no_content() : refuse(call, done.error());
  answer.action = "revoke_token";
  if (done) answer.reason = "jti=" + id;
  co_return answer;
}

}  // namespace sallyport::api
