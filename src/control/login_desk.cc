#include "control/login_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kPrefix = "mcpr_";  // so that secret scanners know a leaked one
constexpr std::size_t kIdBytes = 32;           // hex digits
constexpr std::size_t kSecretBytes = 43;       // base64url of 32 random bytes
constexpr std::size_t kMacBytes = 22;          // base64url of 16 bytes
constexpr std::size_t kTokenBytes = 5 + kIdBytes + 1 + kSecretBytes + 1 + kMacBytes;

std::unexpected<Error> refused(std::string reason) { return fail(Code::unauthenticated, std::move(reason)); }

std::string mac_of(const crypto::KeyStore& keys, std::string_view body) {
  const auto mac = crypto::hmac_sha256(keys.key(crypto::Purpose::key_hashing), "refresh mac:" + std::string(body));
  return base64url_encode(std::span(mac).first(16));
}

bool same(std::string_view a, std::string_view b) { return equal_constant_time(as_bytes(a), as_bytes(b)); }

bool is_of_key(std::string_view owner) { return owner.starts_with("key:"); }

bool key_allows(const Principals& principals, const LoginSession& session, std::string_view address) {
  if (!is_of_key(session.owner)) return true;
  const auto key = principals.keys.find(std::string_view(session.owner).substr(4));
  return key != principals.keys.end() && key->second->allows_address(address);
}

}  // namespace

LoginDesk::LoginDesk(SessionStore& store, const crypto::KeyStore& keys, Random& random, Publish publish)
    : store_(store), keys_(keys), random_(random), publish_(std::move(publish)) {}

void LoginDesk::load(std::vector<StoredSession> stored, SessionRules rules) {
  rules_ = rules;
  for (auto& one : stored) {
    const std::string id = one.session->id;
    const WallTime used = one.session->last_used();
    sessions_[id] = Kept{std::move(one), used};
  }
}

std::shared_ptr<const LoginSessions> LoginDesk::sessions() const {
  auto out = std::make_shared<LoginSessions>();
  for (const auto& [id, kept] : sessions_) out->by_id.emplace_hint(out->by_id.end(), id, kept.stored.session);
  out->idle = rules_.idle;
  out->binding = rules_.binding;
  out->ended = ended_;
  return out;
}

Secret LoginDesk::new_refresh_token(const std::string& id) {
  std::string body = std::string(kPrefix) + id + "." + random_id(random_, 32);
  Secret token(body + "." + mac_of(keys_, body));
  wipe(body);
  return token;
}

// The session of a token that we made; nothing for any other text.
std::optional<std::string> LoginDesk::id_of(std::string_view token) const {
  if (token.size() != kTokenBytes || !token.starts_with(kPrefix)) return std::nullopt;
  const auto body = token.substr(0, kTokenBytes - kMacBytes - 1);
  if (!same(token.substr(body.size()), "." + mac_of(keys_, body))) return std::nullopt;
  return std::string(token.substr(kPrefix.size(), kIdBytes));
}

std::string LoginDesk::hash_of(std::string_view token) const {
  return hex_encode(crypto::hmac_sha256(keys_.key(crypto::Purpose::key_hashing), "refresh:" + std::string(token)));
}

std::vector<std::string> LoginDesk::owned_by(std::string_view owner) const {
  std::vector<std::string> ids;
  for (const auto& [id, kept] : sessions_) {
    if (kept.stored.session->owner == owner) ids.push_back(id);
  }
  return ids;
}

// The oldest of `owner`, as many as there are too many.
std::vector<std::string> LoginDesk::beyond_limit(const std::string& owner) const {
  const std::size_t most = is_of_key(owner) ? rules_.per_key : rules_.per_user;
  std::vector<std::string> ids = owned_by(owner);
  if (ids.size() <= most) return {};
  const auto age = [this](const std::string& id) {
    return std::pair(sessions_.find(id)->second.stored.session->created_at, id);
  };
  std::ranges::sort(ids, {}, age);
  ids.resize(ids.size() - most);
  return ids;
}

Task<Result<OpenSession>> LoginDesk::open(std::string owner, ClientMark client, WallTime now,
                                          std::uint32_t key_secret) {
  std::array<std::byte, kIdBytes / 2> id{};
  random_.fill(id);
  auto session = std::make_shared<LoginSession>();
  session->id = hex_encode(id);
  session->owner = owner;
  session->key_secret = key_secret;
  session->client = std::move(client);
  session->client.user_agent.resize(std::min(session->client.user_agent.size(), LoginSession::kUserAgentMax));
  session->created_at = now;
  session->expires_at = now + rules_.lifetime;
  session->touch(now);
  Secret token = new_refresh_token(session->id);
  const StoredSession stored{session, hash_of(token.reveal())};
  SP_CO_CHECK(store_.put_session(stored));
  sessions_[session->id] = Kept{stored, now};
  SP_CO_CHECK(co_await end(beyond_limit(owner)));  // publishes in any case
  co_return OpenSession{std::move(session), std::move(token)};
}

Task<Result<OpenSession>> LoginDesk::renew(Secret given, ClientMark client, WallTime now,
                                           std::shared_ptr<const Principals> principals) {
  const auto id = id_of(given.reveal());
  if (!id) co_return refused("refresh.unknown");
  const auto found = sessions_.find(*id);
  if (found == sessions_.end()) co_return refused("refresh.session_ended session=" + *id);
  const LoginSessionPtr session = found->second.stored.session;
  const auto all = LoginSessions{{}, rules_.idle, rules_.binding, 0};
  if (all.over(*session, now)) {
    SP_CO_CHECK(co_await end({*id}));
    co_return refused("refresh.session_over session=" + *id);
  }
  if (!same(hash_of(given.reveal()), found->second.stored.refresh_hash)) {
    SP_CO_CHECK(co_await end({*id}));
    co_return refused("refresh.reused session=" + *id);
  }
  if (!all.bound_to(*session, client.address, client.user_agent))
    co_return refused("refresh.other_client session=" + *id);
  if (!key_allows(*principals, *session, client.address)) co_return refused("refresh.key_address session=" + *id);
  // No co_await from the comparison to the exchange: one token is exchanged once.
  Secret next = new_refresh_token(*id);
  StoredSession renewed{session, hash_of(next.reveal())};
  session->touch(now);
  SP_CO_CHECK(store_.put_session(renewed));
  found->second = Kept{std::move(renewed), session->last_used()};
  co_return OpenSession{session, std::move(next)};
}

Task<Result<std::size_t>> LoginDesk::end(std::vector<std::string> ids) {
  std::erase_if(ids, [this](const std::string& id) { return !sessions_.contains(id); });
  for (const std::string& id : ids) sessions_.erase(id);
  ended_ += ids.size();
  const Result<void> stored = ids.empty() ? Result<void>() : store_.delete_sessions(ids);
  SP_CO_CHECK(co_await publish_(sessions()));
  if (!stored) co_return fail(stored.error());
  co_return ids.size();
}

Task<Result<std::size_t>> LoginDesk::end_all_of(std::string owner, std::string except) {
  std::vector<std::string> ids = owned_by(owner);
  std::erase(ids, except);
  co_return co_await end(std::move(ids));
}

Result<void> LoginDesk::write_uses() {
  std::vector<LoginSessionPtr> used;
  for (const auto& [id, kept] : sessions_) {
    if (kept.stored.session->last_used() > kept.written) used.push_back(kept.stored.session);
  }
  if (used.empty()) return {};
  SP_CHECK(store_.touch_sessions(used));
  for (const auto& session : used) sessions_.find(session->id)->second.written = session->last_used();
  return {};
}

Task<Result<void>> LoginDesk::sweep(const Principals& principals, WallTime now) {
  const auto all = LoginSessions{{}, rules_.idle, rules_.binding, 0};
  std::vector<std::string> over;
  for (const auto& [id, kept] : sessions_) {
    const LoginSession& session = *kept.stored.session;
    if (all.over(session, now) || !owner_lives(principals, session, now)) over.push_back(id);
  }
  if (!over.empty()) SP_CO_CHECK(co_await end(std::move(over)));
  co_return write_uses();
}

bool owner_lives(const Principals& principals, const LoginSession& session, WallTime now) {
  const auto user_lives = [&](std::string_view id) {
    const auto user = principals.users.find(id);
    return user != principals.users.end() && user->second->enabled;
  };
  const std::string_view id = std::string_view(session.owner).substr(session.owner.find(':') + 1);
  if (!is_of_key(session.owner)) {
    return user_lives(id) && session.created_at >= principals.users.find(id)->second->tokens_valid_from;
  }
  const auto key = principals.keys.find(id);
  if (key == principals.keys.end() || !key->second->enabled) return false;
  if (key->second->good_until(session.key_secret) <= now) return false;
  return key->second->owner_user_id.empty() || user_lives(key->second->owner_user_id);
}

}  // namespace sallyport::control
