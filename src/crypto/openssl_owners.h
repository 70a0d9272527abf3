// Owners of OpenSSL's objects, for the units of crypto and net that hold some. In no public header.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

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
using OwnedX509 = std::unique_ptr<X509, ReleasedBy<&X509_free>>;
using OwnedCrl = std::unique_ptr<X509_CRL, ReleasedBy<&X509_CRL_free>>;
using OwnedNames = std::unique_ptr<GENERAL_NAMES, ReleasedBy<&GENERAL_NAMES_free>>;

}  // namespace sallyport::crypto
