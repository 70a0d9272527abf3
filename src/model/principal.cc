#include "model/principal.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace sallyport {

WallTime KeyRecord::good_until(std::uint32_t secret) const noexcept {
  const WallTime end = expires_at.value_or(WallTime::max());
  if (secret == secret_number) return end;
  if (secret + 1 != secret_number || previous_hash.empty()) return WallTime::min();
  return std::min(end, previous_until);
}

bool KeyRecord::allows_address(std::string_view address) const {
  if (addresses.empty()) return true;
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return false;
  return std::ranges::any_of(addresses, [ip = parsed->unmapped()](const Cidr& one) { return one.contains(ip); });
}

bool KeyRecord::same_rights(const KeyRecord& other) const {
  const auto rights = [](const KeyRecord& key) {
    return std::tie(key.owner_user_id, key.roles, key.permissions, key.grants, key.dotted, key.addresses,
                    key.expires_at);
  };
  return rights(*this) == rights(other);
}

std::string person_of(const Principal& principal) {
  if (!principal.key) return principal.id;
  return principal.key->owner_user_id.empty() ? "key:" + principal.key->id : "user:" + principal.key->owner_user_id;
}

}  // namespace sallyport
