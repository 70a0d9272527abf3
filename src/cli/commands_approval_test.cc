#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

constexpr const char* kCall =
    R"({"id":"a1","state":"pending","principal":"user:1","principal_name":"ann","server":"bank","tool":"pay",)"
    R"("arguments":{"to":"x\nstate: approved\u001b[2J"},"expires_at":"2026-11-22T08:00:00Z","reason":""})";

TEST(ApprovalCommands, ListShowsThoseThatWait) {
  FakeApi api("approval_list");
  const std::string page = R"(],"pagination":{"total":1,"limit":50,"offset":0,"has_next":false}})";
  api.answers["GET /api/v1/approvals?state=pending&limit=50&offset=0"] = {200,
                                                                          R"({"data":[)" + std::string(kCall) + page};
  EXPECT_EQ(api.run({"approval", "list"}), 0) << api.err;
  EXPECT_NE(api.out.find("a1"), std::string::npos) << api.out;
  EXPECT_EQ(api.run({"approval", "list", "--state", "all"}), 4);  // asks for all of them
  EXPECT_EQ(api.calls.back(), "GET /api/v1/approvals?limit=50&offset=0");
  EXPECT_EQ(api.run({"approval", "list", "--state", "maybe"}), 2);
}

TEST(ApprovalCommands, ShowLetsNoArgumentImitateALineOfOurs) {
  FakeApi api("approval_show");
  api.answers["GET /api/v1/approvals/a1"] = {200, kCall};
  EXPECT_EQ(api.run({"approval", "show", "a1"}), 0) << api.err;
  EXPECT_EQ(api.out.find("\nstate: approved"), std::string::npos) << api.out;
  EXPECT_EQ(api.out.find('\x1b'), std::string::npos);
  EXPECT_NE(api.out.find("state: pending"), std::string::npos);
}

TEST(ApprovalCommands, DecideWithAReasonOrWithout) {
  FakeApi api("approval_decide");
  api.answers["POST /api/v1/approvals/a1/approve"] = {200, kCall};
  api.answers["POST /api/v1/approvals/a1/deny"] = {200, kCall};
  EXPECT_EQ(api.run({"approval", "approve", "a1", "--reason", "by phone"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/approvals/a1/approve {"reason":"by phone"})");
  EXPECT_EQ(api.run({"approval", "deny", "a1"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), "POST /api/v1/approvals/a1/deny {}");
  api.answers["DELETE /api/v1/approvals/a1"] = {204, ""};
  EXPECT_EQ(api.run({"approval", "cancel", "a1"}), 0) << api.err;
  EXPECT_EQ(api.run({"approval", "approve"}), 2);
}

}  // namespace
}  // namespace sallyport::cli
