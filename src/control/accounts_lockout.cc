#include "control/accounts_lockout.h"

#include <algorithm>
#include <cstring>

#include "control/request_age.h"
#include "core/encoding.h"
#include "core/ip_address.h"
#include "core/limit_address.h"
#include "crypto/hash.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kSlots = 16'384;  // 384 KiB
constexpr std::size_t kSets = 128;  // of pairs: 384 KiB
constexpr std::size_t kSetSize = 64;
constexpr std::size_t kPairsOfAccount = 16;

// Trust is of one machine: a neighbour in its /64 is a stranger.
std::string exact_address(std::string_view address) {
  const auto parsed = IpAddress::parse(address);
  return parsed ? parsed->unmapped().text() : std::string(address);
}

std::chrono::seconds rounded_up(WallTime::duration left) {
  return left.count() <= 0 ? std::chrono::seconds(0) : std::chrono::ceil<std::chrono::seconds>(left);
}

}  // namespace

Lockout::Lockout(LockoutLimits limits, Random& random) : limits_(limits), slots_(kSlots), pairs_(kSets * kSetSize) {
  random.fill(key_);  // so that nobody can compute which names share a slot
}

std::uint64_t Lockout::hash(char kind, std::string_view account, std::string_view address) const {
  std::string text(1, kind);
  text.append(account).push_back('\0');
  text.append(kind == 'a' ? limit_address(address) : exact_address(address));
  const crypto::Digest digest = crypto::hmac_sha256(key_, text);
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value | 1U << 31;  // never 0, which means "none" in Pair
}

std::span<Lockout::Pair> Lockout::pairs_of(std::uint64_t account) {
  return std::span(pairs_).subspan(account % kSets * kSetSize, kSetSize);
}

Lockout::Pair* Lockout::trusted_pair(std::string_view account, std::string_view address) {
  const auto pairs = pairs_of(hash('u', account, {}));
  const auto found = std::ranges::find(pairs, hash('p', account, address), &Pair::pair);
  return found == pairs.end() ? nullptr : &*found;
}

// Its own oldest where it has as many as one may have, or nothing is free; only who has none takes another's.
Lockout::Pair& Lockout::pair_to_give_up(std::uint64_t account) {
  Pair* oldest = nullptr;
  Pair* own = nullptr;
  std::size_t count = 0;
  for (Pair& pair : pairs_of(account)) {
    if (oldest == nullptr || pair.used < oldest->used) oldest = &pair;
    if (pair.account != account) continue;
    ++count;
    if (own == nullptr || pair.used < own->used) own = &pair;
  }
  const bool full = oldest->used != 0;
  return own != nullptr && (full || count >= kPairsOfAccount) ? *own : *oldest;
}

Lockout::Slot& Lockout::account_slot(std::string_view account, std::string_view address) {
  Pair* const pair = trusted_pair(account, address);
  return pair != nullptr ? pair->delay : slot(hash('u', account, {}));
}

std::chrono::seconds Lockout::wait(std::string_view account, std::string_view address, WallTime now) {
  const std::scoped_lock lock(mutex_);
  return wait_locked(account, address, now);
}

std::chrono::seconds Lockout::wait_locked(std::string_view account, std::string_view address, WallTime now) {
  Pair* const trusted = trusted_pair(account, address);
  Slot& of_account = trusted != nullptr ? trusted->delay : slot(hash('u', account, {}));
  Slot& of_address = slot(hash('a', {}, address));
  follow_clock(of_account, now);
  follow_clock(of_address, now);
  return rounded_up((trusted != nullptr ? of_account.until : std::max(of_account.until, of_address.until)) - now);
}

void Lockout::follow_clock(Slot& slot, WallTime now) {
  if (now + kRequestAge >= slot.last) return;
  slot.until -= slot.last - now;
  slot.last = now;
}

Lockout::Counted Lockout::count(Slot& slot, std::uint32_t free, WallTime now) const {
  follow_clock(slot, now);
  const WallTime before = slot.until;
  if (now - slot.last > limits_.forget_after) slot.failures = 0;
  slot.last = now;
  slot.failures = std::min(slot.failures + 1, 1'000'000U);
  if (slot.failures >= free) {
    // 1, 2, 4, ... times the first delay; past 20 doublings every limit is reached.
    const auto doublings = std::min(slot.failures - free, 20U);
    slot.until = now + std::min(limits_.delay_first * (1 << doublings), limits_.delay_max);
  }
  return {&slot, before, slot.until};
}

// The delay of before comes back too, unless another attempt or the clock has changed it since.
void Lockout::take_off(const Counted& counted) {
  if (counted.slot == nullptr || counted.slot->failures == 0) return;
  --counted.slot->failures;
  if (counted.slot->until == counted.until) counted.slot->until = counted.until_before;
}

Lockout::Attempt Lockout::begin(std::string_view account, std::string_view address, WallTime now) {
  const std::scoped_lock lock(mutex_);
  Attempt out;
  out.wait_ = wait_locked(account, address, now);
  if (out.wait_.count() > 0) return out;
  out.account_ = count(account_slot(account, address), limits_.account_free, now);
  out.address_ = count(slot(hash('a', {}, address)), limits_.address_free, now);
  return out;
}

void Lockout::give_back(const Attempt& attempt) {
  const std::scoped_lock lock(mutex_);
  take_off(attempt.account_);
  take_off(attempt.address_);
}

void Lockout::failed(std::string_view account, std::string_view address, WallTime now) {
  const std::scoped_lock lock(mutex_);
  count(account_slot(account, address), limits_.account_free, now);
  count(slot(hash('a', {}, address)), limits_.address_free, now);
}

bool Lockout::trusts(std::string_view account, std::string_view address) {
  const std::scoped_lock lock(mutex_);
  return trusted_pair(account, address) != nullptr;
}

void Lockout::succeeded(std::string_view account, std::string_view address, WallTime) {
  const std::scoped_lock lock(mutex_);
  if (Pair* const known = trusted_pair(account, address)) {
    known->delay = Slot{};
    known->used = ++uses_;
    return;
  }
  const std::uint64_t owner = hash('u', account, {});
  slot(owner) = Slot{};
  pair_to_give_up(owner) = {hash('p', account, address), owner, ++uses_, Slot{}};
}

}  // namespace sallyport::control
