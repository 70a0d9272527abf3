// Backups that add to one another: on what they lean, and that whoever opens one opens all of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/desk.h"
#include "control/backup/desk_test_support.h"
#include "control/backup/restore.h"
#include "control/backup/shelf.h"
#include "control/backup/test_support.h"
#include "crypto/scrypt.h"

namespace sallyport::backup {
namespace {

using testing::Contains;
using testing::HasSubstr;

const Secret& password() {
  static const Secret kPassword("correct horse battery staple");
  return kPassword;
}

class Incremental : public testing::Test {
 protected:
  Result<Made> add(const Secret* by) { return t.make({by, true, true}); }
  // On another machine, by the password alone.
  Result<Restored> recover(const Made& made, const Secret& by) {
    const std::string home = t.folder.path("new");
    std::filesystem::create_directories(home);
    Tools tools = t.tools();
    const auto other = crypto::LockedKey::random(t.random);
    tools.keys = keys_of(other, t.random);
    return restore(home, tools, {.file = t.file(made), .password = &by});
  }
  TestBackups t;
#ifdef SALLYPORT_FAULTS
  const crypto::CheapScrypt cheap_;
#endif
};

// S2-57: what a recovery password opens, it opens to the bottom.
TEST_F(Incremental, LeansOnNothingThatItsRecoveryPasswordDoesNotOpen) {
  const auto full = add(nullptr);
  ASSERT_TRUE(full);
  const auto made = add(&password());
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->base, "");
  EXPECT_THAT(made->notices, Contains(HasSubstr("it stands alone: " + full->name + " does not open with this")));
  const auto done = recover(*made, password());
  EXPECT_TRUE(done) << done.error().detail;
}

TEST_F(Incremental, StandsAloneOnceTheRecoveryPasswordIsAnother) {
  ASSERT_TRUE(add(&password()));
  const Secret other("another recovery password");
  const auto made = add(&other);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->base, "");
  const auto done = recover(*made, other);
  EXPECT_TRUE(done) << done.error().detail;
}

TEST_F(Incremental, OpensToTheBottomByItsRecoveryPassword) {
  const auto full = add(&password());
  ASSERT_TRUE(full);
  const auto made = add(&password());
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->base, full->id);
  const auto done = recover(*made, password());
  EXPECT_TRUE(done) << done.error().detail;
}

// Without a password it opens by the home's keys, and so does what it leans on, whatever else opens that.
TEST_F(Incremental, WithoutARecoveryPasswordLeansOnOneThatHasOne) {
  const auto full = add(&password());
  ASSERT_TRUE(full);
  const auto made = add(nullptr);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->base, full->id);
  const auto opens = check_chain(t.file(*made), {nullptr, &password()});
  ASSERT_FALSE(opens);
  EXPECT_THAT(opens.error().detail, HasSubstr("made without a recovery password"));
}

TEST_F(Incremental, StandsAloneWhereTheNewestLacksWhatItTakesFilesFrom) {
  const auto full = add(nullptr);
  const auto second = add(nullptr);
  ASSERT_TRUE(full && second);
  ASSERT_TRUE(remove_all(t.file(*full)));
  const auto made = add(nullptr);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->base, "");
  EXPECT_THAT(made->notices, Contains(HasSubstr(second->name + " does not open")));
  EXPECT_TRUE(t.verify(t.file(*made)));
}

TEST_F(Incremental, IsTriedByItsRecoveryPasswordAsWell) {
  const auto full = add(&password());
  ASSERT_TRUE(full);
  Tools tools = t.tools();
  tools.check_home = [&](const std::string&) -> Result<std::vector<std::string>> {
    (void)remove_all(t.file(*full));  // what opened with the home's keys a moment ago
    return std::vector<std::string>();
  };
  DeskRules rules;
  rules.every = std::chrono::hours(1);
  rules.with_audit = rules.incremental = true;
  rules.password = [] { return std::make_shared<const Secret>(std::string(password().reveal())); };
  std::string said;
  Desk desk(t.places(), std::move(tools), std::move(rules), [&](std::string text, bool) { said = std::move(text); });
  t.clock.advance(std::chrono::hours(2));
  tick(desk);
  EXPECT_THAT(said, HasSubstr("could not be tried"));
  EXPECT_THAT(said, HasSubstr("not beside it"));
}

DeskRules rules() { return {.every = std::chrono::hours(1), .with_audit = true, .incremental = true}; }

// S2-11: one bad bit in what all lean on does not cost the next ones as well.
TEST_F(Incremental, StandsAloneAtOnceWhereWhatItLeansOnIsDamaged) {
  const auto full = add(nullptr);
  ASSERT_TRUE(full);
  std::string bytes = read_file(t.file(*full));
  bytes[bytes.size() - 100'000] ^= 1;  // in the audit, far behind the manifest
  write_file(t.file(*full), bytes);
  std::vector<std::string> notes, failures;
  Desk desk(t.places(), t.tools(), rules(),
            [&](std::string text, bool bad) { (bad ? failures : notes).push_back(std::move(text)); });
  t.clock.advance(std::chrono::hours(2));
  tick(desk);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes.front(), HasSubstr("verified"));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures.front(), HasSubstr(full->name + " is damaged"));
  const auto all = desk.list();
  ASSERT_EQ(all->size(), 2U) << "the one that leant on it is not kept";
  EXPECT_EQ(all->back().header.base, "");
  t.clock.advance(std::chrono::hours(1));
  tick(desk);
  EXPECT_EQ(notes.size(), 2U);
  EXPECT_EQ(failures.size(), 1U);
  EXPECT_EQ(desk.list()->back().header.base, all->back().header.id);
}

TEST_F(Incremental, LeansOnNoneThatWasNotTriedSoThatTheseDoNotPileUp) {
  const auto full = add(nullptr);
  ASSERT_TRUE(full);
  Tools tools = t.tools();
  tools.check_home = [](const std::string&) -> Result<std::vector<std::string>> { return fail(Code::io, "disk full"); };
  Desk desk(t.places(), std::move(tools), rules(), [](const std::string&, bool) {});
  for (int i = 0; i < 3; ++i) {
    t.clock.advance(std::chrono::hours(2));
    tick(desk);
    ASSERT_EQ(desk.list()->size(), 2U);
    EXPECT_EQ(desk.list()->back().header.base, full->id);
  }
}

}  // namespace
}  // namespace sallyport::backup
