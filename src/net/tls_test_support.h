// For tests: an authority in memory and certificates of its making, good and bad. OpenSSL's own calls; nothing checks for
// errors, since a test that has none of these fails at once.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace sallyport::net {

struct CertificateWish {
  const char* name = "localhost";
  const char* names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName as OpenSSL's configuration writes it; null: none
  long from = -60, until = 3600;  // seconds from now
  const char* key = "P-256";  // "RSA" with bits, or a curve, or "ED25519"
  unsigned bits = 2048;
  bool authority = false;
};

class TestCertificate {
 public:
  // Signed by `issuer`, or by itself.
  explicit TestCertificate(const CertificateWish& wanted, const TestCertificate* issuer = nullptr) : key_(make_key(wanted)) {
    static long serial = 1;
    X509* const x = x509_.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), wanted.from);
    X509_gmtime_adj(X509_getm_notAfter(x), wanted.until);
    X509_set_pubkey(x, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.name), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer->x509() : x));
    extend(NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (wanted.authority) extend(NID_key_usage, "critical,keyCertSign,cRLSign");
    if (wanted.names != nullptr) extend(NID_subject_alt_name, wanted.names);
    const auto& signer = issuer ? issuer->key_ : key_;
    X509_sign(x, signer.get(), EVP_PKEY_get_base_id(signer.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256());
  }

  [[nodiscard]] X509* x509() const { return x509_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] std::string pem() const {
    const Bio out;
    PEM_write_bio_X509(out.get(), x509());
    return out.text();
  }
  [[nodiscard]] std::string key_pem() const {
    const Bio out;
    PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return out.text();
  }
  // A list of this authority, with `revoked` in it or empty; valid for `until` seconds.
  [[nodiscard]] std::string crl_pem(const TestCertificate* revoked, long until = 3600) const {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> crl(X509_CRL_new(), X509_CRL_free);
    const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(), ASN1_TIME_free);
    X509_CRL_set_version(crl.get(), 1);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(x509()));
    X509_gmtime_adj(time.get(), -7200);
    X509_CRL_set1_lastUpdate(crl.get(), time.get());
    if (revoked != nullptr) {
      X509_REVOKED* const entry = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509()));
      X509_REVOKED_set_revocationDate(entry, time.get());
      X509_CRL_add0_revoked(crl.get(), entry);
    }
    X509_gmtime_adj(time.get(), until);
    X509_CRL_set1_nextUpdate(crl.get(), time.get());
    X509_CRL_sign(crl.get(), key_.get(), EVP_sha256());
    const Bio out;
    PEM_write_bio_X509_CRL(out.get(), crl.get());
    return out.text();
  }

 private:
  class Bio {
   public:
    [[nodiscard]] BIO* get() const { return bio_.get(); }
    [[nodiscard]] std::string text() const {
      char* data = nullptr;
      const long size = BIO_get_mem_data(bio_.get(), &data);
      return {data, static_cast<std::size_t>(size)};
    }

   private:
    std::unique_ptr<BIO, decltype(&BIO_free)> bio_{BIO_new(BIO_s_mem()), BIO_free};
  };
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  static Key make_key(const CertificateWish& wanted) {
    const std::string kind = wanted.key;
    if (kind == "RSA") return {EVP_RSA_gen(wanted.bits), EVP_PKEY_free};
    if (kind == "ED25519") return {EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free};
    return {EVP_EC_gen(wanted.key), EVP_PKEY_free};
  }
  void extend(int nid, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  Key key_;
  std::unique_ptr<X509, decltype(&X509_free)> x509_{X509_new(), X509_free};
};

inline CertificateWish authority(const char* name = "test authority") {
  return {.name = name, .names = nullptr, .authority = true};
}

}  // namespace sallyport::net
