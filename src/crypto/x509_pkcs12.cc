// PKCS #12: a key with its certificates in one file under a password.
#include <openssl/pkcs12.h>

#include "crypto/quiet_errors.h"
#include "crypto/x509_impl.h"
#include "crypto/x509_issue.h"

namespace sallyport::crypto {
namespace {

constexpr int kRounds = 100'000;  // of PBKDF2 (RFC 8018); tens of milliseconds
constexpr std::size_t kPasswordBytesMin = 8;

using Pkcs12Ptr = std::unique_ptr<PKCS12, ReleasedBy<&PKCS12_free>>;

void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }  // not what is in it

}  // namespace

Result<Secret> make_pkcs12(const CertificateKey& key, const Certificate& certificate,
                           std::span<const Certificate> chain, std::string_view name, const Secret& password) {
  const QuietErrors quiet;
  if (password.size() < kPasswordBytesMin) return fail(Code::validation, "a PKCS #12 password has at least 8 bytes");
  if (password.reveal().find('\0') != std::string_view::npos) {
    return fail(Code::validation, "a PKCS #12 password has no NUL");  // OpenSSL reads it as C text
  }
  const std::unique_ptr<STACK_OF(X509), ReleasedBy<&free_stack>> others(sk_X509_new_null());
  for (const Certificate& one : chain) {
    if (!others || sk_X509_push(others.get(), one.impl().x509.get()) <= 0) return fail(Code::crypto, "PKCS #12");
  }
  std::string shown(name);
  std::string typed(password.reveal());  // as C text
  const Pkcs12Ptr bundle(PKCS12_create(typed.c_str(), shown.c_str(), key.impl().key.get(),
                                       certificate.impl().x509.get(), others.get(), NID_aes_256_cbc, NID_aes_256_cbc,
                                       kRounds, -1, 0));
  const bool sealed = bundle && PKCS12_set_mac(bundle.get(), typed.c_str(), -1, nullptr, 0, kRounds, EVP_sha256()) == 1;
  wipe(typed);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!sealed || !bio || i2d_PKCS12_bio(bio.get(), bundle.get()) != 1) {
    return fail(Code::crypto, "a PKCS #12 file could not be made");
  }
  return Secret(text_of(bio.get()));
}

}  // namespace sallyport::crypto
