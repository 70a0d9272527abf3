// The one KeyStore (design, principle 6): a root of 32 random bytes, from which each purpose has a key of its own (HKDF
// labels), so that no key has two uses; and the key-encryption keys. The root stands in the keyring (crypto/keyring.h).
// Opened once by `app`; but for wrapping() immutable afterwards, read from any thread. Refuses wide permissions, a foreign
// owner, weak and known keys, and names the fix.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/locked_key.h"
#include "crypto/wrapping_keys.h"

namespace sallyport::crypto {

// A new purpose goes before count_ and gets a label in key_store.cc; labels never change.
enum class Purpose : std::uint8_t {
  token_signing,  // HS256 access tokens under the operator's own secret, which replaces it
  key_hashing,  // hashes of API keys in their first generation (crypto/hash_keys.h), of refresh tokens
  cursors,  // pagination cursors
  request_state,  // state that travels through a client
  audit_signing,  // Ed25519 seed of audit checkpoints
  audit_redaction,  // keyed hashes that stand for redacted values (C11)
  session_ids,  // what binds a session id to its principal
  vault,  // key-encryption key of stored credentials
  second_factor,  // sealed secrets of one-time codes, hashes of recovery codes
  token_keys,  // key-encryption key of the stored token signing keys
  approvals,  // key-encryption key of the arguments of calls that wait for approval
  audit_encryption,  // key-encryption key of the data keys of sealed audit segments
  certificates,  // key-encryption key of the built-in authority's key and of its index of certificates
  hash_keys,  // key-encryption key of the generations of the API keys' hash key
  count_
};

class KeyStore {
 public:
  // What the key file <home>/keys/master.key opens: the keyring (crypto/keyring.h), or, in a home from before keyrings, itself
  // as the root. Code::not_found where there is neither, Code::config for what is refused.
  static Result<KeyStore> open(const std::filesystem::path& home);
  // Makes the folder (0700) and the key; Code::already_exists where there is one: a key is never overwritten.
  static Result<KeyStore> create(const std::filesystem::path& home, Random& random);
  static Result<KeyStore> open_or_create(const std::filesystem::path& home, Random& random);
  // From 32 bytes in memory: other back ends, tests. The key-encryption key in force is then Purpose::vault, with id 1.
  static Result<KeyStore> from_master(Secret master);

  // An operator's SECRET_KEY or JWT_SECRET_KEY (S0-3, C3) takes the place of the token signing key: at least 32 bytes,
  // no known default, not one unit repeated. Call before the store is shared.
  Result<void> replace_token_signing(Secret secret);

  // 32 bytes (token_signing: those of the operator's secret); they live as long as the store.
  [[nodiscard]] std::span<const std::byte> key(Purpose purpose) const noexcept;
  // Public name of the master key (16 hex digits), so that a store written under another one is noticed.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

  // Data keys under the key-encryption key in force (crypto/wrapping_keys.h); values go through crypto/sealed_record.h.
  [[nodiscard]] Result<std::string> wrap(const LockedKey& data_key, std::string_view binding, Random& random) const;
  [[nodiscard]] Result<LockedKey> unwrap(std::string_view wrapped, std::string_view binding) const;
  // The id of the key-encryption key in force; 0 while the vault is sealed.
  [[nodiscard]] std::uint32_t wrapping_key() const;
  // Another key than that one wrapped it (or it has no form that is known): rewrap_record() is due.
  [[nodiscard]] bool needs_rewrap(std::string_view wrapped) const;
  // Replaced while running: after a rotation, on seal and unseal.
  [[nodiscard]] WrappingKeys& wrapping() noexcept { return *wrapping_; }
  [[nodiscard]] const WrappingKeys& wrapping() const noexcept { return *wrapping_; }

 private:
  KeyStore() = default;
  std::array<LockedKey, static_cast<std::size_t>(Purpose::count_)> keys_;
  std::optional<Secret> operators_;  // in place of token_signing
  std::string fingerprint_;
  std::unique_ptr<WrappingKeys> wrapping_ = std::make_unique<WrappingKeys>();
};

}  // namespace sallyport::crypto
