// The settings of the built-in certificate authority (docs/certificates.md). A part of Settings (config/settings.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::config {

struct CertificateSettings {
  std::uint32_t authority_days = 3650;
  std::uint32_t leaf_days = 365;
  std::uint32_t crl_days = 30;
  std::string key_type = "ec-p256";
  friend bool operator==(const CertificateSettings&, const CertificateSettings&) = default;
};

// A certificate of a public authority for the listener (RFC 8555).
struct AcmeSettings {
  bool enabled = false;
  std::string directory;  // URL
  std::string email;
  std::vector<std::string> hosts;
  std::string challenge = "http-01";  // or tls-alpn-01
  std::uint16_t port = 0;             // tls-alpn-01: where the client listens; 0: the gateway's own TLS port answers
  std::string eab_kid, eab_hmac;      // external account binding (RFC 8555 7.3.4); eab_hmac: a reference
  std::string ca;                     // absolute path; empty: the machine's roots
  std::string program = "/usr/bin/lego";
  friend bool operator==(const AcmeSettings&, const AcmeSettings&) = default;
};

}  // namespace sallyport::config
