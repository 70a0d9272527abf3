// What TLS to one upstream demands of the server, and shows of us, as the operator approved it (S2-26). A plain value inside
// ServerRecord. The key is a reference and never the key itself; it, and files, are read when a session opens, so that a
// renewed pair is taken up.
#pragma once

#include <string>
#include <vector>

namespace sallyport {

struct UpstreamTls {
  std::string ca;  // PEM text, or the absolute path of a PEM file; in place of the system's authorities. Empty: those
  std::vector<std::string>
      pins;  // "sha256/<base64>" of a SubjectPublicKeyInfo (RFC 7469 2.4); one is in the chain. None: any
  std::string client_certificate;  // as `ca`: our own, leaf first
  std::string client_key;  // ${file:..} or ${vault:..}
  [[nodiscard]] bool any() const noexcept {
    return !ca.empty() || !pins.empty() || !client_certificate.empty() || !client_key.empty();
  }
  friend bool operator==(const UpstreamTls&, const UpstreamTls&) = default;
};

}  // namespace sallyport
