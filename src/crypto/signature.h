// Ed25519 (RFC 8032): signs the audit's checkpoints. A SigningKey is owned by one object and may sign from any thread;
// its seed comes from the KeyStore (Purpose::audit_signing). Messages of any length are signed as they are (no
// prehash).
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/random.h"
#include "core/result.h"

namespace sallyport::crypto {

using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  // `seed` is the 32 bytes of RFC 8032 5.1.5; Code::crypto for another length.
  static Result<SigningKey> from_seed(std::span<const std::byte> seed);
  static Result<SigningKey> generate(Random& random);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  [[nodiscard]] const PublicKey& public_key() const noexcept;
  [[nodiscard]] Result<Signature> sign(std::span<const std::byte> message) const;
  [[nodiscard]] Result<Signature> sign(std::string_view message) const {
    return sign(std::as_bytes(std::span(message)));
  }

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// False for anything that is not this key's signature of this message, malformed keys included.
[[nodiscard]] bool verify(const PublicKey& key, std::span<const std::byte> message,
                          std::span<const std::byte> signature) noexcept;
[[nodiscard]] inline bool verify(const PublicKey& key, std::string_view message,
                                 std::span<const std::byte> signature) noexcept {
  return verify(key, std::as_bytes(std::span(message)), signature);
}

}  // namespace sallyport::crypto
