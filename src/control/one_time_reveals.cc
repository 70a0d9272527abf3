#include "control/one_time_reveals.h"

#include <algorithm>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "engines/rbac/rbac.h"
#include "engines/rbac/rights.h"

namespace sallyport::control {
namespace {

std::string digest_of(std::string_view token) { return hex_encode(crypto::sha256(token)); }

bool is_enabled(const Principals& all, std::string_view user) {
  const auto found = all.users.find(user);
  return found != all.users.end() && found->second->enabled;
}

}  // namespace

bool may_read_still(const Snapshot& newest, std::string_view principal, const VaultName& where, WallTime now) {
  const Principals& all = *newest.principals;
  const std::string_view id = principal.substr(principal.find(':') + 1);
  Principal with;
  if (principal.starts_with("local:")) return true;
  if (principal.starts_with("user:")) {
    if (!is_enabled(all, id)) return false;
    if (!where.owner.empty()) return where.owner == principal;
    rbac::give_rights(with, *all.users.find(id)->second, all);
  } else {
    const auto key = all.keys.find(id);
    if (!principal.starts_with("key:") || key == all.keys.end() || !where.owner.empty()) return false;
    const KeyRecord& record = *key->second;
    const bool over = !record.enabled || (record.expires_at && now >= *record.expires_at);
    if (over || (!record.owner_user_id.empty() && !is_enabled(all, record.owner_user_id))) return false;
    rbac::give_rights(with, record);
  }
  return rbac::effective(with, *newest.roles).has(Permission::vault_read);
}

Result<OneTimeReveal> OneTimeReveals::make(const VaultName& where, std::optional<std::uint32_t> version,
                                           std::chrono::seconds lifetime, std::string author) {
  if (lifetime.count() < 1 || lifetime > kLongest) {
    return fail(Code::validation, "expires_in: 1 to 604800 seconds");
  }
  const WallTime now = clock_.wall();
  std::erase_if(open_, [now](const auto& one) { return now >= one.second.expires_at; });
  if (open_.size() >= kMost) return fail(Code::conflict, "1000 one-time tokens are open already: let some run out");
  const auto own = std::ranges::count_if(open_, [&](const auto& one) { return one.second.author == author; });
  if (static_cast<std::size_t>(own) >= kMostOfOne) {
    return fail(Code::conflict, "50 one-time tokens of yours are open already: let some run out");
  }
  SP_TRY(const VaultValue value, vault_.reveal(where, version));  // what cannot be shown is not promised
  OneTimeReveal made{random_id(random_, 32), value.version, now + lifetime};
  open_[digest_of(made.token)] = {where, value.secret, value.version, std::move(author), made.expires_at};
  return made;
}

Result<RevealedOnce> OneTimeReveals::take(std::string_view token) {
  const auto found = open_.find(digest_of(token));
  const bool good = found != open_.end() && clock_.wall() < found->second.expires_at;
  if (found == open_.end()) return fail(Code::not_found, "no such one-time token, or it was used");
  Open one = std::move(found->second);
  open_.erase(found);
  if (!good || !may_read_(one.author, one.where))
    return fail(Code::not_found, "no such one-time token, or it was used");
  SP_TRY(const VaultSecret secret, vault_.find(one.where));
  if (secret.id != one.secret) return fail(Code::not_found, "no such one-time token, or it was used");
  if (secret.expires_at && clock_.wall() >= *secret.expires_at) return fail(Code::gone, "the secret has expired");
  SP_TRY(VaultValue value, vault_.reveal(one.where, one.version));
  return RevealedOnce{std::move(one.where), std::move(one.author), std::move(value)};
}

}  // namespace sallyport::control
