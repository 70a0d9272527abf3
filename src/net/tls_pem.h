// Certificates and keys in PEM as OpenSSL's objects. Inside net only.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/hash.h"

namespace sallyport::net {

struct X509Free {
  void operator()(X509* x509) const noexcept { X509_free(x509); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

// One at least, in their order. Errors: config, naming `what`.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem, std::string_view what);
// One that asks for a passphrase is refused: nobody is asked. Errors: config, naming `what`.
Result<KeyPtr> read_key(std::string_view pem, std::string_view what);
// RFC 7469 2.4: of the DER of the SubjectPublicKeyInfo. All zero where it cannot be written.
crypto::Digest spki_digest(const X509& x509);

}  // namespace sallyport::net
