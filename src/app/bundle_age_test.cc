#include "app/bundle_age.h"

#include <gtest/gtest.h>

#include <map>

#include "control/repository_test_support.h"

namespace sallyport::app {
namespace {

class MetaShelf final : public control::testing::NoRepository {
 public:
  Result<std::optional<std::string>> get_meta(std::string_view name) override {
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    all.insert_or_assign(std::string(name), std::string(value));
    return {};
  }
  std::map<std::string, std::string, std::less<>> all;
};

class SetClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const noexcept override { return {}; }
  [[nodiscard]] WallTime wall() const noexcept override { return now; }
  WallTime now{};
};

constexpr std::int64_t kSigned = 1'790'000'000;

// Each use as after a start: nothing is remembered but by the store.
class BundleAgeTest : public ::testing::Test {
 protected:
  BundleAgeTest() {
    settings_.policy.bundle = "https://policies.example/b.tar.gz";
    settings_.policy.bundle_key = "${file:key}";
    clock_.now = WallTime(std::chrono::seconds(kSigned + 1'000));
  }
  Result<void> check(std::optional<std::int64_t> at) { return BundleAge(shelf_, clock_, settings_).check(at); }
  void keep(std::optional<std::int64_t> at) { EXPECT_TRUE(BundleAge(shelf_, clock_, settings_).keep(at)); }

  MetaShelf shelf_;
  SetClock clock_;
  config::Settings settings_;
};

TEST_F(BundleAgeTest, RemembersTheOneThatWasInForce) {
  EXPECT_TRUE(check(kSigned));
  keep(kSigned);
  EXPECT_TRUE(check(kSigned));
  EXPECT_FALSE(check(kSigned - 1));
  EXPECT_FALSE(check(std::nullopt));
  EXPECT_TRUE(check(kSigned + 1));
}

TEST_F(BundleAgeTest, AnOlderOneComesIntoForceWhereTheSettingSaysSo) {
  keep(kSigned);
  settings_.policy.bundle_allow_older = true;
  EXPECT_TRUE(check(kSigned - 1));
  EXPECT_TRUE(check(std::nullopt));
  keep(kSigned - 1);  // from now on it is the newest: when the setting is gone again, it is not shut out
  settings_.policy.bundle_allow_older = false;
  EXPECT_TRUE(check(kSigned - 1));
  EXPECT_FALSE(check(kSigned - 2));
}

// A machine without a battery for its clock starts in 1970: what was in force is not of the future, whatever the setting.
TEST_F(BundleAgeTest, TheOneInForceIsTakenAgainUnderAClockThatIsBehind) {
  keep(kSigned);
  clock_.now = WallTime{};
  for (const bool older : {false, true}) {
    settings_.policy.bundle_allow_older = older;
    EXPECT_TRUE(check(kSigned)) << older;
    EXPECT_FALSE(check(kSigned + 1)) << "another one of the future";
    EXPECT_FALSE(check(kSigned - 1)) << "nor an older one, which by this clock is of the future too";
  }
}

TEST_F(BundleAgeTest, ABundleThatNeedNotBeSignedHasNoAge) {
  keep(kSigned);
  settings_.policy.bundle_key.clear();
  EXPECT_TRUE(check(1));
  EXPECT_TRUE(check(std::nullopt));
  keep(1);
  EXPECT_EQ(shelf_.all.begin()->second, std::to_string(kSigned));
}

TEST_F(BundleAgeTest, AStoreThatWasTamperedWithRefuses) {
  keep(kSigned);
  shelf_.all.begin()->second = "yesterday";
  EXPECT_EQ(check(kSigned).error().code, Code::storage);
}

}  // namespace
}  // namespace sallyport::app
