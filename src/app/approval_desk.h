// Human approval of calls: the store of it, with its audit records, its webhook and its links, as the rest uses them. Internal.
#pragma once

#include "app/app.h"
#include "control/approval_webhook.h"

namespace sallyport::app {

class App::ApprovalDesk {
 public:
  explicit ApprovalDesk(App& app);
  Result<void> open();  // before any thread runs
  [[nodiscard]] control::Approvals& store() noexcept { return store_; }
  [[nodiscard]] std::string base_url() const;  // of links for people, without the slash at its end
  Task<Result<Approval>> claim(ApprovalClaim claim);  // from any worker
  void sweep();  // every few seconds, on the control executor
  void stop();  // from the main thread, while the control thread runs

 private:
  Result<void> note(const Approval& call, std::string_view what, const Principal* by);
  Result<void> open_webhook();

  App& app_;
  control::Approvals store_;
  std::unique_ptr<control::ApprovalWebhook> webhook_;
};

}  // namespace sallyport::app
