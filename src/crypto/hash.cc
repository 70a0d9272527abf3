#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace sallyport::crypto {
namespace {

[[noreturn]] void die(const char* what) noexcept {
  std::fprintf(stderr, "sallyport: OpenSSL cannot provide %s (out of memory, or a broken installation)\n", what);
  std::abort();
}

template <class T>
T* need(T* pointer, const char* what) noexcept {
  if (pointer == nullptr) die(what);
  return pointer;
}

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)>;

// Fetching costs a locked look-up in the provider: done once, never freed (the process's life).
const EVP_MD* sha256_algorithm() noexcept {
  static const EVP_MD* const algorithm = need(EVP_MD_fetch(nullptr, "SHA256", nullptr), "SHA-256");
  return algorithm;
}

OSSL_PARAM digest_param() noexcept {
  static char name[] = "SHA256";
  return OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
}

MacContext new_hmac() noexcept {
  static EVP_MAC* const algorithm = need(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "HMAC");
  MacContext context(need(EVP_MAC_CTX_new(algorithm), "HMAC"), &EVP_MAC_CTX_free);
  const OSSL_PARAM params[] = {digest_param(), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(context.get(), params) != 1) die("HMAC-SHA-256");
  return context;
}

unsigned char* out(std::byte* bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* in(const std::byte* bytes) noexcept { return reinterpret_cast<const unsigned char*>(bytes); }

// OSSL_PARAM holds no const pointers; KDF inputs are only read.
OSSL_PARAM octets(const char* name, std::span<const std::byte> bytes) noexcept {
  static std::byte none{};
  auto* data = bytes.empty() ? &none : const_cast<std::byte*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
}

Secret hkdf(OSSL_PARAM digest, std::span<const std::byte> key, std::span<const std::byte> salt, std::string_view info,
            std::size_t length) noexcept {
  static EVP_KDF* const algorithm = need(EVP_KDF_fetch(nullptr, "HKDF", nullptr), "HKDF");
  const KdfContext context(need(EVP_KDF_CTX_new(algorithm), "HKDF"), &EVP_KDF_CTX_free);
  const OSSL_PARAM params[] = {digest, octets(OSSL_KDF_PARAM_KEY, key), octets(OSSL_KDF_PARAM_SALT, salt),
                               octets(OSSL_KDF_PARAM_INFO, std::as_bytes(std::span(info))), OSSL_PARAM_construct_end()};
  std::string bytes(length, '\0');
  if (EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(bytes.data()), length, params) != 1) die("HKDF");
  return Secret(std::move(bytes));
}

}  // namespace

Digest sha256(std::span<const std::byte> data) noexcept {
  thread_local const DigestContext context(need(EVP_MD_CTX_new(), "SHA-256"), &EVP_MD_CTX_free);
  Digest digest{};
  if (EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out(digest.data()), nullptr) != 1) {
    die("SHA-256");
  }
  return digest;
}

struct Sha256::Impl {
  DigestContext context{need(EVP_MD_CTX_new(), "SHA-256"), &EVP_MD_CTX_free};
  void begin() const noexcept {
    if (EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) != 1) die("SHA-256");
  }
};

Sha256::Sha256() noexcept : impl_(std::make_unique<Impl>()) { impl_->begin(); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> data) noexcept {
  if (EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()) != 1) die("SHA-256");
}

Digest Sha256::finish() noexcept {
  Digest digest{};
  if (EVP_DigestFinal_ex(impl_->context.get(), out(digest.data()), nullptr) != 1) die("SHA-256");
  impl_->begin();
  return digest;
}

Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data) noexcept {
  thread_local const MacContext context = new_hmac();
  static constexpr unsigned char kNoKey[1] = {};  // a null key would mean "the key of before"
  Digest digest{};
  std::size_t written = 0;
  if (EVP_MAC_init(context.get(), key.empty() ? kNoKey : in(key.data()), key.size(), nullptr) != 1 ||
      EVP_MAC_update(context.get(), in(data.data()), data.size()) != 1 ||
      EVP_MAC_final(context.get(), out(digest.data()), &written, digest.size()) != 1 || written != digest.size()) {
    die("HMAC-SHA-256");
  }
  (void)EVP_MAC_init(context.get(), kNoKey, 0, nullptr);  // it keeps a copy of the key until it is given another
  return digest;
}

Digest keyed_digest(std::span<const std::byte> key, std::string_view data) noexcept {
  static const bool ready = sodium_init() >= 0;  // picks the fastest code of this processor
  Digest digest{};
  if (!ready || crypto_generichash(out(digest.data()), digest.size(), reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                         in(key.data()), key.size()) != 0) {
    die("keyed BLAKE2b");
  }
  return digest;
}

Secret hkdf_sha256(std::span<const std::byte> key, std::span<const std::byte> salt, std::string_view info,
                   std::size_t length) noexcept {
  if (length == 0 || length > 255U * 32) die("an HKDF output of that length");
  return hkdf(digest_param(), key, salt, info, length);
}

Secret hkdf_sha512(std::span<const std::byte> key, std::span<const std::byte> salt, std::string_view info,
                   std::size_t length) noexcept {
  if (length == 0 || length > 255U * 64) die("an HKDF output of that length");
  static char name[] = "SHA512";
  return hkdf(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0), key, salt, info, length);
}

}  // namespace sallyport::crypto
