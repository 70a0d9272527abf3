#include "crypto/signature.h"

#include <openssl/evp.h>

#include <string>
#include <utility>

#include "core/secret.h"

namespace sallyport::crypto {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes(std::span<const std::byte> data) noexcept {
  return reinterpret_cast<const unsigned char*>(data.data());
}
unsigned char* bytes(std::byte* data) noexcept { return reinterpret_cast<unsigned char*>(data); }

}  // namespace

struct SigningKey::Impl {
  Key key{nullptr, &EVP_PKEY_free};
  PublicKey public_key{};
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::from_seed(std::span<const std::byte> seed) {
  if (seed.size() != 32) return fail(Code::crypto, "an Ed25519 seed has 32 bytes");
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, bytes(seed), seed.size()));
  std::size_t size = impl->public_key.size();
  if (!impl->key || EVP_PKEY_get_raw_public_key(impl->key.get(), bytes(impl->public_key.data()), &size) != 1 ||
      size != impl->public_key.size()) {
    return fail(Code::crypto, "Ed25519 key generation failed");
  }
  return SigningKey(std::move(impl));
}

Result<SigningKey> SigningKey::generate(Random& random) {
  std::string seed(32, '\0');
  random.fill(std::as_writable_bytes(std::span(seed)));
  auto key = from_seed(std::as_bytes(std::span(seed)));
  wipe(seed);
  return key;
}

const PublicKey& SigningKey::public_key() const noexcept { return impl_->public_key; }

Result<Signature> SigningKey::sign(std::span<const std::byte> message) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Signature signature{};
  std::size_t size = signature.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, impl_->key.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), bytes(signature.data()), &size, bytes(message), message.size()) != 1 ||
      size != signature.size()) {
    return fail(Code::crypto, "Ed25519 signing failed");
  }
  return signature;
}

bool verify(const PublicKey& key, std::span<const std::byte> message, std::span<const std::byte> signature) noexcept {
  if (signature.size() != Signature{}.size()) return false;
  const Key loaded(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes(key), key.size()), &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return loaded && context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, loaded.get(), nullptr) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
}

}  // namespace sallyport::crypto
