// DER that may be a certificate: reading it never crashes, and what is read holds to the limits.
#include <openssl/x509.h>

#include <cstdlib>

#include "net/peer_certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unsigned char* at = data;
  X509* const certificate = d2i_X509(nullptr, &at, static_cast<long>(size));
  if (certificate == nullptr) return 0;
  const auto read = sallyport::net::read_certificate(certificate);
  X509_free(certificate);
  if (!read) return 0;
  if (read->fingerprint_sha256.size() != 64 || read->dns.size() > sallyport::net::kNamesMax) std::abort();
  for (const auto& name : read->dns) {
    if (name.empty() || name.size() > 253 || name.find('\0') != std::string::npos) std::abort();
  }
  return 0;
}
