// For tests: OCSP responses of the authority of tls_test_support.h, by OpenSSL's own calls.
#pragma once

#include <openssl/ocsp.h>

#include "net/tls_test_support.h"

namespace sallyport::net {

// The response of `issuer` about `of`, in DER.
inline std::string ocsp_response(const TestCertificate& issuer, const TestCertificate& of,
                                 int status = V_OCSP_CERTSTATUS_GOOD, long until = 3600) {
  const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic(OCSP_BASICRESP_new(),
                                                                              OCSP_BASICRESP_free);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now(X509_gmtime_adj(nullptr, -7200), ASN1_TIME_free);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> end(X509_gmtime_adj(nullptr, until), ASN1_TIME_free);
  OCSP_CERTID* const id = OCSP_cert_to_id(nullptr, of.x509(), issuer.x509());
  OCSP_basic_add1_status(basic.get(), id, status, 0, status == V_OCSP_CERTSTATUS_REVOKED ? now.get() : nullptr,
                         now.get(), end.get());
  OCSP_CERTID_free(id);
  OCSP_basic_sign(basic.get(), issuer.x509(), issuer.key(), EVP_sha256(), nullptr, 0);
  OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get());
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  return out;
}

}  // namespace sallyport::net
