#include "control/hash_key_desk.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "core/fault_point.h"
#include "crypto/aead.h"
#include "crypto/bound_fields.h"

namespace sallyport::control {
namespace {

using crypto::HashKey;
using crypto::HashKeys;

constexpr std::string_view kMeta = "api_key_hash_keys";
constexpr std::string_view kBinding = "sallyport/1/api key hash keys";
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kEntryBytes = 2 * kNumberBytes + crypto::kLockedKeyBytes;  // number, made (us since 1970), key
constexpr std::size_t kStoredAtOnce = 256;
constexpr std::string_view kFirstGone = "hash key 1 retired (it is made of the root, which stays: not destroyed)";
// What has ended counts as needed for so long: what is destroyed does not come back when a clock that ran ahead is set right.
constexpr std::chrono::hours kAfterEnd{24};

bool has_ended(WallTime end, WallTime now) { return end < now && now - end >= kAfterEnd; }

std::uint64_t number_at(std::string_view bytes, std::size_t at) noexcept {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(at, kNumberBytes)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string text_of(const std::vector<HashKey>& keys) {
  std::string out;
  out.reserve(keys.size() * kEntryBytes);  // grown, it would leave copies behind
  for (const HashKey& key : keys) {
    crypto::append_number(out, key.number);
    crypto::append_number(out, static_cast<std::uint64_t>(key.made_at.time_since_epoch().count()));
    out.append(as_text(key.key->bytes()));
  }
  return out;
}

// The tag vouches for the rest; checked all the same.
Result<std::vector<HashKey>> keys_of(std::string_view text) {
  std::vector<HashKey> keys;
  if (text.empty() || text.size() % kEntryBytes != 0) return fail(Code::crypto, "length");
  for (std::size_t at = 0; at < text.size(); at += kEntryBytes) {
    const auto number = static_cast<std::uint32_t>(number_at(text, at));
    if (number <= (keys.empty() ? 0 : keys.back().number)) return fail(Code::crypto, "order");
    const std::chrono::microseconds made(static_cast<std::int64_t>(number_at(text, at + kNumberBytes)));
    SP_TRY(auto key, crypto::LockedKey::copy_of(as_bytes(text.substr(at + 2 * kNumberBytes, crypto::kLockedKeyBytes))));
    keys.push_back({number, WallTime(made), std::make_shared<const crypto::LockedKey>(std::move(key))});
  }
  return keys;
}

Result<std::vector<HashKey>> open_keys(const crypto::KeyStore& store, std::string_view sealed) {
  const auto bytes = base64url_decode(sealed);
  auto plain =
      crypto::open(store.key(crypto::Purpose::hash_keys), bytes ? as_text(*bytes) : std::string_view(), kBinding);
  auto keys = plain ? keys_of(*plain) : Result<std::vector<HashKey>>(fail(Code::crypto, "they do not open"));
  if (plain) wipe(*plain);
  return keys;
}

// Nothing: a home that had none.
Result<std::optional<std::vector<HashKey>>> stored_keys(Repository& repository, const crypto::KeyStore& store) {
  SP_TRY(const auto sealed, repository.get_meta(kMeta));
  if (!sealed) return std::nullopt;
  auto keys = open_keys(store, *sealed);
  if (keys) return std::optional(*std::move(keys));
  return fail(Code::crypto, "the hash keys of API keys in the database are not ours: " + keys.error().detail +
                                "; fix: restore database and folder keys/ from one backup");
}

// What went, for the audit. The first is made of the root, so taking it out of the list destroys nothing.
std::string gone_text(const std::vector<HashKey>& before, const std::vector<HashKey>& kept) {
  std::size_t gone = before.size() - kept.size();
  if (gone == 0) return {};
  const bool first = before.front().number == 1 && kept.front().number != 1;
  if (first) --gone;
  std::string text = gone == 0 ? "" : std::to_string(gone) + " retired and destroyed";
  if (first) text += (text.empty() ? "" : "; ") + std::string(kFirstGone);
  return text;
}

}  // namespace

Result<void> check_hash_keys(Repository& repository, const crypto::KeyStore& keys) {
  SP_TRY(const auto stored, stored_keys(repository, keys));
  (void)stored;
  return {};
}

HashKeyDesk::HashKeyDesk(Repository& repository, const crypto::KeyStore& keys, Random& random, const Clock& clock,
                         HashKeyRules rules, Publish publish, std::function<SnapshotPtr()> now)
    : repository_(repository),
      keys_(keys),
      random_(random),
      clock_(clock),
      rules_(rules),
      publish_(std::move(publish)),
      now_(std::move(now)) {}

Result<void> HashKeyDesk::load() {
  SP_TRY(auto keys, stored_keys(repository_, keys_));
  if (!keys) {  // its age counts from now
    HashKey first = HashKeys::first_key(keys_);
    first.made_at = clock_.wall();
    return put({std::move(first)});
  }
  all_ = std::make_shared<const HashKeys>(std::move(*keys), fresh_);
  return {};
}

Result<void> HashKeyDesk::put(std::vector<HashKey> keys) {
  std::string plain = text_of(keys);
  const auto sealed = crypto::seal(keys_.key(crypto::Purpose::hash_keys), plain, kBinding, random_);
  wipe(plain);
  if (!sealed) return fail(sealed.error());
  SP_CHECK(repository_.put_meta(kMeta, base64url_encode(as_bytes(*sealed))));
  fault_point("hash_keys.stored");
  all_ = std::make_shared<const HashKeys>(std::move(keys), fresh_);
  return {};
}

// The same records in another object: what workers have cached is checked anew, and with that goes over.
Task<Result<void>> HashKeyDesk::publish_all() {
  auto principals = std::make_shared<const Principals>(*now_()->principals);
  co_return co_await publish_(std::move(principals), all_);
}

std::map<std::uint32_t, std::size_t> HashKeyDesk::needed() const {
  std::map<std::uint32_t, std::size_t> out;
  const WallTime now = clock_.wall();
  for (const auto& [id, key] : now_()->principals->keys) {
    if (has_ended(key->expires_at.value_or(WallTime::max()), now)) continue;
    const std::uint32_t generation = HashKeys::generation_of(key->hash);
    ++out[generation];
    const std::uint32_t former = HashKeys::generation_of(key->previous_hash);
    if (former != generation && !key->previous_hash.empty() && !has_ended(key->previous_until, now)) ++out[former];
  }
  return out;
}

std::vector<HashKey> HashKeyDesk::without_unneeded() const {
  std::vector<HashKey> keys = all_->all();
  const auto used = needed();
  const std::uint32_t newest = keys.back().number;
  std::erase_if(keys, [&](const HashKey& key) { return key.number != newest && !used.contains(key.number); });
  return keys;
}

std::vector<HashKeyStatus> HashKeyDesk::status() const {
  std::vector<HashKeyStatus> out;
  const auto used = needed();
  for (const HashKey& key : all_->all()) {
    const auto found = used.find(key.number);
    out.push_back({key.number, key.made_at, found == used.end() ? 0 : found->second});
  }
  return out;
}

WallTime HashKeyDesk::rotates_at() const { return all_->all().back().made_at + rules_.rotate_after; }

Task<Result<std::uint32_t>> HashKeyDesk::rotate() {
  std::vector<HashKey> keys = without_unneeded();
  if (keys.size() >= HashKeys::kMax) {
    co_return fail(
        Code::limit,
        "API keys need all 16 hash keys that are kept; fix: rotate or revoke those that were not used for long "
        "(sallyport key list shows the last use)");
  }
  const std::uint32_t number = keys.back().number + 1;
  keys.push_back(
      {number, clock_.wall(), std::make_shared<const crypto::LockedKey>(crypto::LockedKey::random(random_))});
  SP_CO_CHECK(put(std::move(keys)));
  SP_CO_CHECK(co_await publish_all());
  co_return number;
}

Task<Result<std::string>> HashKeyDesk::maintain() {
  if (clock_.wall() >= rotates_at()) {
    SP_CO_TRY(const std::uint32_t number, co_await rotate());
    co_return "hash key " + std::to_string(number) + " is in force";
  }
  std::vector<HashKey> keys = without_unneeded();
  std::string gone = gone_text(all_->all(), keys);
  if (gone.empty()) co_return gone;
  SP_CO_CHECK(put(std::move(keys)));
  SP_CO_CHECK(co_await publish_all());
  co_return gone;
}

Result<std::shared_ptr<const KeyRecord>> HashKeyDesk::store(const Principals& principals,
                                                            const crypto::FreshHash& fresh) {
  const auto found = principals.keys.find(fresh.id);
  if (found == principals.keys.end() || !all_->has(HashKeys::generation_of(fresh.hash))) return nullptr;
  KeyRecord record = *found->second;
  if (record.hash == fresh.former) record.hash = fresh.hash;
  else if (record.previous_hash == fresh.former) record.previous_hash = fresh.hash;
  else return nullptr;
  SP_CHECK(repository_.put_key(record));
  fault_point("hash_keys.turned");
  return std::make_shared<const KeyRecord>(std::move(record));
}

Task<Result<std::size_t>> HashKeyDesk::store_fresh() {
  for (auto& fresh : fresh_->take()) waiting_.push_back(std::move(fresh));
  if (waiting_.empty()) co_return std::size_t{0};
  auto principals = std::make_shared<Principals>(*now_()->principals);
  std::size_t stored = 0;
  Result<void> failed;
  for (std::size_t count = 0; count < kStoredAtOnce && !waiting_.empty() && failed; ++count) {
    const auto record = store(*principals, waiting_.back());
    waiting_.pop_back();
    if (!record) failed = fail(record.error());
    if (!record || !*record) continue;
    principals->keys[(*record)->id] = *record;
    ++stored;
  }
  if (stored != 0) SP_CO_CHECK(co_await publish_(std::move(principals), all_));
  if (!failed) co_return fail(failed.error());
  co_return stored;
}

}  // namespace sallyport::control
