#include "net/tls_pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string>

namespace sallyport::net {
namespace {

constexpr std::size_t kCertificatesMax = 512;  // a whole file of the system's authorities is some 150

struct BioFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

BioPtr view(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// Else OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem, std::string_view what) {
  const BioPtr bio = view(pem);
  std::vector<X509Ptr> out;
  ERR_clear_error();
  while (out.size() <= kCertificatesMax) {
    X509Ptr one(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (!one) break;
    out.push_back(std::move(one));
  }
  const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.size() > kCertificatesMax) return fail(Code::config, std::string(what) + ": more than 512 certificates");
  if (out.empty()) return fail(Code::config, std::string(what) + ": no certificate (PEM)");
  if (!end) return fail(Code::config, std::string(what) + ": a certificate that cannot be read");
  return out;
}

Result<KeyPtr> read_key(std::string_view pem, std::string_view what) {
  const BioPtr bio = view(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return fail(Code::config, std::string(what) + ": no private key (PEM without a passphrase)");
  return key;
}

crypto::Digest spki_digest(const X509& x509) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&x509), &der);
  if (size <= 0) return {};
  const auto digest =
      crypto::sha256(std::span(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return digest;
}

}  // namespace sallyport::net
