#include "crypto/x509_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/quiet_errors.h"
#include "crypto/x509_impl.h"

namespace sallyport::crypto {
namespace {

constexpr std::array<std::string_view, 2> kTypes{"ec-p256", "rsa-3072"};

std::unexpected<Error> failed(std::string_view what) { return fail(Code::crypto, std::string(what)); }

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

bool is_accepted(const EVP_PKEY* key) {
  if (is_p256(key)) return true;
  const int bits = EVP_PKEY_get_bits(key);
  return EVP_PKEY_is_a(key, "RSA") == 1 && bits >= 2048 && bits <= 4096;
}

bool halves_fit(EVP_PKEY* key) {
  const std::unique_ptr<EVP_PKEY_CTX, ReleasedBy<&EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_pairwise_check(context.get()) == 1;
}

PkeyPtr older_key_of(int type, const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  PkeyPtr key(d2i_PrivateKey(type, nullptr, &at, static_cast<long>(der.size())));
  if (at != end) key.reset();
  return key;
}

PkeyPtr key_of(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, ReleasedBy<&PKCS8_PRIV_KEY_INFO_free>> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  return PkeyPtr(info && at == end ? EVP_PKCS82PKEY(info.get()) : nullptr);
}

}  // namespace

std::string_view name_of(CertificateKeyType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }

std::optional<CertificateKeyType> certificate_key_type(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i] == name) return static_cast<CertificateKeyType>(i);
  }
  return std::nullopt;
}

CertificateKey::CertificateKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
CertificateKey::CertificateKey(CertificateKey&&) noexcept = default;
CertificateKey& CertificateKey::operator=(CertificateKey&&) noexcept = default;
CertificateKey::~CertificateKey() = default;

Result<CertificateKey> CertificateKey::checked(std::unique_ptr<Impl> impl) {
  if (!impl->key || !is_accepted(impl->key.get()))
    return failed("a certificate's key is EC P-256, or RSA of 2048 to 4096 bits");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(impl->key.get(), &der);
  if (size <= 0) return failed("a key whose public half cannot be written");
  impl->spki_sha256 = hex_encode(sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size)))));
  OPENSSL_free(der);
  return CertificateKey(std::move(impl));
}

Result<CertificateKey> CertificateKey::generate(CertificateKeyType type) {
  const QuietErrors quiet;
  auto impl = std::make_unique<Impl>();
  impl->key.reset(type == CertificateKeyType::ec_p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(3072));
  return checked(std::move(impl));
}

Result<CertificateKey> CertificateKey::from_pem(std::string_view pem) {
  const QuietErrors quiet;
  if (pem.size() > kKeyPemBytesMax) return fail(Code::limit, "a private key of more than 16 KiB");
  auto impl = std::make_unique<Impl>();
  if (auto blocks = pem_blocks(pem, PEM_STRING_PKCS8INF, 1); !blocks.empty()) {
    impl->key = key_of(blocks.front());
    wipe(blocks.front());
  } else if (auto ec = pem_blocks(pem, PEM_STRING_ECPRIVATEKEY, 1); !ec.empty()) {
    impl->key = older_key_of(EVP_PKEY_EC, ec.front());
    wipe(ec.front());
  } else if (auto rsa = pem_blocks(pem, PEM_STRING_RSA, 1); !rsa.empty()) {
    impl->key = older_key_of(EVP_PKEY_RSA, rsa.front());
    wipe(rsa.front());
  }
  if (!impl->key) return failed("not one PEM block PRIVATE KEY");
  if (impl->key && !halves_fit(impl->key.get())) return failed("the private half belongs to another public one");
  return checked(std::move(impl));
}

Result<Secret> CertificateKey::private_pem() const {
  const QuietErrors quiet;
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("a private key that cannot be written");
  }
  return Secret(text_of(bio.get()));
}

const std::string& CertificateKey::spki_sha256() const noexcept { return impl_->spki_sha256; }

}  // namespace sallyport::crypto
