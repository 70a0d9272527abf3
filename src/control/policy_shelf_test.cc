// Versions of the policies: what a reading makes, what may be put in force, the way back, and what fails closed.
#include "control/policy_shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "control/accounts_test_support.h"
#include "engines/policy/policy.h"

namespace sallyport::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kAdmin = "package admin_access\nallow := true\n";

PolicyModules both(const std::string& mark) {
  return {{"admin.rego", kAdmin}, {"tools.rego", "package tool_access\nallow := true\n# " + mark + "\n"}};
}

PolicySet found(PolicyModules modules, std::string source) {
  PolicySet set;
  set.compiled = policy::Compiled::of(modules).value();
  set.modules = std::move(modules);
  set.source = std::move(source);
  return set;
}

PolicyOrder by_ada(std::string reason = "because", bool force = false) {
  return {"user:ada", std::move(reason), force};
}

class MemoryStore final : public PolicyStore {
 public:
  Result<void> write_policies(const PolicyWrite& write) override {
    if (fails) return fail(Code::storage, "disk full");
    for (const auto& version : write.versions) versions[version.number] = version;
    if (write.modules) modules[write.modules->first] = write.modules->second;
    for (const auto number : write.forgotten) versions.erase(number), modules.erase(number);
    state = write.state;
    return {};
  }
  Result<PolicyModules> policy_modules(std::uint64_t version) override {
    if (!modules.contains(version)) return fail(Code::not_found);
    return modules.at(version);
  }

  std::map<std::uint64_t, PolicyVersion> versions;
  std::map<std::uint64_t, PolicyModules> modules;
  PolicyState state;
  bool fails = false;
};

class Shelf : public ::testing::Test {
 protected:
  // As a start does.
  void open(PolicySet set) {
    std::vector<PolicyVersion> versions;
    for (const auto& [number, version] : store_.versions) versions.push_back(version);
    shelf_ = std::make_unique<PolicyShelf>(store_, clock_,
                                           [this](PolicySetPtr active, PolicySetPtr shadow) -> Task<Result<void>> {
                                             published_.push_back(active->version);
                                             shadow_ = shadow ? shadow->version : 0;
                                             co_return Result<void>{};
                                           });
    ASSERT_TRUE(shelf_->load(std::move(versions), store_.state, std::move(set)));
    reading_ = shelf_->at_start();
  }
  std::uint64_t add(const std::string& mark) { return await(shelf_->add(both(mark), by_ada())).value().number; }
  void activate(std::uint64_t number) { ASSERT_TRUE(await(shelf_->activate(number, by_ada()))); }
  [[nodiscard]] std::uint64_t in_force() const { return shelf_->active()->version; }

  MemoryStore store_;
  FakeClock clock_;
  std::unique_ptr<PolicyShelf> shelf_;
  PolicyReading reading_;
  std::vector<std::uint64_t> published_;
  std::uint64_t shadow_ = 0;
};

TEST_F(Shelf, TheFirstReadingIsTheFirstVersion) {
  open(found(both("a"), "shipped"));
  EXPECT_TRUE(reading_.fresh && reading_.activated);
  EXPECT_EQ(in_force(), 1U);
  open(found(both("a"), "shipped"));
  EXPECT_FALSE(reading_.fresh);
  EXPECT_EQ(shelf_->list().versions.size(), 1U);
}

TEST_F(Shelf, WhatWasActivatedSurvivesARestartWhileTheFolderStaysAsItIs) {
  open(found(both("a"), "folder"));
  activate(add("b"));
  open(found(both("a"), "folder"));
  EXPECT_EQ(in_force(), 2U);
  EXPECT_TRUE(shelf_->active()->compiled);
  EXPECT_FALSE(shelf_->read(found(both("a"), "folder"), "reload")->fresh);
  EXPECT_EQ(in_force(), 2U);
}

TEST_F(Shelf, AChangedFolderIsPutInForce) {
  open(found(both("a"), "folder"));
  activate(add("b"));
  const auto reading = shelf_->read(found(both("c"), "folder"), "reload");
  EXPECT_TRUE(reading->fresh && reading->activated);
  EXPECT_EQ(reading->former, 2U);
  EXPECT_EQ(in_force(), 3U);
  EXPECT_EQ(shelf_->read(found(both("a"), "shipped"), "reload")->version.number, 4U) << "the folder went away";
  EXPECT_EQ(in_force(), 4U);
}

TEST_F(Shelf, WhatShipsNeverReplacesWhatSomebodyActivated) {
  open(found(both("a"), "shipped"));
  activate(add("b"));
  open(found(both("newer program"), "shipped"));
  EXPECT_TRUE(reading_.fresh);
  EXPECT_FALSE(reading_.activated);
  EXPECT_EQ(in_force(), 2U);
}

TEST_F(Shelf, RollsBackStepByStep) {
  open(found(both("a"), "shipped"));
  activate(add("b"));
  activate(add("c"));
  EXPECT_EQ(await(shelf_->roll_back({}, by_ada()))->version.number, 2U);
  const auto move = await(shelf_->roll_back({}, by_ada("too strict")));
  EXPECT_EQ(move->version.number, 1U);
  EXPECT_EQ(move->former, 2U);
  EXPECT_EQ(move->version.activation_reason, "too strict");
  EXPECT_EQ(await(shelf_->roll_back({}, by_ada())).error().code, Code::conflict);
  EXPECT_EQ(await(shelf_->roll_back(3, by_ada()))->version.number, 3U);
  EXPECT_EQ(await(shelf_->roll_back(9, by_ada())).error().code, Code::not_found);
  EXPECT_EQ(await(shelf_->roll_back(add("d"), by_ada())).error().code, Code::conflict) << "never in force";
  EXPECT_THAT(published_, ElementsAre(2, 3, 2, 1, 3));
}

TEST_F(Shelf, WhatIsNotKeptIsNotPutInForce) {
  open(found(both("a"), "shipped"));
  const auto candidate = add("b");
  store_.fails = true;
  EXPECT_EQ(await(shelf_->activate(candidate, by_ada())).error().code, Code::storage);
  EXPECT_EQ(shelf_->read(found(both("c"), "folder"), "reload").error().code, Code::storage);
  EXPECT_EQ(in_force(), 1U);
  EXPECT_EQ(shelf_->list().versions.size(), 2U);
  EXPECT_TRUE(published_.empty());
}

TEST_F(Shelf, ABrokenSetIsNoVersion) {
  open(found(both("a"), "shipped"));
  const auto broken = await(shelf_->add({{"x.rego", "package tool_access\n\nallow if {{{\n"}}, by_ada()));
  EXPECT_EQ(broken.error().code, Code::validation);
  EXPECT_THAT(broken.error().detail, ::testing::ContainsRegex("x\\.rego:[34]:[0-9]+: "));
  EXPECT_EQ(shelf_->list().versions.size(), 1U);
}

TEST_F(Shelf, RefusesModulesThatAreNone) {
  open(found(both("a"), "shipped"));
  const auto refused = [&](PolicyModules modules) {
    return await(shelf_->add(std::move(modules), by_ada())).error().code;
  };
  EXPECT_EQ(refused({}), Code::validation);
  EXPECT_EQ(refused({{"../x.rego", "package a\n"}}), Code::validation);
  EXPECT_EQ(refused({{"x.txt", "package a\n"}}), Code::validation);
  EXPECT_EQ(refused({{"x.rego", "package a\n"}, {"x.rego", "package a\n"}}), Code::validation);
  EXPECT_EQ(refused({{"x.rego", "package a\n#" + std::string(1U << 20U, 'x')}}), Code::validation);
  EXPECT_EQ(await(shelf_->add(both("x"), by_ada("two\nlines"))).error().code, Code::validation);
}

TEST_F(Shelf, ASetWithoutAPackageNeedsForce) {
  open(found(both("a"), "shipped"));
  const auto made = await(shelf_->add({{"tools.rego", "package tool_access\nallow := true\n"}}, by_ada())).value();
  const auto refused = await(shelf_->activate(made.number, by_ada()));
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("no package admin_access"));
  EXPECT_EQ(in_force(), 1U);
  EXPECT_TRUE(await(shelf_->activate(made.number, by_ada("all must stop", true))));
}

TEST_F(Shelf, ForgetsCandidatesAlone) {
  open(found(both("a"), "shipped"));
  const auto candidate = add("b");
  EXPECT_EQ(await(shelf_->remove(1)).error().code, Code::conflict);
  EXPECT_TRUE(await(shelf_->set_shadow(candidate)));
  EXPECT_EQ(await(shelf_->remove(candidate)).error().code, Code::conflict);
  EXPECT_TRUE(await(shelf_->set_shadow(0)));
  EXPECT_TRUE(await(shelf_->remove(candidate)));
  EXPECT_EQ(shelf_->modules(candidate).error().code, Code::not_found);
  EXPECT_EQ(add("c"), candidate + 1) << "a number is never given twice";
}

TEST_F(Shelf, KeepsTheLastHundredAndWhatIsLeantOn) {
  open(found(both("a"), "shipped"));
  for (int i = 0; i < 120; ++i) add(std::to_string(i));
  const auto all = shelf_->list();
  EXPECT_EQ(all.versions.size(), 100U);
  EXPECT_EQ(all.versions.front().number, 121U);
  EXPECT_EQ(all.versions.back().number, 1U) << "in force";
  EXPECT_EQ(shelf_->modules(10).error().code, Code::not_found);
  open(found(both("a"), "shipped"));
  EXPECT_EQ(shelf_->list().versions.size(), 100U);
}

TEST_F(Shelf, TriesOneBesideUntilItIsPutInForce) {
  open(found(both("a"), "shipped"));
  const auto candidate = add("b");
  EXPECT_EQ(await(shelf_->set_shadow(1)).error().code, Code::conflict);
  EXPECT_TRUE(await(shelf_->set_shadow(candidate)));
  EXPECT_EQ(shadow_, candidate);
  open(found(both("a"), "shipped"));
  EXPECT_EQ(shelf_->shadow()->version, candidate) << "after a restart too";
  EXPECT_NE(shelf_->shadow()->epoch, shelf_->active()->epoch);
  activate(candidate);
  EXPECT_EQ(shadow_, 0U);
}

TEST_F(Shelf, WhatDoesNotCompileHereAnyMoreRefusesAndCanBeRolledBack) {
  open(found(both("a"), "shipped"));
  activate(add("b"));
  PolicyVersion third = shelf_->list().versions.front();
  third.number = 3;
  third.before = 2;
  const PolicyModules broken{{"x.rego", "package tool_access\nallow if {{{\n"}};
  ASSERT_TRUE(store_.write_policies({{third}, std::pair{3, broken}, {}, {3, 0, 1, 3}}));
  open(found(both("a"), "shipped"));
  EXPECT_THAT(shelf_->fault(), HasSubstr("version 3"));
  EXPECT_FALSE(shelf_->active()->compiled);
  EXPECT_TRUE(await(shelf_->roll_back({}, by_ada())));
  EXPECT_EQ(in_force(), 2U);
  EXPECT_EQ(shelf_->fault(), "");
}

}  // namespace
}  // namespace sallyport::control
