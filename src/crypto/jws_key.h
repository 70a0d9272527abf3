// One key of JSON Web Signatures, pinned to one algorithm for its life (RFC 8725 3.1): HS256 (RFC 7518 3.2), RS256 (3.3),
// ES256 (3.4), EdDSA with Ed25519 (RFC 8037 3.1). Nothing here asks a token which algorithm it would like. Immutable,
// any thread. Private halves leave it only as a Secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::crypto {

enum class JwsAlgorithm : std::uint8_t { hs256, es256, rs256, eddsa };

// "HS256", "ES256", "RS256", "EdDSA" (RFC 7518 3.1, RFC 8037 3.1); exact case, nothing else.
[[nodiscard]] std::string_view name_of(JwsAlgorithm algorithm) noexcept;
[[nodiscard]] std::optional<JwsAlgorithm> jws_algorithm(std::string_view name) noexcept;

struct JwkMember {
  std::string_view name;
  std::string value;  // a JSON string that needs no escape
};

class JwsKey {
 public:
  // A new key: 32 bytes of `random`, or by OpenSSL's own source: P-256, RSA of 3072 bits (some tenths of a second),
  // Ed25519.
  static Result<JwsKey> generate(JwsAlgorithm algorithm, Random& random);
  // HS256. Code::crypto below 32 bytes (RFC 7518 3.2).
  static Result<JwsKey> from_secret(std::span<const std::byte> secret);
  // PKCS #8 and SubjectPublicKeyInfo, DER, asymmetric algorithms only. Code::crypto where the key is not of exactly this
  // algorithm's kind: another curve, RSA below 2048 bits, bytes behind the end.
  static Result<JwsKey> from_private(JwsAlgorithm algorithm, std::string_view der);
  static Result<JwsKey> from_public(JwsAlgorithm algorithm, std::string_view der);

  JwsKey(JwsKey&&) noexcept;
  JwsKey& operator=(JwsKey&&) noexcept;
  ~JwsKey();

  [[nodiscard]] JwsAlgorithm algorithm() const noexcept;
  [[nodiscard]] bool can_sign() const noexcept;

  // The signature's bytes as RFC 7518 wants them: of ES256 it is r || s, never DER.
  [[nodiscard]] Result<std::string> sign(std::string_view input) const;
  // False for anything that is not this key's signature of `input` in that form.
  [[nodiscard]] bool verify(std::string_view input, std::string_view signature) const noexcept;

  // The secret, or PKCS #8; Code::crypto of a public key.
  [[nodiscard]] Result<Secret> private_bytes() const;
  // SubjectPublicKeyInfo; Code::crypto of HS256, which has no public half.
  [[nodiscard]] Result<std::string> public_bytes() const;

  // The members that RFC 7638 3.2 requires, in its order; empty for HS256: a symmetric key is never published.
  [[nodiscard]] const std::vector<JwkMember>& public_jwk() const noexcept;
  // RFC 7638 with SHA-256, base64url; empty for HS256.
  [[nodiscard]] std::string thumbprint() const;

 private:
  struct Impl;
  explicit JwsKey(std::unique_ptr<Impl> impl) noexcept;
  static Result<JwsKey> checked(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::crypto
