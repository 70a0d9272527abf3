// An RSA key for wrapping other keys: RSAES-OAEP (RFC 8017 7.1) with SHA-256 and MGF1-SHA-256, by OpenSSL. It signs
// nothing: a key has one use (signatures: crypto/jws_key.h). 2048, 3072 or 4096 bits with exponent 65537, nothing else
// (S2-9; NIST SP 800-56B r2 6.2). Immutable, any thread. The private half leaves it only as a Secret.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"

namespace sallyport::crypto {

inline constexpr unsigned kRsaKeyBits = 3072;  // good beyond 2030 (NIST SP 800-57)
inline constexpr std::size_t kRsaPemBytesMax = 16U << 10;

class RsaKey {
 public:
  // By OpenSSL's own random source; some tenths of a second. Code::crypto for another size than the three.
  static Result<RsaKey> generate(unsigned bits = kRsaKeyBits);
  // One PEM block and nothing before or behind it: "PRIVATE KEY" (PKCS #8, RFC 7468 10, not encrypted) or "PUBLIC KEY"
  // (RFC 7468 13). Code::crypto for anything else, for another size or exponent, for a number that is no RSA modulus and
  // for a private half that does not belong to its public one.
  static Result<RsaKey> from_private_pem(std::string_view pem);
  static Result<RsaKey> from_public_pem(std::string_view pem);

  RsaKey(RsaKey&&) noexcept;
  RsaKey& operator=(RsaKey&&) noexcept;
  ~RsaKey();

  [[nodiscard]] bool can_unwrap() const noexcept;
  [[nodiscard]] unsigned bits() const noexcept;
  // base64url of the SHA-256 of the SubjectPublicKeyInfo (43 characters): the public half's name.
  [[nodiscard]] const std::string& key_id() const noexcept;

  // Code::crypto of a public key.
  [[nodiscard]] Result<Secret> private_pem() const;
  [[nodiscard]] Result<std::string> public_pem() const;

  // bits / 8 bytes. `secret`: at most bits / 8 - 66 bytes (RFC 8017 7.1.1), else Code::limit; `label` is L there: not
  // stored, the same one opens.
  [[nodiscard]] Result<std::string> wrap(std::span<const std::byte> secret, std::string_view label = {}) const;
  // Code::crypto, always with the same words: which of size, padding and label was wrong is told to nobody (RFC 8017
  // 7.1.2, note).
  [[nodiscard]] Result<Secret> unwrap(std::string_view wrapped, std::string_view label = {}) const;

 private:
  struct Impl;
  explicit RsaKey(std::unique_ptr<Impl> impl) noexcept;
  static Result<RsaKey> checked(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::crypto
