#include <gtest/gtest.h>

#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

control::StoredApproval approval(std::string id, ApprovalState state = ApprovalState::pending) {
  control::StoredApproval out;
  Approval& call = out.call;
  call.id = std::move(id);
  call.digest = "d";
  call.principal = "key:k";
  call.principal_name = "'; DROP TABLE approvals; --";
  call.person = "user:u";
  call.server = "bank";
  call.tool = "pay";
  call.tool_digest = "t";
  call.rule_id = "policy.tool_access.allow";
  call.request_id = "r";
  call.state = state;
  call.created_at = kNow;
  call.expires_at = kNow + std::chrono::seconds(900);
  call.decided_at = kNow + std::chrono::seconds(5);
  call.decided_by = "user:v";
  call.reason = "asked";
  call.rounds = 3;
  out.sealed = "c2VhbGVk";
  return out;
}

std::unique_ptr<SqliteRepository> opened(const TestHome& home) {
  static const SystemClock clock;
  return std::move(*SqliteRepository::open(home.path("sallyport.db"), clock));
}

TEST(StoredApprovals, AreKeptWithEveryFieldForTheNextProcess) {
  const TestHome home;
  ASSERT_TRUE(opened(home)->put_approval(approval("a", ApprovalState::approved)));
  const auto rows = opened(home)->load_approvals();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().call, approval("a", ApprovalState::approved).call);
  EXPECT_EQ(rows->front().sealed, "c2VhbGVk");
}

TEST(StoredApprovals, AreReplacedDeletedAndOrderedByAge) {
  const TestHome home;
  const auto store = opened(home);
  auto later = approval("a");
  later.call.created_at = kNow + std::chrono::seconds(1);
  ASSERT_TRUE(store->put_approval(later));
  ASSERT_TRUE(store->put_approval(approval("b")));
  ASSERT_TRUE(store->put_approval(approval("b", ApprovalState::used)));
  const auto rows = store->load_approvals();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->front().call.id, "b");
  EXPECT_EQ(rows->front().call.state, ApprovalState::used);
  const std::vector<std::string> gone{"b", "nobody"};
  ASSERT_TRUE(store->delete_approvals(gone));
  EXPECT_EQ(store->load_approvals()->size(), 1U);
}

}  // namespace
}  // namespace sallyport::storage
