// S2-11: the hash key of API keys turns while keys are in use: nothing that was good ends, nothing that was ended comes back.
#include "control/hash_key_desk.h"

#include <gtest/gtest.h>

#include <map>

#include "control/accounts_test_support.h"
#include "control/control_plane.h"
#include "control/repository_test_support.h"
#include "core/encoding.h"
#include "crypto/api_key.h"

namespace sallyport::control {
namespace {

using namespace std::chrono_literals;
using crypto::HashKeys;

// Keeps API keys and small values; the call of that number, from 1, fails (0: none).
class KeyShelf final : public testing::NoRepository {
 public:
  Result<StoredState> load() override {
    StoredState state;
    for (const auto& [id, key] : keys) state.keys.push_back(key);
    return state;
  }
  Result<void> put_key(const KeyRecord& key) override {
    if (++calls == fail_at) return fail(Code::storage, "disk full");
    keys[key.id] = key;
    return {};
  }
  Result<void> delete_key(std::string_view id) override {
    keys.erase(std::string(id));
    return {};
  }
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    if (++calls == fail_at) return fail(Code::storage, "disk full");
    metas[std::string(name)] = value;
    return {};
  }
  Result<std::optional<std::string>> get_meta(std::string_view name) override {
    const auto found = metas.find(name);
    return found == metas.end() ? std::optional<std::string>() : found->second;
  }

  std::map<std::string, KeyRecord> keys;
  std::map<std::string, std::string, std::less<>> metas;
  unsigned calls = 0, fail_at = 0;
};

struct Made {
  std::string id, text;
};

class HashKeyTurns : public ::testing::Test {
 protected:
  HashKeyTurns() { restart(); }

  void restart(std::optional<Code> refused = std::nullopt) {
    ControlDeps deps{.repository = shelf_, .keys = keys_, .clock = clock_, .random = random_};
    deps.publish = [](SnapshotPtr) -> Task<void> { co_return; };
    plane_ = std::make_unique<ControlPlane>(io_.get_executor(), std::move(deps));
    const auto loaded = plane_->load({}, {});
    ASSERT_EQ(loaded.has_value(), !refused.has_value());
    if (refused) EXPECT_EQ(loaded.error().code, *refused);
  }
  Made key(std::optional<WallTime> expires_at = std::nullopt) {
    KeyRecord spec;
    spec.name = "k" + std::to_string(shelf_.keys.size());
    spec.expires_at = expires_at;
    auto made = await(plane_->create_key(spec)).value();
    return {made.record.id, std::string(made.key.reveal())};
  }
  HashKeyDesk& desk() { return plane_->hash_keys(); }
  // As a worker does it: is it good, and what it leaves.
  bool use(const Made& made) {
    const SnapshotPtr now = plane_->snapshot();
    const auto found = now->principals->keys.find(made.id);
    if (found == now->principals->keys.end() || !now->hash_keys->matches(made.text, found->second->hash)) return false;
    now->hash_keys->shown(made.id, made.text, found->second->hash);
    return true;
  }
  std::uint32_t generation(const Made& made) { return HashKeys::generation_of(shelf_.keys.at(made.id).hash); }
  std::vector<std::uint32_t> generations() {
    std::vector<std::uint32_t> out;
    for (const auto& one : plane_->snapshot()->hash_keys->all()) out.push_back(one.number);
    return out;
  }
  std::size_t store_fresh() { return await(desk().store_fresh()).value(); }

  asio::io_context io_;
  KeyShelf shelf_;
  crypto::KeyStore keys_ =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("hash key desk tests"))))).value();
  FakeClock clock_;
  SystemRandom random_;
  std::unique_ptr<ControlPlane> plane_;
};

using Numbers = std::vector<std::uint32_t>;
// It is HKDF of the root, so nobody may say that it is destroyed.
constexpr std::string_view kFirstGone = "hash key 1 retired (it is made of the root, which stays: not destroyed)";

TEST_F(HashKeyTurns, AKeyIsGoodBeforeDuringAndAfterAndOverRestarts_S2_11) {
  const Made used = key(), unused = key();
  EXPECT_EQ(generation(used), 1U);
  EXPECT_EQ(await(desk().rotate()).value(), 2U);
  EXPECT_EQ(generations(), (Numbers{1, 2}));
  const Made later = key();
  EXPECT_EQ(generation(later), 2U);
  restart();
  for (const Made& one : {used, unused, later}) EXPECT_TRUE(use(one));
  restart();  // what was left is lost: the next use leaves it again
  EXPECT_TRUE(use(used));
  EXPECT_EQ(store_fresh(), 1U);
  EXPECT_EQ(generation(used), 2U);
  EXPECT_EQ(generation(unused), 1U);
  EXPECT_EQ(await(desk().maintain()).value(), "") << "one key needs it still";
  EXPECT_EQ(generations(), (Numbers{1, 2}));
  EXPECT_EQ(desk().status()[0].keys, 1U);
  EXPECT_EQ(desk().status()[1].keys, 2U);
  EXPECT_TRUE(use(unused));
  EXPECT_EQ(store_fresh(), 1U);
  EXPECT_EQ(await(desk().maintain()).value(), kFirstGone);
  EXPECT_EQ(generations(), Numbers{2});
  restart();
  EXPECT_EQ(generations(), Numbers{2});
  for (const Made& one : {used, unused, later}) EXPECT_TRUE(use(one));
  EXPECT_EQ(store_fresh(), 0U);
  EXPECT_EQ(await(desk().rotate()).value(), 3U) << "a number never comes again";
}

TEST_F(HashKeyTurns, ItTurnsByAge_S2_11) {
  EXPECT_EQ(await(desk().maintain()).value(), "");
  clock_.advance(365 * 24h - 1s);
  EXPECT_EQ(await(desk().maintain()).value(), "");
  restart();
  clock_.advance(1s);
  EXPECT_EQ(await(desk().maintain()).value(), "hash key 2 is in force");
  EXPECT_EQ(await(desk().maintain()).value(), kFirstGone) << "no key needs the first";
  EXPECT_EQ(await(desk().maintain()).value(), "");
  EXPECT_EQ(generations(), Numbers{2});
}

TEST_F(HashKeyTurns, WhatWasRevokedRotatedOrTakenAwayMeanwhileStaysSo) {
  const Made revoked = key(), rotated = key(), disabled = key();
  ASSERT_TRUE(await(desk().rotate()));
  for (const Made& one : {revoked, rotated, disabled}) EXPECT_TRUE(use(one));
  Principal admin;
  admin.kind = PrincipalKind::local;
  admin.roles = {"admin"};
  const auto who = std::make_shared<const Principal>(admin);
  ASSERT_TRUE(await(plane_->delete_key(revoked.id, nullptr)));
  ASSERT_TRUE(await(plane_->set_key_enabled(disabled.id, false, nullptr)));
  const auto fresh = await(plane_->rotate_key(rotated.id, 0s, who));
  ASSERT_TRUE(fresh) << fresh.error().detail;
  EXPECT_EQ(store_fresh(), 1U) << "the disabled one alone";
  EXPECT_FALSE(shelf_.keys.contains(revoked.id));
  EXPECT_FALSE(shelf_.keys.at(disabled.id).enabled);
  EXPECT_EQ(generation(disabled), 2U);
  EXPECT_FALSE(use(rotated)) << "the former secret is not good again";
  EXPECT_TRUE(use({rotated.id, std::string(fresh->key.reveal())}));
  restart();
  EXPECT_FALSE(use(revoked));
  EXPECT_FALSE(use(rotated));
}

TEST_F(HashKeyTurns, AFormerSecretGoesOverTooWhileItIsGood_S1_24) {
  const Made first = key();
  Principal admin;
  admin.kind = PrincipalKind::local;
  admin.roles = {"admin"};
  ASSERT_TRUE(await(plane_->rotate_key(first.id, 1h, std::make_shared<const Principal>(admin))));
  ASSERT_TRUE(await(desk().rotate()));
  const KeyRecord before = shelf_.keys.at(first.id);
  const auto hashes = plane_->snapshot()->hash_keys;
  ASSERT_TRUE(hashes->matches(first.text, before.previous_hash));
  hashes->shown(first.id, first.text, before.previous_hash);
  EXPECT_EQ(store_fresh(), 1U);
  const KeyRecord after = shelf_.keys.at(first.id);
  EXPECT_EQ(after.hash, before.hash);
  EXPECT_EQ(HashKeys::generation_of(after.previous_hash), 2U);
  EXPECT_TRUE(hashes->matches(first.text, after.previous_hash));
}

TEST_F(HashKeyTurns, AnExpiredKeyKeepsNoGenerationAndIsNotExtendedPastIt) {
  const Made made = key(clock_.wall() + 1h);
  ASSERT_TRUE(await(desk().rotate()));
  EXPECT_EQ(generations(), (Numbers{1, 2}));
  clock_.advance(25h - 1s);
  EXPECT_EQ(await(desk().maintain()).value(), "") << "a day past its end";
  clock_.advance(1s);
  EXPECT_EQ(await(desk().maintain()).value(), kFirstGone);
  Principal admin;
  admin.kind = PrincipalKind::local;
  admin.roles = {"admin"};
  const auto who = std::make_shared<const Principal>(admin);
  KeyChange longer;
  longer.expires_at = std::optional<WallTime>();
  const auto extended = await(plane_->update_key(made.id, longer, who));
  ASSERT_FALSE(extended);
  EXPECT_EQ(extended.error().code, Code::conflict);
  EXPECT_NE(extended.error().detail.find("sallyport key rotate " + made.id), std::string::npos);
  const auto fresh = await(plane_->rotate_key(made.id, 0s, who)).value();
  EXPECT_TRUE(await(plane_->update_key(made.id, longer, who)));
  EXPECT_TRUE(use({made.id, std::string(fresh.key.reveal())}));
}

// A machine whose clock is wrong for a minute: what looked expired meanwhile is good again when it is right.
TEST_F(HashKeyTurns, AClockThatJumpsAheadDestroysNothingThatIsGoodAfterIt) {
  ASSERT_TRUE(await(desk().rotate()));
  const Made made = key(clock_.wall() + 1h);
  Principal admin;
  admin.kind = PrincipalKind::local;
  admin.roles = {"admin"};
  const Made changed = key();
  ASSERT_TRUE(await(plane_->rotate_key(changed.id, 1h, std::make_shared<const Principal>(admin))));
  ASSERT_TRUE(await(desk().rotate()));
  clock_.advance(20h);
  EXPECT_EQ(await(desk().maintain()).value(), "");
  EXPECT_EQ(generations(), (Numbers{2, 3}));
  clock_.advance(-20h);
  EXPECT_TRUE(use(made));
  const KeyRecord record = shelf_.keys.at(changed.id);
  EXPECT_TRUE(plane_->snapshot()->hash_keys->matches(changed.text, record.previous_hash));
  clock_.advance(25h);
  ASSERT_TRUE(await(plane_->delete_key(changed.id, nullptr)));
  EXPECT_EQ(await(desk().maintain()).value(), "1 retired and destroyed") << "it was random";
  EXPECT_EQ(generations(), Numbers{3});
}

TEST_F(HashKeyTurns, AtMost16AreKeptAndTheNextIsRefusedWithTheFix) {
  std::vector<Made> keys{key()};
  for (std::uint32_t number = 2; number <= HashKeys::kMax; ++number) {
    EXPECT_EQ(await(desk().rotate()).value(), number);
    keys.push_back(key());
  }
  const auto refused = await(desk().rotate());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit);
  EXPECT_NE(refused.error().detail.find("fix: "), std::string::npos);
  for (const Made& one : keys) EXPECT_TRUE(use(one));
  EXPECT_EQ(store_fresh(), HashKeys::kMax - 1);
  EXPECT_EQ(await(desk().rotate()).value(), HashKeys::kMax + 1);
  EXPECT_EQ(generations(), (Numbers{HashKeys::kMax, HashKeys::kMax + 1}));
}

// Each write of a whole turn fails in turn, and the process is started anew after it.
TEST_F(HashKeyTurns, InterruptedAnywhereEachKeyIsGoodAndTheTurnGoesOn) {
  for (unsigned at = 1; at <= 8; ++at) {
    shelf_.keys.clear();
    shelf_.metas.clear();
    shelf_.fail_at = 0;
    restart();
    const std::vector<Made> keys{key(), key(), key()};
    shelf_.calls = 0;
    shelf_.fail_at = at;
    const bool turned = await(desk().rotate()).has_value();
    EXPECT_EQ(turned, at != 1);
    for (const Made& one : keys) EXPECT_TRUE(use(one)) << at;
    (void)await(desk().store_fresh());
    (void)await(desk().maintain());
    shelf_.fail_at = 0;
    restart();
    for (const Made& one : keys) EXPECT_TRUE(use(one)) << at;
    (void)store_fresh();
    (void)await(desk().maintain());
    for (const Made& one : keys) EXPECT_TRUE(use(one)) << at;
    EXPECT_EQ(generations(), turned ? Numbers{2} : Numbers{1}) << at;
  }
}

// The database of one home beside the keys of another.
TEST_F(HashKeyTurns, KeysThatDoNotOpenRefuseTheStart) {
  const std::string good = shelf_.metas.at("api_key_hash_keys");
  for (std::size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    shelf_.metas["api_key_hash_keys"] = bad;
    restart(Code::crypto);
  }
  shelf_.metas["api_key_hash_keys"] = "";
  restart(Code::crypto);
  shelf_.metas["api_key_hash_keys"] = good;
  restart();
}

TEST_F(HashKeyTurns, ManyGoOverInPortions) {
  std::vector<Made> keys;
  for (int i = 0; i < 600; ++i) keys.push_back(key());
  ASSERT_TRUE(await(desk().rotate()));
  for (const Made& one : keys) ASSERT_TRUE(use(one));
  EXPECT_EQ(store_fresh(), 256U);
  EXPECT_EQ(store_fresh(), 256U);
  EXPECT_EQ(store_fresh(), 88U);
  EXPECT_EQ(store_fresh(), 0U);
  EXPECT_EQ(await(desk().maintain()).value(), kFirstGone);
}

}  // namespace
}  // namespace sallyport::control
