#include "control/approval_webhook.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

// The digest was made by Python's hmac: the receiver's side.
TEST(ApprovalWebhook, SignsTimeAndBody) {
  const Secret secret(std::string("0123456789abcdef"));
  EXPECT_EQ(webhook_signature(secret, "1790000000", R"({"id":"a"})"),
            "sha256=06dd057737d0a934cde5ce6d93de4ae60320424f22e4686d872b767c7ba5482b");
  EXPECT_NE(webhook_signature(secret, "1790000001", R"({"id":"a"})"),
            webhook_signature(secret, "1790000000", R"({"id":"a"})"));
}

TEST(ApprovalWebhook, IsNotMadeForAnAddressThatTheGuardForbids) {
  asio::io_context io;
  FakeClock clock;
  for (const char* url : {"http://169.254.169.254/latest", "http://127.0.0.1:1/hook", "ftp://example.com/"}) {
    WebhookRules rules;
    rules.url = url;
    rules.secret = Secret(std::string("0123456789abcdef"));
    EXPECT_FALSE(ApprovalWebhook::make(io.get_executor(), clock, std::move(rules), {})) << url;
  }
}

// What does not arrive is tried a few times, reported once, and has held up nobody; stop() waits for no pause.
TEST(ApprovalWebhook, EndsWithoutWaitingForItsRetries) {
  asio::io_context io;
  SystemClock clock;
  WebhookRules rules;
  rules.url = "http://127.0.0.1:1/hook";
  rules.secret = Secret(std::string("0123456789abcdef"));
  rules.allow_private = true;
  auto hook =
      ApprovalWebhook::make(io.get_executor(), clock, std::move(rules), [](const std::string&, const std::string&) {});
  ASSERT_TRUE(hook);
  Approval call;
  call.id = "a1";
  call.arguments = "{}";
  (*hook)->tell(call);
  asio::co_spawn(io, (*hook)->stop(), [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
  io.run();  // and nothing is left that keeps it running
}

}  // namespace
}  // namespace sallyport::control
