// Who a client certificate stands for (S2-26): one exact name of certificates, of one authority where that is said -> one user or
// key. Plain values; the Snapshot owns them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace sallyport {

// Which certificate is behind a principal, so that what it opened can end with it: each of its chain as a revocation list names
// it (net/revocations.h: 32 bytes for one), and the authorities that vouched for it (SHA-256 of their keys, lower-case hex).
struct CertificateChain {
  std::string links;
  std::vector<std::string> authorities;
};

struct CertificateMapping {
  std::string id;  // 16 hex digits
  std::string
      name;  // "sha256:<hex of the DER>", "uri:...", "dns:..." (lower case), "email:..."; exact, never a pattern
  std::string principal;  // "user:<id>" or "key:<id>"
  std::string made_by;  // principal id
  WallTime created_at{};
  std::string issuer{};  // SHA-256 of the key of an authority above it, lower-case hex; empty: whichever is trusted
  friend bool operator==(const CertificateMapping&, const CertificateMapping&) = default;
};

using CertificateMappingPtr = std::shared_ptr<const CertificateMapping>;

struct CertificateMappings {
  std::map<std::string, CertificateMappingPtr, std::less<>> by_name, by_id;  // by_name: by name_key()

  // The same name of two authorities is two names. Neither part has a blank.
  static std::string name_key(std::string_view name, std::string_view issuer) {
    std::string key(name);
    if (!issuer.empty()) key.append(" ").append(issuer);
    return key;
  }
  // Whatever issuer they say.
  [[nodiscard]] std::vector<CertificateMappingPtr> of_name(std::string_view name) const {
    std::vector<CertificateMappingPtr> out;
    for (auto at = by_name.lower_bound(name); at != by_name.end() && at->first.starts_with(name); ++at) {
      if (at->second->name == name) out.push_back(at->second);
    }
    return out;
  }
  void put(const CertificateMappingPtr& one) {
    by_name[name_key(one->name, one->issuer)] = one;
    by_id[one->id] = one;
  }
};

}  // namespace sallyport
