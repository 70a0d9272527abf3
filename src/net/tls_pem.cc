#include "net/tls_pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string>
#include <utility>

#include "crypto/x509_fields.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kCertificatesMax = 512;  // a whole file of the system's authorities is some 150

// Else OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

template <class T, auto read_one>
PemRead<T> read_pem(std::string_view pem, std::size_t most) {
  PemRead<T> out;
  ERR_clear_error();
  const crypto::OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (bio && out.found.size() <= most) {
    T one(read_one(bio.get(), nullptr, no_passphrase, nullptr));
    if (!one) break;
    out.found.push_back(std::move(one));
  }
  out.whole = bio && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return out;
}

}  // namespace

PemRead<X509Ptr> read_pem_certificates(std::string_view pem, std::size_t most) {
  return read_pem<X509Ptr, PEM_read_bio_X509>(pem, most);
}

PemRead<CrlPtr> read_pem_lists(std::string_view pem, std::size_t most) {
  return read_pem<CrlPtr, PEM_read_bio_X509_CRL>(pem, most);
}

KeyPtr read_pem_key(std::string_view pem) {
  const crypto::OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  ERR_clear_error();
  return key;
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem, std::string_view what) {
  auto read = read_pem_certificates(pem, kCertificatesMax);
  if (read.found.size() > kCertificatesMax)
    return fail(Code::config, std::string(what) + ": more than 512 certificates");
  if (read.found.empty()) return fail(Code::config, std::string(what) + ": no certificate (PEM)");
  if (!read.whole) return fail(Code::config, std::string(what) + ": a certificate that cannot be read");
  return std::move(read.found);
}

Result<KeyPtr> read_key(std::string_view pem, std::string_view what) {
  KeyPtr key = read_pem_key(pem);
  if (!key) return fail(Code::config, std::string(what) + ": no private key (PEM without a passphrase)");
  return key;
}

crypto::Digest spki_digest(const X509& x509) {
  return crypto::spki_digest(X509_get_X509_PUBKEY(&x509)).value_or(crypto::Digest{});
}

}  // namespace sallyport::net
