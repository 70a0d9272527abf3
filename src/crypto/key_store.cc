#include "crypto/key_store.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "crypto/known_secrets.h"
#include "crypto/master_key_file.h"

namespace sallyport::crypto {
namespace {

// Labels never change: a changed label is a changed key, and with it dead API keys, tokens and vault entries.
constexpr std::array<std::string_view, static_cast<std::size_t>(Purpose::count_)> kLabels{
    "sallyport/1/token-signing", "sallyport/1/key-hashing",   "sallyport/1/cursors",
    "sallyport/1/request-state", "sallyport/1/audit-signing", "sallyport/1/audit-redaction",
    "sallyport/1/session-ids",   "sallyport/1/vault",         "sallyport/1/second-factor",
    "sallyport/1/token-keys",    "sallyport/1/approvals",     "sallyport/1/audit-encryption",
    "sallyport/1/certificates",  "sallyport/1/hash-keys"};
static_assert(std::ranges::none_of(kLabels, &std::string_view::empty));
constexpr std::string_view kFingerprintLabel = "sallyport/1/fingerprint";

std::filesystem::path file_in(const std::filesystem::path& home) { return home / "keys" / "master.key"; }

// 32 random bytes hold about 30 distinct values; fewer than 20, or nothing but printable characters, has odds below
// 10^-9 and 10^-13: somebody typed or padded it.
bool is_weak_master(std::string_view bytes) {
  std::array<bool, 256> seen{};
  for (const char c : bytes) seen[static_cast<unsigned char>(c)] = true;
  const bool printable = std::ranges::all_of(bytes, [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
  return std::ranges::count(seen, true) < 20 || printable || is_low_variety(bytes) || is_known_secret(bytes);
}

}  // namespace

Result<KeyStore> KeyStore::open(const std::filesystem::path& home) {
  auto ring = Keyring::open(home, {});
  if (ring) return ring->store();
  if (ring.error().code != Code::not_found) return fail(std::move(ring).error());
  SP_TRY(Secret master, read_master_key(file_in(home)));
  auto store = from_master(std::move(master));
  if (!store) return fail(store.error().code, "'" + file_in(home).string() + "': " + store.error().detail);
  return store;
}

Result<KeyStore> KeyStore::create(const std::filesystem::path& home, Random& random) {
  std::string bytes(kMasterKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret master(bytes);
  wipe(bytes);
  SP_TRY(KeyStore store, from_master(master.clone()));
  SP_CHECK(write_master_key(file_in(home), master, random));
  return store;
}

Result<KeyStore> KeyStore::open_or_create(const std::filesystem::path& home, Random& random) {
  auto store = open(home);
  if (store || store.error().code != Code::not_found) return store;
  return create(home, random);
}

Result<KeyStore> KeyStore::from_master(Secret master) {
  if (master.size() != kMasterKeyBytes) return fail(Code::config, "a master key has exactly 32 bytes");
  if (is_weak_master(master.reveal())) {
    return fail(Code::config,
                "the master key is not random (known, typed or repeated bytes); fix: remove it and let "
                "'sallyport init' make one");
  }
  KeyStore store;
  const auto bytes = std::as_bytes(std::span(master.reveal()));
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    SP_TRY(store.keys_[i], LockedKey::copy_of(as_bytes(hkdf_sha256(bytes, {}, kLabels[i], kLockedKeyBytes).reveal())));
  }
  store.fingerprint_ = hex_encode(as_bytes(hkdf_sha256(bytes, {}, kFingerprintLabel, 8).reveal()));
  SP_TRY(LockedKey first, LockedKey::copy_of(store.key(Purpose::vault)));
  WrappingKeySet wrapping;
  wrapping.push_back({1, {}, std::nullopt, std::make_shared<const LockedKey>(std::move(first))});
  store.wrapping_->replace(std::move(wrapping));
  return store;
}

Result<void> KeyStore::replace_token_signing(Secret secret) {
  constexpr std::string_view kFix = "; fix: use the output of 'openssl rand -base64 48', or remove the setting";
  // RFC 7518 3.2: an HS256 key has at least the size of the hash.
  if (secret.size() < 32) return fail(Code::config, "SECRET_KEY has fewer than 32 bytes" + std::string(kFix));
  if (is_known_secret(secret.reveal()))
    return fail(Code::config, "SECRET_KEY is a published default" + std::string(kFix));
  if (is_low_variety(secret.reveal())) return fail(Code::config, "SECRET_KEY is too regular" + std::string(kFix));
  operators_.emplace(std::move(secret));
  return {};
}

std::span<const std::byte> KeyStore::key(Purpose purpose) const noexcept {
  if (purpose == Purpose::token_signing && operators_) return std::as_bytes(std::span(operators_->reveal()));
  return keys_[static_cast<std::size_t>(purpose)].bytes();
}

Result<std::string> KeyStore::wrap(const LockedKey& data_key, std::string_view binding, Random& random) const {
  return wrapping_->wrap(data_key, binding, random);
}

Result<LockedKey> KeyStore::unwrap(std::string_view wrapped, std::string_view binding) const {
  return wrapping_->unwrap(wrapped, binding);
}

std::uint32_t KeyStore::wrapping_key() const { return wrapping_->in_force(); }

bool KeyStore::needs_rewrap(std::string_view wrapped) const {
  return WrappingKeys::named_by(wrapped) != wrapping_->in_force();
}

}  // namespace sallyport::crypto
