#include "control/approval_webhook.h"

#include <array>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "json/writer.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kUnderWayMax = 64;
constexpr std::array<std::chrono::seconds, 3> kPauses{std::chrono::seconds(1), std::chrono::seconds(5),
                                                      std::chrono::seconds(30)};
constexpr std::uint64_t kAnswerMax = 64U << 10;  // which nobody reads

}  // namespace

std::string webhook_signature(const Secret& secret, std::string_view timestamp, std::string_view body) {
  const std::string signed_text = std::string(timestamp) + "." + std::string(body);
  return "sha256=" + hex_encode(crypto::hmac_sha256(as_bytes(secret.reveal()), signed_text));
}

Result<std::unique_ptr<ApprovalWebhook>> ApprovalWebhook::make(Executor executor, const Clock& clock,
                                                               WebhookRules rules, Report report) {
  SP_TRY(auto peer,
         net::EgressPeer::make(executor, clock,
                               {.url = rules.url, .allow_private = rules.allow_private, .answer_bytes_max = kAnswerMax},
                               {{"Content-Type", "application/json"}}));
  return std::unique_ptr<ApprovalWebhook>(
      new ApprovalWebhook(executor, clock, std::move(rules), std::move(peer), std::move(report)));
}

ApprovalWebhook::ApprovalWebhook(Executor executor, const Clock& clock, WebhookRules rules,
                                 std::unique_ptr<net::EgressPeer> peer, Report report)
    : executor_(executor),
      clock_(clock),
      rules_(std::move(rules)),
      peer_(std::move(peer)),
      report_(std::move(report)),
      tasks_(executor, [this](const char* what) { report_("", what); }) {}

std::string ApprovalWebhook::message(const Approval& call) const {
  json::Writer w;
  w.object().member("id", call.id).member("principal", call.principal).member("principal_name", call.principal_name);
  w.member("server", call.server)
      .member("tool", call.tool)
      .member("arguments_digest", hex_encode(crypto::sha256(call.arguments)));
  if (rules_.with_arguments) w.member_raw("arguments", call.arguments);
  w.member("expires_at", iso_time(call.expires_at));
  return w.member("link", rules_.base_url + "/approvals/" + call.id + "/page").end_object().take();
}

void ApprovalWebhook::tell(const Approval& call) {
  if (tasks_.size() >= kUnderWayMax) return report_(call.id, "too many messages are under way");
  tasks_.spawn(deliver(call.id, message(call)));
}

Task<void> ApprovalWebhook::deliver(std::string approval, std::string body) {
  auto sent = co_await post(body);
  for (const auto pause : kPauses) {
    if (sent) co_return;
    SteadyTimer timer(executor_, pause);
    if (const auto [error] = co_await timer.async_wait(use_task_ec); error) co_return;
    sent = co_await post(body);
  }
  if (!sent) report_(approval, sent.error().detail);
}

Task<Result<void>> ApprovalWebhook::post(const std::string& body) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
  const std::string timestamp = std::to_string(now);
  net::EgressRequest request;
  request.headers = {{"X-Sallyport-Timestamp", timestamp},
                     {"X-Sallyport-Signature", webhook_signature(rules_.secret, timestamp, body)}};
  request.body = body;
  SP_CO_TRY(const auto answer, co_await peer_->fetch(std::move(request)));
  if (answer.head.status >= 200 && answer.head.status < 300) co_return Result<void>{};
  co_return fail(Code::upstream_refused, "HTTP status " + std::to_string(answer.head.status));
}

Task<void> ApprovalWebhook::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  peer_->stop();
}

}  // namespace sallyport::control
