// Certificates and keys in PEM as OpenSSL's objects. Inside net only.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/hash.h"
#include "crypto/openssl_owners.h"

namespace sallyport::net {

using X509Ptr = crypto::OwnedX509;
using CrlPtr = crypto::OwnedCrl;
using KeyPtr = crypto::OwnedKey;

// What is between the words of a file is passed over, and nobody is asked for a passphrase.
template <class T>
struct PemRead {
  std::vector<T> found;  // in their order; `most` + 1 where there are more
  bool whole = false;  // there was nothing that cannot be read; not looked at where there are more
};
PemRead<X509Ptr> read_pem_certificates(std::string_view pem, std::size_t most);
PemRead<CrlPtr> read_pem_lists(std::string_view pem, std::size_t most);
KeyPtr read_pem_key(std::string_view pem);  // null: none without a passphrase

// One at least, in their order. Errors: config, naming `what`.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem, std::string_view what);
// One that asks for a passphrase is refused: nobody is asked. Errors: config, naming `what`.
Result<KeyPtr> read_key(std::string_view pem, std::string_view what);
// RFC 7469 2.4: of the DER of the SubjectPublicKeyInfo. All zero where it cannot be written.
crypto::Digest spki_digest(const X509& x509);

}  // namespace sallyport::net
