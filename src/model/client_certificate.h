// Who a client certificate stands for (S2-26): one exact name of certificates -> one user or key. Plain values; the Snapshot owns
// them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/clock.h"

namespace sallyport {

// As a revocation list names the certificate behind a principal: the issuer as RFC 2253 text, the number in lower-case hex.
struct CertificateSerial {
  std::string issuer, number;
};

struct CertificateMapping {
  std::string id;  // 16 hex digits
  std::string
      name;  // "sha256:<hex of the DER>", "uri:...", "dns:..." (lower case), "email:..."; exact, never a pattern
  std::string principal;  // "user:<id>" or "key:<id>"
  std::string made_by;  // principal id
  WallTime created_at{};
  friend bool operator==(const CertificateMapping&, const CertificateMapping&) = default;
};

using CertificateMappingPtr = std::shared_ptr<const CertificateMapping>;

struct CertificateMappings {
  std::map<std::string, CertificateMappingPtr, std::less<>> by_name, by_id;

  void put(const CertificateMappingPtr& one) {
    by_name[one->name] = one;
    by_id[one->id] = one;
  }
};

}  // namespace sallyport
