// What TLS to one upstream demands of the server beside a name that fits, and what it shows of us: its own authorities, pins,
// a client certificate (S2-26). Checked once, shared by targets; two with the same id are the same to the byte, and
// connections are never shared between two ids. Immutable; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/secret.h"
#include "crypto/hash.h"
#include "net/peer_certificate.h"

namespace sallyport::net {

struct TlsParts {
  std::string ca_pem;  // empty: the system's authorities
  std::vector<std::string> pins;  // "sha256/<base64>"; empty: any key that an authority vouches for
  std::string certificate_pem;  // ours, leaf first; empty: none is shown
  Secret key_pem;  // of it; without a passphrase
};

class TlsTerms {
 public:
  // Errors: config, naming the part that is wrong and never what is in it.
  static Result<std::shared_ptr<const TlsTerms>> make(TlsParts parts);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }  // hex; not a secret
  [[nodiscard]] const std::string& ca_pem() const noexcept { return parts_.ca_pem; }
  [[nodiscard]] const std::string& certificate_pem() const noexcept { return parts_.certificate_pem; }
  [[nodiscard]] const Secret& key_pem() const noexcept { return parts_.key_pem; }
  [[nodiscard]] const std::vector<crypto::Digest>& pins() const noexcept { return pins_; }

 private:
  TlsTerms() = default;
  TlsParts parts_;
  std::vector<crypto::Digest> pins_;
  std::string id_;
};

using TlsTermsPtr = std::shared_ptr<const TlsTerms>;

// Where the parts come from: `ca` and `certificate` as pem_of() takes them.
struct TlsSources {
  std::string ca, certificate;
  std::vector<std::string> pins;
  Secret key_pem;
};
// Reads files: not for a worker's thread (net/tls_workshop.h). Errors: those of pem_of() and TlsTerms::make().
Result<TlsTermsPtr> read_terms(TlsSources sources);

// The SHA-256 of a key in "sha256/<base64>" (RFC 7469 2.4: base64 with its padding). Errors: config.
Result<crypto::Digest> read_pin(std::string_view pin);
// One certificate at least, and nothing that cannot be read. Errors: config; `what` names it.
Result<void> check_certificates(std::string_view pem, std::string_view what);
// What the first certificate says. Errors: config, crypto.
Result<PeerCertificate> first_certificate(std::string_view pem);
// SHA-256 of the key of the one authority in it, as PeerCertificate::authorities has it. Errors: config.
Result<std::string> authority_key(std::string_view pem);
// `text` itself where it is PEM, else what is in the file of that absolute path. Errors: config; `what` names it.
Result<std::string> pem_of(const std::string& text, std::string_view what);

}  // namespace sallyport::net
