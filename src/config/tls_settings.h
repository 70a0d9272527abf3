// The settings of the listener's TLS (C17). Plain values, a part of Settings (config/settings.h); paths are absolute.
#pragma once

#include <string>

namespace sallyport::config {

inline constexpr const char* kDefaultCrl = "certs/crl.pem";  // looked at where it is there; another name must be there

struct TlsSettings {
  bool enabled = false;
  std::string certificate = "certs/server.crt";
  std::string key = "certs/server.key";
  std::string ocsp;  // empty: nothing is stapled
  std::string profile = "intermediate";  // or modern
  std::string client_certificates = "none";  // or optional, required
  std::string client_ca = "certs/ca.crt";
  std::string crl = kDefaultCrl;
  bool crl_required = false;  // it was named: without the file nothing is served
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

}  // namespace sallyport::config
