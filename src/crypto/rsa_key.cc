#include "crypto/rsa_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/openssl_owners.h"
#include "crypto/quiet_errors.h"

namespace sallyport::crypto {
namespace {

constexpr unsigned long kExponent = 65'537;
constexpr std::string_view kNotOpened = "a wrapped key does not open";

std::unexpected<Error> failed(std::string_view what) { return fail(Code::crypto, std::string(what)); }

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

bool is_accepted_size(unsigned bits) noexcept { return bits == 2048 || bits == 3072 || bits == 4096; }

bool has_our_exponent(const EVP_PKEY* key) noexcept {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return false;
  const OwnedNumber exponent(raw);
  return BN_is_word(exponent.get(), kExponent) == 1;
}

// NIST SP 800-56B r2 6.4.2: odd, composite, no power of a prime, without small factors.
bool is_sound_modulus(EVP_PKEY* key) noexcept {
  const OwnedKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

// The DER within one PEM block of that name, or nothing; zeroed when it goes.
Secret der_of(std::string_view pem, const char* name) {
  const std::string begin = "-----BEGIN " + std::string(name) + "-----";
  if (pem.size() > kRsaPemBytesMax || !pem.starts_with(begin)) return {};
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // OpenSSL's own would ask for it on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  unsigned char* data = nullptr;
  long size = 0;
  if (!bio || PEM_bytes_read_bio_secmem(&data, &size, nullptr, name, bio.get(), no_password, nullptr) != 1) return {};
  Secret der(std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)));
  OPENSSL_secure_clear_free(data, static_cast<std::size_t>(size));
  if (BIO_pending(bio.get()) != 0) return {};
  return der;
}

EVP_PKEY* private_key(std::string_view der) {
  const unsigned char* at = bytes(der);
  const OwnedPkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  return info && at == bytes(der) + der.size() ? EVP_PKCS82PKEY(info.get()) : nullptr;
}

OwnedKey public_key(std::string_view der) {
  const unsigned char* at = bytes(der);
  OwnedKey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (at != bytes(der) + der.size()) key.reset();
  return key;
}

std::string key_id_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  const Digest digest = sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return base64url_encode(digest);
}

using InitOaep = int (*)(EVP_PKEY_CTX*, const OSSL_PARAM*);

// Ready for OAEP with SHA-256 throughout, or null.
OwnedKeyContext oaep(EVP_PKEY* key, std::string_view label, InitOaep init) {
  static char padding[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
  static char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding, 0),
                         OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, 0),
                         OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (!label.empty()) {  // only read; OSSL_PARAM knows no const
    params[3] = OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, const_cast<char*>(label.data()),
                                                  label.size());
  }
  OwnedKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context && init(context.get(), params) != 1) context.reset();
  return context;
}

}  // namespace

struct RsaKey::Impl {
  OwnedKey key;
  std::string key_id;
  unsigned bits = 0;
  bool is_private = false;
};

RsaKey::RsaKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
RsaKey::RsaKey(RsaKey&&) noexcept = default;
RsaKey& RsaKey::operator=(RsaKey&&) noexcept = default;
RsaKey::~RsaKey() = default;

Result<RsaKey> RsaKey::checked(std::unique_ptr<Impl> impl) {
  EVP_PKEY* const key = impl->key.get();
  if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1) return failed("not an RSA key");
  impl->bits = static_cast<unsigned>(EVP_PKEY_get_bits(key));
  if (!is_accepted_size(impl->bits)) return failed("an RSA key has 2048, 3072 or 4096 bits");
  if (!has_our_exponent(key)) return failed("an RSA key's exponent is 65537");
  if (!is_sound_modulus(key)) return failed("not an RSA modulus");
  impl->key_id = key_id_of(key);
  if (impl->key_id.empty()) return failed("a key whose public half cannot be written");
  RsaKey made(std::move(impl));
  if (!made.can_unwrap()) return made;
  // A full check (EVP_PKEY_check) proves the primes for tenths of a second; that both halves are one key is what counts.
  constexpr std::string_view kProbe = "both halves belong together";
  SP_TRY(const std::string wrapped, made.wrap(as_bytes(kProbe)));
  const auto opened = made.unwrap(wrapped);
  if (!opened || opened->reveal() != kProbe) return failed("the private half belongs to another public one");
  return made;
}

Result<RsaKey> RsaKey::generate(unsigned bits) {
  const QuietErrors quiet;
  if (!is_accepted_size(bits)) return failed("an RSA key has 2048, 3072 or 4096 bits");
  auto impl = std::make_unique<Impl>();
  impl->is_private = true;
  impl->key.reset(EVP_RSA_gen(static_cast<std::size_t>(bits)));
  return checked(std::move(impl));
}

Result<RsaKey> RsaKey::from_private_pem(std::string_view pem) {
  const QuietErrors quiet;
  auto impl = std::make_unique<Impl>();
  impl->is_private = true;
  impl->key.reset(private_key(der_of(pem, PEM_STRING_PKCS8INF).reveal()));
  return checked(std::move(impl));
}

Result<RsaKey> RsaKey::from_public_pem(std::string_view pem) {
  const QuietErrors quiet;
  auto impl = std::make_unique<Impl>();
  impl->key = public_key(der_of(pem, PEM_STRING_PUBLIC).reveal());
  return checked(std::move(impl));
}

bool RsaKey::can_unwrap() const noexcept { return impl_->is_private; }
unsigned RsaKey::bits() const noexcept { return impl_->bits; }
const std::string& RsaKey::key_id() const noexcept { return impl_->key_id; }

Result<Secret> RsaKey::private_pem() const {
  const QuietErrors quiet;
  if (!impl_->is_private) return failed("a public key has no private half");
  const OwnedBio bio(BIO_new(BIO_s_secmem()));  // zeroed when it goes
  char* text = nullptr;
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("a private key that cannot be written");
  }
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret(std::string(text, static_cast<std::size_t>(size)));
}

Result<std::string> RsaKey::public_pem() const {
  const QuietErrors quiet;
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) != 1) {
    return failed("a public key that cannot be written");
  }
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> RsaKey::wrap(std::span<const std::byte> secret, std::string_view label) const {
  const QuietErrors quiet;
  const std::size_t modulus_bytes = impl_->bits / 8;
  if (secret.size() > modulus_bytes - 66) return fail(Code::limit, "too long for RSA-OAEP with this key");
  const OwnedKeyContext context = oaep(impl_->key.get(), label, &EVP_PKEY_encrypt_init_ex);
  std::string wrapped(modulus_bytes, '\0');
  std::size_t size = wrapped.size();
  const std::string_view text = secret.empty() ? std::string_view("") : as_text(secret);
  if (!context || EVP_PKEY_encrypt(context.get(), bytes(wrapped), &size, bytes(text), text.size()) != 1 ||
      size != wrapped.size()) {
    return failed("RSA-OAEP could not wrap");
  }
  return wrapped;
}

Result<Secret> RsaKey::unwrap(std::string_view wrapped, std::string_view label) const {
  const QuietErrors quiet;
  const std::size_t modulus_bytes = impl_->bits / 8;
  if (!impl_->is_private || wrapped.size() != modulus_bytes) return failed(kNotOpened);
  const OwnedKeyContext context = oaep(impl_->key.get(), label, &EVP_PKEY_decrypt_init_ex);
  std::string out(modulus_bytes, '\0');
  std::size_t size = out.size();
  const bool opened =
      context && EVP_PKEY_decrypt(context.get(), bytes(out), &size, bytes(wrapped), wrapped.size()) == 1;
  Secret secret(opened ? out.substr(0, size) : std::string());
  wipe(out);
  if (!opened) return failed(kNotOpened);
  return secret;
}

}  // namespace sallyport::crypto
