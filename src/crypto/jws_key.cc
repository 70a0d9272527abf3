#include "crypto/jws_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/ecdsa_form.h"
#include "crypto/hash.h"
#include "crypto/openssl_owners.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kCoordinateBytes = 32;
constexpr int kRsaBitsMin = 2048;       // RFC 7518 3.3
constexpr unsigned kRsaBitsMade = 3072;  // NIST SP 800-57: good beyond 2030

constexpr std::array<std::string_view, 4> kNames{"HS256", "ES256", "RS256", "EdDSA"};

std::unexpected<Error> failed(const char* what) { return fail(Code::crypto, what); }

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

bool is_of_its_kind(JwsAlgorithm algorithm, const EVP_PKEY* key) noexcept {
  switch (algorithm) {
    case JwsAlgorithm::hs256: return false;
    case JwsAlgorithm::rs256: return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= kRsaBitsMin;
    case JwsAlgorithm::eddsa: return EVP_PKEY_is_a(key, "ED25519") == 1;
    case JwsAlgorithm::es256: {
      std::array<char, 32> group{};
      std::size_t size = 0;
      return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
             std::string_view(group.data(), size) == "prime256v1";
    }
  }
  return false;
}

// base64urlUInt of RFC 7518 2; `size` 0: as many bytes as the number needs, else exactly so many (6.2.1.2).
std::string number_of(const EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const OwnedNumber number(raw);
  std::string text(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  if (BN_bn2binpad(number.get(), bytes(text), static_cast<int>(text.size())) < 0) return {};
  return base64url_encode(as_bytes(text));
}

std::string raw_public(const EVP_PKEY* key) {
  std::string text(32, '\0');
  std::size_t size = text.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes(text), &size) != 1 || size != text.size()) return {};
  return base64url_encode(as_bytes(text));
}

// RFC 7638 3.2, RFC 8037 2: lexicographic order.
std::vector<JwkMember> members_of(JwsAlgorithm algorithm, const EVP_PKEY* key) {
  if (algorithm == JwsAlgorithm::rs256) {
    return {{"e", number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)},
            {"kty", "RSA"},
            {"n", number_of(key, OSSL_PKEY_PARAM_RSA_N, 0)}};
  }
  if (algorithm == JwsAlgorithm::eddsa) return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", raw_public(key)}};
  return {{"crv", "P-256"},
          {"kty", "EC"},
          {"x", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateBytes)},
          {"y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateBytes)}};
}

}  // namespace

struct JwsKey::Impl {
  JwsAlgorithm algorithm = JwsAlgorithm::hs256;
  Secret secret;  // HS256 alone
  OwnedKey key;
  bool is_private = false;
  std::vector<JwkMember> jwk;

  // EdDSA hashes by itself.
  [[nodiscard]] const char* digest() const noexcept { return algorithm == JwsAlgorithm::eddsa ? nullptr : "SHA256"; }
};

JwsKey::JwsKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
JwsKey::JwsKey(JwsKey&&) noexcept = default;
JwsKey& JwsKey::operator=(JwsKey&&) noexcept = default;
JwsKey::~JwsKey() = default;

std::string_view name_of(JwsAlgorithm algorithm) noexcept { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<JwsAlgorithm> jws_algorithm(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<JwsAlgorithm>(i);
  }
  return std::nullopt;
}

Result<JwsKey> JwsKey::checked(std::unique_ptr<Impl> impl) {
  if (!impl->key || !is_of_its_kind(impl->algorithm, impl->key.get())) {
    return failed("not a key of its algorithm's kind");
  }
  impl->jwk = members_of(impl->algorithm, impl->key.get());
  for (const JwkMember& member : impl->jwk) {
    if (member.value.empty()) return failed("a key whose public half cannot be read");
  }
  return JwsKey(std::move(impl));
}

Result<JwsKey> JwsKey::generate(JwsAlgorithm algorithm, Random& random) {
  if (algorithm == JwsAlgorithm::hs256) {
    std::string secret(kSecretBytes, '\0');
    random.fill(std::as_writable_bytes(std::span(secret)));
    auto made = from_secret(as_bytes(secret));
    wipe(secret);
    return made;
  }
  auto impl = std::make_unique<Impl>();
  impl->algorithm = algorithm;
  impl->is_private = true;
  impl->key.reset(algorithm == JwsAlgorithm::es256   ? EVP_EC_gen("P-256")
                  : algorithm == JwsAlgorithm::rs256 ? EVP_RSA_gen(kRsaBitsMade)
                                                     : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return checked(std::move(impl));
}

Result<JwsKey> JwsKey::from_secret(std::span<const std::byte> secret) {
  if (secret.size() < kSecretBytes) return failed("an HS256 key has at least 32 bytes");
  auto impl = std::make_unique<Impl>();
  impl->secret = Secret(std::string(as_text(secret)));
  impl->is_private = true;
  return JwsKey(std::move(impl));
}

Result<JwsKey> JwsKey::from_private(JwsAlgorithm algorithm, std::string_view der) {
  auto impl = std::make_unique<Impl>();
  impl->algorithm = algorithm;
  impl->is_private = true;
  const unsigned char* at = bytes(der);
  const OwnedPkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != bytes(der) + der.size()) return failed("not a private key");
  impl->key.reset(EVP_PKCS82PKEY(info.get()));
  return checked(std::move(impl));
}

Result<JwsKey> JwsKey::from_public(JwsAlgorithm algorithm, std::string_view der) {
  auto impl = std::make_unique<Impl>();
  impl->algorithm = algorithm;
  const unsigned char* at = bytes(der);
  impl->key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!impl->key || at != bytes(der) + der.size()) return failed("not a public key");
  return checked(std::move(impl));
}

JwsAlgorithm JwsKey::algorithm() const noexcept { return impl_->algorithm; }
bool JwsKey::can_sign() const noexcept { return impl_->is_private; }

Result<std::string> JwsKey::sign(std::string_view input) const {
  if (!impl_->is_private) return failed("a public key does not sign");
  if (impl_->algorithm == JwsAlgorithm::hs256) {
    return std::string(as_text(hmac_sha256(as_bytes(impl_->secret.reveal()), input)));
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, impl_->digest(), nullptr, nullptr, impl_->key.get(), nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes(input), input.size()) != 1) {
    return failed("signing failed");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes(signature), &size, bytes(input), input.size()) != 1) {
    return failed("signing failed");
  }
  signature.resize(size);
  if (impl_->algorithm != JwsAlgorithm::es256) return signature;
  auto raw = ecdsa_raw(signature, kCoordinateBytes);
  if (!raw) return failed("signing failed");
  return std::move(*raw);
}

bool JwsKey::verify(std::string_view input, std::string_view signature) const noexcept {
  if (impl_->algorithm == JwsAlgorithm::hs256) {
    return equal_constant_time(hmac_sha256(as_bytes(impl_->secret.reveal()), input), as_bytes(signature));
  }
  std::optional<std::string> der;
  if (impl_->algorithm == JwsAlgorithm::es256) {
    der = ecdsa_der(signature, kCoordinateBytes);
    if (!der) return false;
    signature = *der;
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, impl_->digest(), nullptr, nullptr, impl_->key.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(input), input.size()) == 1;
}

Result<Secret> JwsKey::private_bytes() const {
  if (!impl_->is_private) return failed("a public key has no private half");
  if (impl_->algorithm == JwsAlgorithm::hs256) return impl_->secret.clone();
  const OwnedPkcs8 info(EVP_PKEY2PKCS8(impl_->key.get()));
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
  if (size <= 0) return failed("a private key that cannot be written");
  Secret out(std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Result<std::string> JwsKey::public_bytes() const {
  unsigned char* der = nullptr;
  const int size = impl_->key ? i2d_PUBKEY(impl_->key.get(), &der) : -1;
  if (size <= 0) return failed("a key without a public half");
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

const std::vector<JwkMember>& JwsKey::public_jwk() const noexcept { return impl_->jwk; }

std::string JwsKey::thumbprint() const {
  if (impl_->jwk.empty()) return {};
  std::string text;
  for (const JwkMember& member : impl_->jwk) {
    text.append(text.empty() ? "{\"" : ",\"").append(member.name).append("\":\"").append(member.value).append("\"");
  }
  return base64url_encode(sha256(text + "}"));
}

}  // namespace sallyport::crypto
