#include "control/one_time_reveals.h"

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control {
namespace {

std::string digest_of(std::string_view token) { return hex_encode(crypto::sha256(token)); }

}  // namespace

Result<OneTimeReveal> OneTimeReveals::make(const VaultName& where, std::optional<std::uint32_t> version,
                                           std::chrono::seconds lifetime, std::string author) {
  if (lifetime.count() < 1 || lifetime > kLongest) {
    return fail(Code::validation, "expires_in: 1 to 604800 seconds");
  }
  const WallTime now = clock_.wall();
  std::erase_if(open_, [now](const auto& one) { return now >= one.second.expires_at; });
  if (open_.size() >= kMost) return fail(Code::conflict, "1000 one-time links are open already: let some run out");
  SP_TRY(const VaultValue value, vault_.reveal(where, version));  // what cannot be shown is not promised
  OneTimeReveal made{random_id(random_, 32), value.version, now + lifetime};
  open_[digest_of(made.token)] = {where, value.secret, value.version, std::move(author), made.expires_at};
  return made;
}

Result<RevealedOnce> OneTimeReveals::take(std::string_view token) {
  const auto found = open_.find(digest_of(token));
  const bool good = found != open_.end() && clock_.wall() < found->second.expires_at;
  if (found == open_.end()) return fail(Code::not_found, "no such one-time link, or it was used");
  Open one = std::move(found->second);
  open_.erase(found);
  if (!good) return fail(Code::not_found, "no such one-time link, or it was used");
  SP_TRY(const VaultSecret secret, vault_.find(one.where));
  if (secret.id != one.secret) return fail(Code::not_found, "no such one-time link, or it was used");
  if (secret.expires_at && clock_.wall() >= *secret.expires_at) return fail(Code::gone, "the secret has expired");
  SP_TRY(VaultValue value, vault_.reveal(one.where, one.version));
  return RevealedOnce{std::move(one.where), std::move(one.author), std::move(value)};
}

}  // namespace sallyport::control
