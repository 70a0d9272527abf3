#include "request/identity/credential_cache.h"

#include <utility>

namespace sallyport {

void CredentialCache::bind(const std::shared_ptr<const Principals>& principals,
                           const std::shared_ptr<const token::KeyRing>& token_keys) {
  if (principals_ == principals && token_keys_ == token_keys) return;
  young_.clear();
  old_.clear();
  principals_ = principals;
  token_keys_ = token_keys;
}

PrincipalPtr CredentialCache::find(const crypto::Digest& digest, WallTime now) {
  auto found = young_.find(digest);
  if (found == young_.end()) {
    const auto aged = old_.find(digest);
    if (aged == old_.end()) return nullptr;
    const Entry entry = std::move(aged->second);
    old_.erase(aged);
    put(digest, entry.principal, entry.expires_at);
    found = young_.find(digest);
  }
  if (found->second.expires_at > now) return found->second.principal;
  young_.erase(found);
  return nullptr;
}

void CredentialCache::put(const crypto::Digest& digest, PrincipalPtr principal, WallTime expires_at) {
  if (young_.size() >= kGenerationMax) {
    old_ = std::move(young_);
    young_ = {};
  }
  young_.insert_or_assign(digest, Entry{std::move(principal), expires_at});
}

}  // namespace sallyport
