// Certificates made for a test, with an issuer or by themselves. Tests only.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <string>

#include "net/tls_pem.h"

namespace sallyport::net::made {

struct Issued;

struct Wanted {
  std::string common_name = "test";
  std::string alt_names = "IP:127.0.0.1";  // as OpenSSL writes them; empty: none
  const Issued* issuer = nullptr;          // null: itself
  bool authority = false;
  long valid_from = -3600, valid_to = 3600;  // seconds from now
};

struct Issued {
  X509Ptr x509{X509_new()};
  KeyPtr key{EVP_EC_gen("P-256")};

  explicit Issued(const Wanted& wanted) {
    X509* const x = x509.get();
    static std::atomic<long> serial{1};
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), wanted.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(x), wanted.valid_to);
    X509_set_pubkey(x, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
    const Issued& issuer = wanted.issuer != nullptr ? *wanted.issuer : *this;
    X509_set_issuer_name(x, X509_get_subject_name(issuer.x509.get()));
    extend(NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wanted.alt_names.empty()) extend(NID_subject_alt_name, wanted.alt_names.c_str());
    X509_sign(x, issuer.key.get(), EVP_sha256());
  }
  [[nodiscard]] std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509.get());
    return text_of(bio);
  }
  [[nodiscard]] std::string key_pem(const char* passphrase = nullptr) const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), passphrase != nullptr ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                             const_cast<char*>(passphrase));
    return text_of(bio);
  }
  // By OpenSSL's own base64, not by the code under test.
  [[nodiscard]] std::string pin() const {
    const auto digest = spki_digest(*x509);
    std::string text(45, '\0');
    text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                         reinterpret_cast<const unsigned char*>(digest.data()), 32)));
    return "sha256/" + text;
  }

 private:
  void extend(int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
};

}  // namespace sallyport::net::made
