// Certificates (X.509, RFC 5280) as others read them: what one says, whose key it is for, who signed it. Strict: one form of
// PEM, bounds on everything, nothing of OpenSSL in sight. What is read here is not thereby trusted. Immutable, any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "crypto/alt_name.h"
#include "crypto/x509_key.h"

namespace sallyport::crypto {

inline constexpr std::size_t kCertificateBytesMax = 32U << 10;  // of one, in DER
inline constexpr std::size_t kChainPemBytesMax = 128U << 10;
inline constexpr std::size_t kChainMax = 10;

struct CertificateFacts {
  std::string subject, issuer;  // RFC 2253, control characters escaped
  std::string common_name;  // of the subject; empty: none, or several
  std::vector<AltName> alt_names;  // those of the four kinds, as they stand there; nobody has checked their form
  bool other_names = false;  // there are names of other kinds too
  WallTime not_before{}, not_after{};
  std::string serial;  // lower-case hex
  std::string fingerprint_sha256, spki_sha256;  // 64 hex digits
  std::string key;  // "EC P-256", "RSA 3072", ...
  bool is_ca = false;
  bool for_server = false, for_client = false;  // extended key usage
};

class Certificate {
 public:
  // One PEM block "CERTIFICATE", or up to 10 of them; nothing but blanks around them. Code::crypto: anything else;
  // Code::limit: too long.
  static Result<Certificate> from_pem(std::string_view pem);
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view pem);

  Certificate(Certificate&&) noexcept;
  Certificate& operator=(Certificate&&) noexcept;
  ~Certificate();

  [[nodiscard]] const CertificateFacts& facts() const noexcept;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] bool belongs_to(const CertificateKey& key) const noexcept;
  // Named after `authority` and signed by its key; validity is not looked at.
  [[nodiscard]] bool issued_by(const Certificate& authority) const noexcept;

  struct Impl;  // of x509*.cc alone
  explicit Certificate(std::unique_ptr<Impl> impl) noexcept;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::crypto
