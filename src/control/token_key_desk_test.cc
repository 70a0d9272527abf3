// Rotation through the control plane: what is stored, what the workers hear in which order, and what fails closed.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "control/accounts_test_support.h"
#include "control/control_plane.h"
#include "control/repository_test_support.h"

namespace sallyport::control {
namespace {

// Keeps token keys and nothing else.
class KeyShelf final : public testing::NoRepository {
 public:
  Result<StoredState> load() override {
    StoredState state;
    state.token_keys = kept;
    return state;
  }
  Result<void> put_token_keys(std::span<const StoredTokenKey> keys) override {
    if (fails) return fail(Code::storage, "disk full");
    kept.assign(keys.begin(), keys.end());
    return {};
  }

  std::vector<StoredTokenKey> kept;
  bool fails = false;
};

using Ring = std::shared_ptr<const token::KeyRing>;

bool knows(const token::KeyRing& ring, std::string_view id, WallTime now) {
  const auto& keys = ring.keys();
  const auto key = std::ranges::find(keys, id, &token::RingKey::id);
  return key != keys.end() && !key->revoked && key->verifies_until > now;
}

class Rotation : public ::testing::Test {
 protected:
  Rotation() { EXPECT_TRUE(plane_->load({}, {})); }

  std::unique_ptr<ControlPlane> plane() {
    ControlDeps deps{.repository = shelf_, .keys = keys_, .clock = clock_, .random = random_};
    deps.publish = [this](SnapshotPtr snapshot) -> Task<void> {
      heard_.push_back(snapshot->token_keys);
      if (while_published_) co_await while_published_();
    };
    return std::make_unique<ControlPlane>(io_.get_executor(), std::move(deps));
  }
  [[nodiscard]] Ring ring() const { return plane_->snapshot()->token_keys; }

  asio::io_context io_;
  KeyShelf shelf_;
  crypto::KeyStore keys_ =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("rotation tests"))))).value();
  FakeClock clock_;
  SystemRandom random_;
  std::vector<Ring> heard_;
  std::function<Task<void>()> while_published_;
  std::unique_ptr<ControlPlane> plane_ = plane();
};

TEST_F(Rotation, ANewKeyIsKnownToEachWorkerBeforeItSigns) {
  for (const bool revoke : {false, true}) {
    heard_ = {ring()};
    const std::string old = ring()->signer()->id;
    const std::string made = await(plane_->token_keys().rotate(revoke)).value();
    ASSERT_GE(heard_.size(), 3U);
    for (std::size_t i = 1; i < heard_.size(); ++i) {
      EXPECT_TRUE(knows(*heard_[i - 1], heard_[i]->signer()->id, clock_.wall())) << i;
    }
    EXPECT_EQ(heard_.back()->signer()->id, made);
    EXPECT_EQ(knows(*heard_.back(), old, clock_.wall()), !revoke);
  }
}

TEST_F(Rotation, OfTwoAtOnceTheSecondIsRefused) {
  const std::string old = ring()->signer()->id;
  std::vector<Code> second;
  while_published_ = [&]() -> Task<void> {
    const auto other = co_await plane_->token_keys().rotate(true);
    second.push_back(other ? Code::internal : other.error().code);
    const auto maintained = co_await plane_->token_keys().maintain();
    EXPECT_EQ(maintained.value(), "");
  };
  const std::string made = await(plane_->token_keys().rotate(false)).value();
  EXPECT_EQ(second, std::vector(2, Code::conflict));
  EXPECT_EQ(ring()->signer()->id, made);
  EXPECT_TRUE(knows(*ring(), old, clock_.wall()));
  while_published_ = nullptr;
  EXPECT_TRUE(await(plane_->token_keys().rotate(true))) << "and afterwards the next one may";
}

TEST_F(Rotation, AStoreThatFailsLeavesTheOldKeySigning) {
  const Ring before = ring();
  shelf_.fails = true;
  EXPECT_EQ(await(plane_->token_keys().rotate(false)).error().code, Code::storage);
  EXPECT_EQ(ring(), before);
  clock_.advance(std::chrono::hours(91 * 24));
  EXPECT_EQ(await(plane_->token_keys().maintain()).error().code, Code::storage);
  EXPECT_EQ(ring(), before);
  shelf_.fails = false;
  EXPECT_EQ(await(plane_->token_keys().maintain()).value(), ring()->signer()->id) << "the next minute tries again";
  EXPECT_NE(ring()->signer()->id, before->signer()->id);
}

TEST_F(Rotation, RevokesEvenWhereTheStoreFails) {
  const std::string old = ring()->signer()->id;
  shelf_.fails = true;
  EXPECT_EQ(await(plane_->token_keys().rotate(true)).error().code, Code::storage);
  EXPECT_FALSE(knows(*ring(), old, clock_.wall()));
  EXPECT_NE(ring()->signer()->id, old);
  shelf_.fails = false;
  EXPECT_TRUE(await(plane_->token_keys().rotate(true))) << "tried again";
  const auto row = std::ranges::find(shelf_.kept, old, &StoredTokenKey::id);
  ASSERT_NE(row, shelf_.kept.end());
  EXPECT_TRUE(row->revoked);
}

// kill -9 at any moment of it: what starts then reads the store as it is.
TEST_F(Rotation, ACrashBetweenStoreAndPublishLosesNothing) {
  for (const bool revoke : {false, true}) {
    const std::string old = ring()->signer()->id;
    std::vector<Ring> after_crash;
    while_published_ = [&]() -> Task<void> {
      const auto other = plane();
      EXPECT_TRUE(other->load({}, {}));
      after_crash.push_back(other->snapshot()->token_keys);
      co_return;
    };
    const std::string made = await(plane_->token_keys().rotate(revoke)).value();
    ASSERT_FALSE(after_crash.empty());
    for (const Ring& found : after_crash) {
      EXPECT_EQ(found->signer()->id, made);
      EXPECT_EQ(knows(*found, old, clock_.wall()), !revoke);
    }
  }
}

TEST_F(Rotation, AStartSaysWhichKeyItMade_S0_4) {
  EXPECT_EQ(plane()->load({}, {}).value(), "");
  clock_.advance(std::chrono::hours(91 * 24));
  const auto later = plane();
  EXPECT_EQ(later->load({}, {}).value(), later->snapshot()->token_keys->signer()->id);
}

TEST_F(Rotation, AgeTurnsTheKeyAndTheLastTokensEndForgetsIt) {
  const std::string old = ring()->signer()->id;
  EXPECT_EQ(await(plane_->token_keys().maintain()).value(), "");
  clock_.advance(std::chrono::hours(90 * 24));
  EXPECT_EQ(await(plane_->token_keys().maintain()).value(), ring()->signer()->id);
  EXPECT_TRUE(knows(*ring(), old, clock_.wall()));
  clock_.advance(std::chrono::minutes(31));
  EXPECT_EQ(await(plane_->token_keys().maintain()).value(), "");
  EXPECT_EQ(ring()->keys().size(), 1U);
  EXPECT_EQ(shelf_.kept.size(), 1U);
}

}  // namespace
}  // namespace sallyport::control
