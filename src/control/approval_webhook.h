// Tells one URL of each call that waits for approval (approval.webhook; docs/policy.md). Signed, through the egress client and
// its SSRF guard, tried a few times, and never in the way of the call: what fails is said to `report` and nobody else. One a
// process, on the control executor only; stop() before it goes. Owned by app.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/secret.h"
#include "core/task.h"
#include "model/approval.h"
#include "net/egress_peer.h"

namespace sallyport::control {

struct WebhookRules {
  std::string url;
  Secret secret;  // of the signature
  bool allow_private = false;
  bool with_arguments = false;
  std::string base_url;  // of the link, without the slash at its end
};

class ApprovalWebhook {
 public:
  using Report = std::function<void(const std::string& approval, const std::string& why)>;

  // Error: egress_refused (the URL).
  static Result<std::unique_ptr<ApprovalWebhook>> make(Executor executor, const Clock& clock, WebhookRules rules,
                                                       Report report);
  // Returns at once. More than 64 under way: reported and let go.
  void tell(const Approval& call);
  Task<void> stop();

 private:
  ApprovalWebhook(Executor executor, const Clock& clock, WebhookRules rules, std::unique_ptr<net::EgressPeer> peer,
                  Report report);
  [[nodiscard]] std::string message(const Approval& call) const;
  Task<void> deliver(std::string approval, std::string body);
  Task<Result<void>> post(const std::string& body);

  Executor executor_;
  const Clock& clock_;
  WebhookRules rules_;
  std::unique_ptr<net::EgressPeer> peer_;
  Report report_;
  TaskGroup tasks_;
};

// "sha256=" and the hex HMAC-SHA-256 of `timestamp`, a full stop and `body`: X-Sallyport-Signature.
std::string webhook_signature(const Secret& secret, std::string_view timestamp, std::string_view body);

}  // namespace sallyport::control
