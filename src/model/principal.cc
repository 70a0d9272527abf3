#include "model/principal.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace sallyport {

void KeyUsage::note(WallTime now) noexcept {
  constexpr std::int64_t kStep = 1'000'000;
  count.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  if (micros - last.load(std::memory_order_relaxed) >= kStep) last.store(micros, std::memory_order_relaxed);
}

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

}  // namespace sallyport
