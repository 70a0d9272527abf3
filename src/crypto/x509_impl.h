// What x509*.cc share: OpenSSL's types, each with one owner. Internal to crypto.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "crypto/x509.h"
#include "crypto/x509_key.h"

namespace sallyport::crypto {

template <auto free_it>
struct Release {
  template <class T>
  void operator()(T* what) const noexcept {
    free_it(what);
  }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Release<X509_CRL_free>>;
using NamePtr = std::unique_ptr<X509_NAME, Release<X509_NAME_free>>;
using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using BignumPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Release<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Release<ASN1_TIME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;

struct CertificateKey::Impl {
  PkeyPtr key;
  std::string spki_sha256;
};

struct Certificate::Impl {
  X509Ptr x509;
  CertificateFacts facts;
};

// Code::crypto: null, or something in it that cannot be read.
Result<Certificate> certificate_of(X509Ptr x509);
std::string spki_sha256_of(X509_PUBKEY* key);
// What a memory BIO holds.
std::string text_of(BIO* bio);
// Lower-case hex, two digits a byte; empty: it is negative, zero or over 20 bytes (RFC 5280 4.1.2.2).
std::string serial_text(const ASN1_INTEGER* serial);
IntegerPtr serial_number(std::string_view hex);  // null: no hex, or too long
std::optional<WallTime> wall_time(const ASN1_TIME* time);
TimePtr asn1_time(WallTime time);  // null: out of range
// PEM blocks of that name, nothing but blanks around them, at most `most`; empty where it is anything else.
std::vector<std::string> pem_blocks(std::string_view pem, const char* name, std::size_t most);

}  // namespace sallyport::crypto
