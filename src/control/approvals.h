// The one store of approvals: calls that wait for people, and what people decided (issue 5, human approval; S0-12). An
// approval is for one call (Approval::digest), ends by time, and is used once: using it is durable before the caller goes on.
// Every change is noted in the audit first; what cannot be noted or stored does not happen. Owned by app; the control
// executor only, or before workers run. Nothing here suspends.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/result.h"
#include "crypto/key_store.h"
#include "model/approval.h"
#include "model/principal.h"

namespace sallyport::control {

struct ApprovalRules {
  std::chrono::seconds pending{900};  // so long people may decide
  std::chrono::seconds valid{600};  // so long a decision holds: a yes until its one use, a no until one may ask again
  bool four_eyes = true;  // people decide, no key does, and nobody about a call of their own
  std::size_t per_principal = 16;  // open ones
  // Open ones: of a person with all their keys a quarter of it, of all keys without an owner half. As many closed ones are
  // kept for a day.
  std::size_t total = 256;
  std::size_t arguments_bytes = 65'536;
};

// `call` without its arguments, which are sealed (base64url, KeyStore purpose approvals).
struct StoredApproval {
  Approval call;
  std::string sealed;
};

// What keeps them for good. Each call is one durable transaction; error `storage`.
class ApprovalStore {
 public:
  virtual ~ApprovalStore() = default;
  virtual Result<std::vector<StoredApproval>> load_approvals() = 0;  // oldest first
  virtual Result<void> put_approval(const StoredApproval& approval) = 0;
  virtual Result<void> delete_approvals(std::span<const std::string> ids) = 0;  // unknown ones are passed over
};

class Approvals {
 public:
  // Writes what happens to the audit: "requested", "approved", "denied", "cancelled", "used", "continued", "expired",
  // "failed". `by`: null for the gateway itself. An error: it must not happen.
  using Note = std::function<Result<void>(const Approval& call, std::string_view what, const Principal* by)>;
  using Asked = std::function<void(const Approval& call)>;  // somebody should look at it

  Approvals(ApprovalStore& store, const crypto::KeyStore& keys, Random& random, const Clock& clock, Note note)
      : store_(store), keys_(keys), random_(random), clock_(clock), note_(std::move(note)) {}

  // Says how many there were that this gateway's keys do not open: they are gone.
  Result<std::size_t> load(ApprovalRules rules);
  void on_asked(Asked asked) { asked_ = std::move(asked); }

  // May the call go on? `used`: yes, and with that it is used up. `pending`, `denied`: not (now). An expired or used one is
  // asked for anew. Errors: limit (open ones, size of arguments), invalid_params (a round that is over), storage.
  Result<Approval> claim(const ApprovalClaim& claim);

  // Nothing for what is not there. Times are looked at: a pending one may have expired.
  [[nodiscard]] std::vector<Approval> list() const;  // newest first, without their arguments
  [[nodiscard]] Result<Approval> find(std::string_view id) const;
  // Errors: not_found; conflict: it is not pending any more; access_denied: an agent, or four eyes: a key, or one's own call
  // (the detail says which).
  Result<Approval> decide(const std::string& id, bool yes, std::string reason, const Principal& by);
  Result<Approval> cancel(const std::string& id, const Principal& by);  // its caller's own

  // Every few seconds: notes what expired, forgets what is old.
  Result<void> sweep();

 private:
  [[nodiscard]] Approval seen(Approval call) const;
  [[nodiscard]] const Approval* newest(const std::string& digest) const;
  Result<Approval> ask(Approval call);
  Result<Approval> use(Approval call);
  Result<Approval> go_on(const ApprovalClaim& claim);
  Result<void> check_bounds(const Approval& call) const;
  [[nodiscard]] Result<void> check_share(const Approval& call) const;
  [[nodiscard]] Result<void> check_eyes(const Approval& call, const Principal& by) const;
  Result<Approval> change(Approval next, std::string_view what, const Principal* by);
  Result<StoredApproval> sealed(const Approval& call);

  ApprovalStore& store_;
  const crypto::KeyStore& keys_;
  Random& random_;
  const Clock& clock_;
  Note note_;
  Asked asked_;
  ApprovalRules rules_;
  std::map<std::string, Approval, std::less<>> calls_;  // by id
  std::map<std::string, std::string, std::less<>> newest_;  // digest -> id
};

}  // namespace sallyport::control
