#include "control/approvals.h"

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/encoding.h"

namespace sallyport::control {
namespace {

using enum ApprovalState;
using std::chrono::seconds;

class Shelf final : public ApprovalStore {
 public:
  Result<std::vector<StoredApproval>> load_approvals() override {
    std::vector<StoredApproval> out;
    for (const auto& [id, row] : rows) out.push_back(row);
    return out;
  }
  Result<void> put_approval(const StoredApproval& approval) override {
    if (failing) return fail(Code::storage, "disk full");
    rows[approval.call.id] = approval;
    return {};
  }
  Result<void> delete_approvals(std::span<const std::string> ids) override {
    for (const auto& id : ids) rows.erase(id);
    return {};
  }
  std::map<std::string, StoredApproval> rows;
  bool failing = false;
};

class ApprovalsTest : public ::testing::Test {
 protected:
  ApprovalsTest() { EXPECT_EQ(*approvals_.load(rules_), 0U); }

  static crypto::KeyStore keys_of(char first) {
    std::string master;
    for (int i = 0; i < 32; ++i) master += static_cast<char>(first + i * 7);
    return *crypto::KeyStore::from_master(Secret(master));
  }
  static Principal user(std::string id, std::vector<std::string> roles = {}) {
    Principal out;
    out.id = "user:" + std::move(id);
    out.roles = std::move(roles);
    return out;
  }
  static Principal key(std::string id, std::string owner, std::vector<std::string> roles = {}) {
    auto record = std::make_shared<KeyRecord>();
    record->id = id;
    record->owner_user_id = std::move(owner);
    Principal out;
    out.id = "key:" + std::move(id);
    out.kind = PrincipalKind::key;
    out.roles = std::move(roles);
    out.key = std::move(record);
    return out;
  }
  static ApprovalClaim call(std::string digest = "d1", const Principal& by = user("ann")) {
    ApprovalClaim claim;
    claim.call.digest = std::move(digest);
    claim.call.principal = by.id;
    claim.call.person = person_of(by);
    claim.call.server = "bank";
    claim.call.tool = "pay";
    claim.call.arguments = R"({"iban":"DE-secret"})";
    return claim;
  }
  Result<Approval> claim(const ApprovalClaim& what = call()) { return approvals_.claim(what); }
  Result<Approval> decide(const std::string& id, bool yes, const Principal& by = user("boss")) {
    return approvals_.decide(id, yes, "because", by);
  }
  Approval approved() {
    const auto asked = claim();
    return *decide(asked->id, true);
  }

  Shelf shelf_;
  SystemRandom random_;
  FakeClock clock_;
  crypto::KeyStore keys_ = keys_of('A');
  ApprovalRules rules_{
      .pending = seconds(900), .valid = seconds(600), .per_principal = 3, .total = 12, .arguments_bytes = 64};
  std::vector<std::string> notes_;
  bool audit_fails_ = false;
  Approvals::Note note_ = [this](const Approval&, std::string_view what, const Principal* by) -> Result<void> {
    if (audit_fails_) return fail(Code::audit_unavailable, "");
    notes_.push_back(std::string(what) + (by != nullptr ? " by " + by->id : ""));
    return {};
  };
  Approvals approvals_{shelf_, keys_, random_, clock_, note_};
};

TEST_F(ApprovalsTest, ACallWaitsUntilItIsApprovedAndPassesOnce) {
  const auto first = claim();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, pending);
  EXPECT_EQ(claim()->id, first->id);  // asked for once, however often it is tried
  ASSERT_TRUE(decide(first->id, true));
  EXPECT_EQ(claim()->state, used);
  const auto again = claim();
  EXPECT_EQ(again->state, pending);
  EXPECT_NE(again->id, first->id);
  EXPECT_EQ(notes_, (std::vector<std::string>{"requested", "approved by user:boss", "used", "requested"}));
}

TEST_F(ApprovalsTest, AnApprovalIsForItsDigestAlone) {
  approved();
  EXPECT_EQ(claim(call("d2"))->state, pending);
  EXPECT_EQ(claim()->state, used);
}

TEST_F(ApprovalsTest, ADenialIsTheAnswerUntilItEnds) {
  const auto asked = claim();
  EXPECT_EQ(decide(asked->id, false)->state, denied);
  EXPECT_EQ(claim()->state, denied);
  EXPECT_EQ(claim()->reason, "because");
  clock_.advance(rules_.valid);
  EXPECT_EQ(claim()->state, pending);
}

TEST_F(ApprovalsTest, NobodyDecidesTwice) {
  const auto asked = claim();
  ASSERT_TRUE(decide(asked->id, false));
  EXPECT_EQ(decide(asked->id, true).error().code, Code::conflict);
  EXPECT_EQ(decide("nobody", true).error().code, Code::not_found);
}

TEST_F(ApprovalsTest, WhatNobodyDecidesExpires) {
  const auto asked = claim();
  clock_.advance(rules_.pending);
  EXPECT_EQ(approvals_.find(asked->id)->state, expired);
  EXPECT_EQ(decide(asked->id, true).error().code, Code::conflict);
  ASSERT_TRUE(approvals_.sweep());
  EXPECT_EQ(notes_.back(), "expired");
  EXPECT_NE(claim()->id, asked->id);
}

TEST_F(ApprovalsTest, AnApprovalThatIsNotUsedExpires) {
  approved();
  clock_.advance(rules_.valid);
  EXPECT_EQ(claim()->state, pending);
}

TEST_F(ApprovalsTest, FourEyes) {
  const Principal own_key = key("k1", "ann");
  const auto by_key = claim(call("d1", own_key));
  const auto by_user = claim(call("d2", user("ann")));
  for (const auto& asked : {by_key, by_user}) {
    for (const Principal& self : {user("ann"), own_key, key("k2", "ann")}) {
      EXPECT_EQ(approvals_.decide(asked->id, true, "", self).error().code, Code::access_denied) << self.id;
      EXPECT_EQ(approvals_.decide(asked->id, false, "", self).error().code, Code::access_denied) << self.id;
    }
  }
  EXPECT_TRUE(decide(by_key->id, true, user("boss")));
}

// Whoever may rotate a colleague's key, or make one that nobody owns, would be two people at once.
TEST_F(ApprovalsTest, UnderFourEyesNoKeyDecides) {
  const auto asked = claim();
  for (const Principal& other : {key("k3", "boss"), key("k4", "")}) {
    Principal bought = other;  // a token that the key bought
    bought.session_id = "s1";
    for (const Principal& by : {other, bought}) {
      const auto done = decide(asked->id, true, by);
      ASSERT_EQ(done.error().code, Code::access_denied) << by.id;
      EXPECT_NE(done.error().detail.find("log in as a person"), std::string::npos);
      EXPECT_EQ(decide(asked->id, false, by).error().code, Code::access_denied) << by.id;
    }
  }
  EXPECT_TRUE(decide(asked->id, true, user("boss")));
}

TEST_F(ApprovalsTest, FourEyesAreASetting) {
  rules_.four_eyes = false;
  Approvals relaxed(shelf_, keys_, random_, clock_, note_);
  ASSERT_TRUE(relaxed.load(rules_));
  const auto asked = relaxed.claim(call());
  EXPECT_TRUE(relaxed.decide(asked->id, true, "", user("ann")));
  const auto other = relaxed.claim(call("d2"));
  EXPECT_TRUE(relaxed.decide(other->id, true, "", key("k3", "boss")));
}

TEST_F(ApprovalsTest, AnAgentDecidesNothing) {
  const auto asked = claim();
  EXPECT_EQ(decide(asked->id, true, key("bot", "boss", {"approver", "agent"})).error().code, Code::access_denied);
}

TEST_F(ApprovalsTest, OnlyItsCallerWithdrawsACall) {
  const auto asked = claim();
  EXPECT_EQ(approvals_.cancel(asked->id, user("eve")).error().code, Code::not_found);
  EXPECT_EQ(approvals_.cancel(asked->id, user("ann"))->state, cancelled);
  EXPECT_EQ(decide(asked->id, true).error().code, Code::conflict);
  EXPECT_EQ(approvals_.cancel(asked->id, user("ann")).error().code, Code::conflict);
}

TEST_F(ApprovalsTest, HasBounds) {
  for (const char* digest : {"a", "b", "c"}) ASSERT_TRUE(claim(call(digest)));
  EXPECT_EQ(claim(call("d")).error().code, Code::limit);  // of this principal
  for (const char* name : {"bea", "cid", "dan"}) {
    for (const char* digest : {"1", "2", "3"}) ASSERT_TRUE(claim(call(std::string(name) + digest, user(name))));
  }
  EXPECT_EQ(claim(call("f", user("eli"))).error().code, Code::limit);  // in all
  ApprovalClaim large = call("g", user("cid"));
  large.call.arguments = "{\"a\":\"" + std::string(64, 'x') + "\"}";
  EXPECT_EQ(claim(large).error().code, Code::limit);
  clock_.advance(rules_.pending);
  EXPECT_TRUE(claim(call("d")));
}

TEST_F(ApprovalsTest, ManyKeysOfOnePersonLeaveRoomForOthers) {
  ASSERT_TRUE(claim(call("a1", user("ann"))));
  for (int i = 1; i < 3; ++i)
    ASSERT_TRUE(claim(call("a" + std::to_string(i + 1), key("k" + std::to_string(i), "ann"))));
  const auto more = claim(call("a4", key("k4", "ann")));
  ASSERT_EQ(more.error().code, Code::limit);
  EXPECT_NE(more.error().detail.find("this person"), std::string::npos);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(claim(call("o" + std::to_string(i), key("o" + std::to_string(i), ""))));
  EXPECT_EQ(claim(call("o7", key("o7", ""))).error().code, Code::limit) << "keys that nobody owns, together";
  EXPECT_TRUE(claim(call("b", user("bea"))));
}

TEST_F(ApprovalsTest, SurvivesARestart) {
  const auto waiting = claim(call("d2"));
  approved();
  Approvals next(shelf_, keys_, random_, clock_, note_);
  ASSERT_EQ(*next.load(rules_), 0U);
  EXPECT_EQ(next.claim(call("d2"))->id, waiting->id);
  EXPECT_EQ(next.find(waiting->id)->arguments, call().call.arguments);
  EXPECT_EQ(next.claim(call())->state, used);
  Approvals third(shelf_, keys_, random_, clock_, note_);
  ASSERT_TRUE(third.load(rules_));
  EXPECT_EQ(third.claim(call())->state, pending);  // used up before the restart
}

TEST_F(ApprovalsTest, ArgumentsAreSealedAndBoundToTheirRow) {
  const auto one = claim(call("d1"));
  const auto two = claim(call("d2"));
  for (const auto& [id, row] : shelf_.rows) {
    EXPECT_TRUE(row.call.arguments.empty());
    EXPECT_EQ(std::string(as_text(*base64url_decode(row.sealed))).find("DE-secret"), std::string::npos);
  }
  std::swap(shelf_.rows[one->id].sealed, shelf_.rows[two->id].sealed);
  Approvals next(shelf_, keys_, random_, clock_, note_);
  EXPECT_EQ(*next.load(rules_), 2U);
  EXPECT_TRUE(next.list().empty());
}

TEST_F(ApprovalsTest, AStoreThatFailsLetsNothingPass) {
  const Approval ready = approved();
  shelf_.failing = true;
  EXPECT_EQ(claim().error().code, Code::storage);
  EXPECT_EQ(notes_.back(), "failed");
  EXPECT_EQ(claim(call("d2")).error().code, Code::storage);
  EXPECT_EQ(decide(ready.id, false).error().code, Code::conflict);
  shelf_.failing = false;
  EXPECT_EQ(claim()->state, used);
}

TEST_F(ApprovalsTest, AnAuditThatFailsLetsNothingPass) {
  approved();
  audit_fails_ = true;
  EXPECT_EQ(claim().error().code, Code::audit_unavailable);
  audit_fails_ = false;
  EXPECT_EQ(claim()->state, used);
}

TEST_F(ApprovalsTest, EachRoundOfACallIsBegunOnce) {
  approved();
  const auto first = claim();
  ApprovalClaim second = call();
  second.id = first->id;
  second.round = first->rounds;
  const auto went_on = claim(second);
  ASSERT_TRUE(went_on);
  EXPECT_EQ(went_on->state, used);
  EXPECT_EQ(went_on->rounds, first->rounds + 1);
  EXPECT_EQ(claim(second).error().code, Code::invalid_params);  // the same state a second time
  ApprovalClaim other = call("d2");
  other.id = first->id;
  other.round = went_on->rounds;
  EXPECT_EQ(claim(other).error().code, Code::invalid_params);
  second.round = went_on->rounds;
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(claim(second).error().code, Code::invalid_params);
}

TEST_F(ApprovalsTest, WhatIsSettledIsForgottenAfterADay) {
  const auto asked = claim();
  ASSERT_TRUE(decide(asked->id, false));
  clock_.advance(std::chrono::hours(24));
  ASSERT_TRUE(approvals_.sweep());
  EXPECT_TRUE(approvals_.list().empty());
  EXPECT_TRUE(shelf_.rows.empty());
}

TEST_F(ApprovalsTest, SomebodyHearsOfEachCallThatWaits) {
  std::vector<std::string> heard;
  approvals_.on_asked([&](const Approval& one) { heard.push_back(one.digest); });
  ASSERT_TRUE(claim());
  ASSERT_TRUE(claim());
  EXPECT_EQ(heard, std::vector<std::string>{"d1"});
}

}  // namespace
}  // namespace sallyport::control
