// The keyring of a home, <home>/keys/keyring: the root that every purpose of the KeyStore comes from and the
// key-encryption keys, in one file that the unseal key opens (crypto/unseal.h; docs/vault.md). Each change is written,
// read back and synced before it is used; killed at any step, the file is the one from before or the one from after. A
// source that does not fit never makes a new keyring. One owner, one thread at a time; blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "crypto/key_store.h"
#include "crypto/keyring_document.h"
#include "crypto/unseal.h"

namespace sallyport::crypto {

class Keyring {
 public:
  // Code::not_found where there is none; Code::config, with the fix, for a wrong password, key or PIN, another source than
  // the settings', a damaged file. A keyring that the key file opens opens for every source: reseal() is due then.
  static Result<Keyring> open(const std::filesystem::path& home, const UnsealSource& source);
  // A new one, with a first key-encryption key. `root`: of a home from before keyrings; else a random one.
  // Code::already_exists.
  static Result<Keyring> create(const std::filesystem::path& home, const UnsealSource& source,
                                std::optional<Secret> root, Random& random, WallTime now);

  // The purposes, and the key-encryption keys unless `sealed`.
  [[nodiscard]] Result<KeyStore> store(bool sealed = false) const;
  [[nodiscard]] const WrappingKeySet& wrapping() const noexcept { return body_.wrapping; }
  [[nodiscard]] const std::string& id() const noexcept { return head_.id; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return head_.generation; }
  [[nodiscard]] UnsealKind opened_by() const noexcept;

  // A new key-encryption key is in force, the former one retires. Code::limit with 256 of them.
  Result<void> rotate(Random& random, WallTime now);
  // Destroys the retired keys of which `in_use` names none; says how many. Nothing changes where there are none.
  Result<std::size_t> drop_retired(std::span<const std::uint32_t> in_use, Random& random);
  // Opens by `source` from now on, with a fresh salt; the key file is removed where that is another kind. The keys inside
  // stay: nothing that they sealed is touched. An error: nothing changed. Else why the old key file is still there, if it is.
  Result<std::string> reseal(const UnsealSource& source, Random& random);
  // The same in two steps, of which the first, fresh_unseal_key(), may take seconds.
  Result<std::string> reseal(UnsealKey fresh, Random& random);
  // Removes drafts, and a key file that opens nothing any more. For who holds the home's lock.
  Result<void> tidy() const;

 private:
  Keyring(std::filesystem::path folder, UnsealKey unseal) : folder_(std::move(folder)), unseal_(std::move(unseal)) {}
  // `fresh`: in place of the unseal key; nothing: the same.
  Result<void> put(KeyringHead head, KeyringBody body, std::optional<UnsealKey> fresh, Random& random);
  [[nodiscard]] KeyringHead next_head(const UnsealKey& unseal) const;
  [[nodiscard]] KeyringBody copy_of_body() const;

  std::filesystem::path folder_;
  UnsealKey unseal_;
  KeyringHead head_;  // without its views
  KeyringBody body_;
};

// The root of a home from before keyrings: its key file. Code::not_found where there is none.
Result<Secret> root_of_old_home(const std::filesystem::path& home);

}  // namespace sallyport::crypto
