#include "app/approval_desk.h"

#include <latch>

#include "app/worker_unit.h"
#include "config/own_url.h"

namespace sallyport::app {
namespace {

control::ApprovalRules rules_of(const config::ApprovalSettings& settings) {
  control::ApprovalRules rules;
  rules.pending = settings.pending;
  rules.valid = settings.valid;
  rules.four_eyes = settings.four_eyes;
  rules.per_principal = settings.per_principal;
  rules.total = settings.total;
  rules.arguments_bytes = settings.arguments_bytes;
  return rules;
}

Task<Result<Approval>> claim_there(control::Approvals& store, ApprovalClaim claim) { co_return store.claim(claim); }

}  // namespace

App::ApprovalDesk::ApprovalDesk(App& app)
    : app_(app),
      store_(
          *app.repository_, *app.keys_, app.random_, app.clock_,
          [this](const Approval& call, std::string_view what, const Principal* by) { return note(call, what, by); }) {}

Result<void> App::ApprovalDesk::open() {
  SP_TRY(const std::size_t lost, store_.load(rules_of(app_.options_.settings.approval)));
  if (lost > 0) {
    app_.log_.warning("calls that waited for approval were sealed by another key, and are gone", {{"calls", lost}});
  }
  if (!app_.options_.listen || app_.options_.settings.approval.webhook.empty()) return {};
  return open_webhook();
}

Result<void> App::ApprovalDesk::open_webhook() {
  const auto& settings = app_.options_.settings.approval;
  control::WebhookRules rules;
  rules.url = settings.webhook;
  rules.allow_private = settings.webhook_allow_private;
  rules.with_arguments = settings.webhook_arguments;
  rules.base_url = base_url();
  SP_TRY(rules.secret,
         config::resolve_reference(settings.webhook_secret, app_.options_.settings.home, app_.options_.environment));
  SP_TRY(webhook_, control::ApprovalWebhook::make(app_.control_io_.get_executor(), app_.clock_, std::move(rules),
                                                  [this](const std::string& approval, const std::string& why) {
                                                    app_.log_.error("approval webhook not delivered",
                                                                    {{"approval", approval}, {"why", why}});
                                                  }));
  store_.on_asked([this](const Approval& call) { webhook_->tell(call); });
  return {};
}

std::string App::ApprovalDesk::base_url() const {
  std::string url = app_.options_.settings.approval.base_url;
  while (url.ends_with('/')) url.pop_back();
  if (!url.empty()) return url;
  return config::own_url(app_.options_.settings);
}

// What no request's own record tells: who asked, who decided, and that an approval was used up.
Result<void> App::ApprovalDesk::note(const Approval& call, std::string_view what, const Principal* by) {
  audit::AuditRecord record;
  record.time = app_.clock_.wall();
  record.event_type = audit::kAuthorization;
  record.principal = by != nullptr ? by->id : what == "expired" ? "system" : call.principal;
  if (by != nullptr) {
    record.auth_type = by->auth_type;
    record.credential_id = by->credential_id;
  }
  record.request_id = call.request_id;
  record.server = call.server;
  record.tool = call.tool;
  record.action = "approval_" + std::string(what);
  record.result = what == "failed" ? "error" : what == "denied" ? "denied" : "success";
  record.rule_id = call.rule_id;
  record.reason = call.reason;
  record.evidence = "approval=" + call.id + " caller=" + call.principal + " digest=" + call.digest;
  record.arguments_digest = app_.redactor_->digest(call.arguments);
  if (what == "requested") record.arguments = app_.redactor_->json(call.arguments);
  auto written = app_.audit_->writer(static_cast<unsigned>(app_.audit_->writers() - 1)).write(record);
  if (!written) app_.log_.error("audit record not written", {{"why", written.error().detail}});
  return written;
}

Task<Result<Approval>> App::ApprovalDesk::claim(ApprovalClaim claim) {
  co_return co_await run_on<Approval>(app_.control_->executor(), claim_there(store_, std::move(claim)));
}

void App::ApprovalDesk::sweep() {
  if (const auto swept = store_.sweep(); !swept) {
    app_.log_.error("approvals not written", {{"why", swept.error().detail}});
  }
}

void App::ApprovalDesk::stop() {
  if (!webhook_) return;
  std::latch ended(1);
  asio::co_spawn(app_.control_io_, webhook_->stop(), [&ended](const std::exception_ptr&) { ended.count_down(); });
  ended.wait();
}

}  // namespace sallyport::app
