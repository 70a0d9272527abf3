// The key pair behind a certificate: EC P-256, or RSA of 3072 bits where a peer needs it. Made by OpenSSL's own random
// source. Immutable, any thread. The private half leaves it only as a Secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"

namespace sallyport::crypto {

enum class CertificateKeyType : std::uint8_t { ec_p256, rsa_3072 };

inline constexpr std::size_t kKeyPemBytesMax = 16U << 10;

// "ec-p256", "rsa-3072"; nothing else.
[[nodiscard]] std::string_view name_of(CertificateKeyType type) noexcept;
[[nodiscard]] std::optional<CertificateKeyType> certificate_key_type(std::string_view name) noexcept;

class CertificateKey {
 public:
  // P-256 in a moment, RSA in some tenths of a second.
  static Result<CertificateKey> generate(CertificateKeyType type);
  // One PEM block "PRIVATE KEY" (PKCS #8, not encrypted), or the older "EC PRIVATE KEY" (RFC 5915) or "RSA PRIVATE KEY", nothing
  // but blanks around it. Code::crypto for anything else, and for a key of another type: P-256, or RSA of 2048 to 4096 bits.
  static Result<CertificateKey> from_pem(std::string_view pem);

  CertificateKey(CertificateKey&&) noexcept;
  CertificateKey& operator=(CertificateKey&&) noexcept;
  ~CertificateKey();

  [[nodiscard]] Result<Secret> private_pem() const;  // PKCS #8
  // Hex of the SHA-256 of the SubjectPublicKeyInfo, 64 digits: what a pin names.
  [[nodiscard]] const std::string& spki_sha256() const noexcept;

  struct Impl;  // of x509*.cc alone
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit CertificateKey(std::unique_ptr<Impl> impl) noexcept;
  static Result<CertificateKey> checked(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// For who makes one on a thread beside, where RSA would hold up everybody for a second or more. Any thread.
inline Result<std::shared_ptr<CertificateKey>> fresh_certificate_key(CertificateKeyType type) {
  SP_TRY(auto key, CertificateKey::generate(type));
  return std::make_shared<CertificateKey>(std::move(key));
}

}  // namespace sallyport::crypto
