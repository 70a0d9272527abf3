// Owners of OpenSSL's objects, for every unit of crypto that holds keys. Internal to crypto.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace sallyport::crypto {

template <auto release>
struct ReleasedBy {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};

using OwnedKey = std::unique_ptr<EVP_PKEY, ReleasedBy<&EVP_PKEY_free>>;
using OwnedKeyContext = std::unique_ptr<EVP_PKEY_CTX, ReleasedBy<&EVP_PKEY_CTX_free>>;
using OwnedDigestContext = std::unique_ptr<EVP_MD_CTX, ReleasedBy<&EVP_MD_CTX_free>>;
using OwnedNumber = std::unique_ptr<BIGNUM, ReleasedBy<&BN_free>>;
using OwnedPkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, ReleasedBy<&PKCS8_PRIV_KEY_INFO_free>>;
using OwnedBio = std::unique_ptr<BIO, ReleasedBy<&BIO_free>>;

}  // namespace sallyport::crypto
