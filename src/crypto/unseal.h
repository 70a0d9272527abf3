// Where the key comes from that opens the keyring (crypto/keyring.h): a file of 32 bytes beside it, a password by scrypt
// (S2-10, S2-12, S2-31), 32 bytes in the environment (C26), a key on a PKCS#11 token or one of a server that wraps and
// unwraps for us, the transit engine of HashiCorp Vault or OpenBao (S2-14). The source's bytes are never a key themselves: HKDF
// makes the unseal key of them, with a label for each kind, so that no key has two uses. What a source needs and may be read
// (salt, names, what was wrapped) is one line, which the keyring keeps and authenticates.
// Blocking, seconds where a server is asked: at start, in the CLI, and beside the control plane's thread (KeyDesk).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {

enum class UnsealKind : std::uint8_t { file, password, environment, hsm, transit };
[[nodiscard]] std::string_view unseal_name(UnsealKind kind) noexcept;
[[nodiscard]] std::optional<UnsealKind> unseal_kind(std::string_view name) noexcept;

inline constexpr std::size_t kUnsealPasswordBytesMin = 12;

// Public names of a key on a token.
struct HsmKey {
  std::string module;  // absolute path of the PKCS#11 library
  std::string token;  // the token's label
  std::string key;  // the key's label
};

// A key that never leaves its server, which wraps and unwraps 32 bytes with it. Blocking; one thread at a time.
class RemoteKey {
 public:
  virtual ~RemoteKey() = default;
  [[nodiscard]] virtual std::string mount() const = 0;
  [[nodiscard]] virtual std::string key() const = 0;
  // `place`: what the wrapping is bound to; what was wrapped for one place does not open for another. Code::config with the
  // fix, upstream_unavailable where the server is away or sealed.
  virtual Result<std::string> wrap(const Secret& plain, std::string_view place) = 0;
  virtual Result<Secret> unwrap(std::string_view wrapped, std::string_view place) = 0;
};

// What the settings name.
struct UnsealSource {
  UnsealKind kind = UnsealKind::file;
  Secret secret;  // password; the 32 bytes as base64; the token's PIN; nothing for a file
  HsmKey hsm;
  std::shared_ptr<RemoteKey> remote{};  // transit

  [[nodiscard]] UnsealSource clone() const { return {kind, secret.clone(), hsm, remote}; }
};

// What a keyring is sealed with.
struct UnsealKey {
  std::string line;  // as it stands in the keyring: the kind's name, then what it needs
  LockedKey key;
};

// A new line: fresh salt, fresh secret that the token or the server wraps. For a file, `folder`/master.key is made where there is
// none.
// Code::config, with the fix, for a password that is too short or a key that is none.
Result<UnsealKey> fresh_unseal_key(const UnsealSource& source, const std::filesystem::path& folder, Random& random);

// The key that `line` stands for. Code::config, with the fix, where `source` is of another kind than the line.
Result<UnsealKey> unseal_key(const UnsealSource& source, std::string_view line, const std::filesystem::path& folder);

// The kind that a line names.
[[nodiscard]] std::optional<UnsealKind> unseal_kind_of(std::string_view line) noexcept;

}  // namespace sallyport::crypto
