// Which client certificate stands for whom (docs/identity.md, Client certificates): kept in the store and in the Snapshot, looked
// up at each request. Nobody maps one to, or takes one from, who may more than they do (control/gifts.h). Part of the control
// plane, on its executor only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/task.h"
#include "model/snapshot.h"

namespace sallyport::control {

// What the desk needs of the Repository; committed before it returns.
class CertificateStore {
 public:
  CertificateStore() = default;
  CertificateStore(const CertificateStore&) = delete;
  CertificateStore& operator=(const CertificateStore&) = delete;
  virtual ~CertificateStore() = default;
  virtual Result<void> put_certificate(const CertificateMapping& mapping) = 0;  // already_exists: the name is taken
  virtual Result<void> delete_certificate(std::string_view id) = 0;  // not_found
};

// As it is kept and compared. "sha256:" takes colons and capitals; a DNS name becomes lower case; the rest is exact. Errors:
// validation (no such kind, a pattern, what no certificate can hold).
Result<std::string> certificate_name(std::string_view text);

class CertificateDesk {
 public:
  static constexpr std::size_t kMost = 10'000;
  // Returns when every worker has them.
  using Publish = std::function<Task<Result<void>>(std::shared_ptr<const CertificateMappings>)>;
  using Newest = std::function<SnapshotPtr()>;
  CertificateDesk(CertificateStore& store, const Clock& clock, Random& random, Publish publish, Newest newest);

  // Asked at each add(): whether certificates of several authorities are let in, so that a name must come with its issuer.
  void ask_authorities(std::function<bool()> several) { several_authorities_ = std::move(several); }
  void load(const std::vector<CertificateMapping>& stored);
  [[nodiscard]] const std::shared_ptr<const CertificateMappings>& all() const noexcept { return all_; }

  struct Wish {
    std::string name;  // as certificate_name() takes it
    std::string issuer;  // as CertificateMapping has it; a fingerprint has none
    std::string principal;  // "user:<id>" or "key:<id>"
  };
  // Errors: validation; not_found: there is nobody of that id; already_exists: the name stands for somebody, of that issuer;
  // access_denied; limit; storage.
  Task<Result<CertificateMapping>> add(Wish wish, PrincipalPtr giver);
  // In force at the next request, on open connections too; streams and calls that it began end. Errors: not_found, access_denied.
  Task<Result<CertificateMapping>> remove(std::string id, PrincipalPtr giver);
  // Of principals that are gone, with their mappings in the store: what is left.
  std::shared_ptr<const CertificateMappings> without(const std::vector<std::string>& principals);

 private:
  Task<Result<void>> take(std::shared_ptr<const CertificateMappings> next);

  CertificateStore& store_;
  const Clock& clock_;
  Random& random_;
  Publish publish_;
  Newest newest_;
  std::function<bool()> several_authorities_ = [] { return false; };
  std::shared_ptr<const CertificateMappings> all_ = std::make_shared<const CertificateMappings>();
};

}  // namespace sallyport::control
