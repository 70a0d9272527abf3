// What x509*.cc share: OpenSSL's types, each with one owner. Internal to crypto.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "crypto/openssl_owners.h"
#include "crypto/x509.h"
#include "crypto/x509_fields.h"
#include "crypto/x509_key.h"

namespace sallyport::crypto {

using PkeyPtr = OwnedKey;
using X509Ptr = OwnedX509;
using CrlPtr = OwnedCrl;
using BioPtr = OwnedBio;
using BignumPtr = OwnedNumber;
using NamesPtr = OwnedNames;
using NamePtr = std::unique_ptr<X509_NAME, ReleasedBy<&X509_NAME_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, ReleasedBy<&ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, ReleasedBy<&ASN1_TIME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, ReleasedBy<&X509_EXTENSION_free>>;

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
// What a memory BIO holds.
std::string text_of(BIO* bio);
// Lower-case hex, two digits a byte; empty: it is negative, zero or over 20 bytes (RFC 5280 4.1.2.2).
std::string serial_text(const ASN1_INTEGER* serial);
IntegerPtr serial_number(std::string_view hex);  // null: no hex, or too long
TimePtr asn1_time(WallTime time);  // null: out of range
// PEM blocks of that name, nothing but blanks around them, at most `most`; empty where it is anything else.
std::vector<std::string> pem_blocks(std::string_view pem, const char* name, std::size_t most);

}  // namespace sallyport::crypto
