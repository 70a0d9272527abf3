#include "control/backup/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/desk_test_support.h"
#include "control/backup/test_support.h"
#include "crypto/hash.h"
#include "crypto/key_store.h"

namespace sallyport::backup {
namespace {

using testing::HasSubstr;

class DeskTest : public testing::Test {
 protected:
  std::unique_ptr<Desk> desk(DeskRules rules) {
    return std::make_unique<Desk>(t.places(), t.tools(), std::move(rules), [this](std::string text, bool bad) {
      (bad ? failures : notes).push_back(std::move(text));
    });
  }
  TestBackups t;
  std::vector<std::string> notes, failures;
};

// S2-11, S0-37: without anybody asking.
TEST_F(DeskTest, MakesOneWhenItIsDueAndNotBefore) {
  const auto one = desk({.every = std::chrono::hours(6)});
  tick(*one);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes.front(), HasSubstr("verified"));
  t.clock.advance(std::chrono::hours(5));
  tick(*one);
  EXPECT_EQ(notes.size(), 1U);
  t.clock.advance(std::chrono::hours(1));
  tick(*one);
  EXPECT_EQ(notes.size(), 2U);
  EXPECT_EQ(one->list()->size(), 2U);
  // After a restart the age of the newest counts.
  const auto next = desk({.every = std::chrono::hours(6)});
  tick(*next);
  EXPECT_EQ(notes.size(), 2U);
}

TEST_F(DeskTest, MakesNoneUnaskedWhereNoHoursAreSet) {
  const auto one = desk({});
  t.clock.advance(std::chrono::hours(10'000));
  tick(*one);
  EXPECT_TRUE(one->list()->empty());
}

TEST_F(DeskTest, TellsOfAFailureAndTriesAgainAnHourLater) {
  t.write("sallyport.db", "broken");
  const auto one = desk({.every = std::chrono::hours(6)});
  tick(*one);
  tick(*one);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures.front(), HasSubstr("did not stand its trial"));
  EXPECT_TRUE(one->list()->empty());
  EXPECT_THAT(one->metrics(), HasSubstr("sallyport_backup_failures_total 1\n"));
  t.write("sallyport.db", "DATABASE mended");
  t.clock.advance(std::chrono::hours(1));
  tick(*one);
  EXPECT_EQ(notes.size(), 1U);
}

// Neither a full disk nor a keyring that is away for a moment says anything about the bytes of a backup.
TEST_F(DeskTest, KeepsWhatCouldNotBeTried) {
  const auto good = desk({.every = std::chrono::hours(6), .keep = 1});
  tick(*good);
  Tools tools = t.tools();
  bool full = true;
  tools.check_home = [&](const std::string&) -> Result<std::vector<std::string>> {
    if (full) return fail(Code::io, "no space left on device");
    return std::vector<std::string>();
  };
  const auto one = std::make_unique<Desk>(
      t.places(), std::move(tools), DeskRules{.every = std::chrono::hours(6), .keep = 1},
      [this](std::string text, bool bad) { (bad ? failures : notes).push_back(std::move(text)); });
  for (int i = 0; i < 3; ++i) {
    t.clock.advance(std::chrono::hours(6));
    tick(*one);
  }
  ASSERT_EQ(failures.size(), 3U);
  EXPECT_THAT(failures.front(), HasSubstr("is kept, but could not be tried: no space left"));
  EXPECT_THAT(one->metrics(), HasSubstr("sallyport_backup_failures_total 3\n"));
  EXPECT_EQ(one->list()->size(), 2U) << "the one that was tried, and the newest of those that were not";
  EXPECT_TRUE(t.verify(t.home("backups/" + one->list()->back().name)));
  full = false;
  t.clock.advance(std::chrono::hours(1));
  tick(*one);
  EXPECT_EQ(notes.size(), 2U);
  EXPECT_EQ(one->list()->size(), 1U);
}

TEST_F(DeskTest, SetsAsideWhatIsProvedDamaged) {
  const auto made = t.make();
  ASSERT_TRUE(made);
  const Tools tools = t.tools();
  const Unlock unlock{&tools.keys, nullptr};
  EXPECT_FALSE(is_damaged(t.file(*made), unlock, tools.go_on));
  const std::string bytes = read_file(t.file(*made));
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_file(t.file(*made), changed);
    EXPECT_TRUE(is_damaged(t.file(*made), unlock, tools.go_on)) << at;
  }
  const auto other = crypto::LockedKey::random(t.random);
  const HomeKeys none = keys_of(other, t.random);
  EXPECT_FALSE(is_damaged(t.file(*made), {&none, nullptr}, tools.go_on)) << "no key: nothing is proved";
  EXPECT_FALSE(is_damaged(t.home("backups/none"), unlock, tools.go_on));
  const auto aside = set_aside(t.home("backups"), made->name, tools.keys);
  ASSERT_TRUE(aside);
  EXPECT_TRUE(exists(*aside));
  EXPECT_TRUE(backups_in(t.home("backups"))->empty());
  const auto next = t.make();
  ASSERT_TRUE(set_aside(t.home("backups"), next->name, tools.keys));
  EXPECT_FALSE(exists(*aside)) << "the newest of these is kept";
}

TEST_F(DeskTest, TellsWhatDidNotOpenBefore) {
  Tools tools = t.tools();
  tools.check_home = [](const std::string&) {
    return Result<std::vector<std::string>>({"secret a, version 1 does not open"});
  };
  Desk one(t.places(), std::move(tools), {.every = std::chrono::hours(6)},
           [this](std::string text, bool bad) { (bad ? failures : notes).push_back(std::move(text)); });
  tick(one);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures.front(), HasSubstr("secret a, version 1 does not open"));
  EXPECT_EQ(one.list()->size(), 1U);
  EXPECT_THAT(one.metrics(), HasSubstr("sallyport_backup_failures_total 0\n")) << "the backup is as good as the home";
}

// A date is believed of a backup that opens, and of no other: a file that claims to be of next year keeps no backup from being
// made, and pushes no older one out.
TEST_F(DeskTest, BelievesNoDateThatIsNotAuthentic) {
  const auto first = t.make();
  ASSERT_TRUE(first);
  t.clock.advance(std::chrono::hours(24 * 365));
  auto key = std::exchange(t.key, crypto::LockedKey::random(t.random));
  const auto strange = t.make();  // of another home
  ASSERT_TRUE(strange);
  std::string forged = read_file(t.file(*first));
  forged[48] = '\x01';  // the most significant byte of its date
  Header claims = read_head(t.file(*strange)).value();
  claims.id = std::string(32, 'a');
  write_file(t.home("backups/" + file_name(claims)), forged);
  t.key = std::move(key);
  t.clock.advance(std::chrono::hours(-24 * 365));
  const auto one = desk({.every = std::chrono::hours(6), .keep = 1});
  EXPECT_THAT(one->metrics(), testing::Not(HasSubstr("last_success_timestamp_seconds 0\n")));
  const auto all = await(one->look("test"));
  ASSERT_TRUE(all && all->size() == 3);
  EXPECT_TRUE((*all)[0].authentic);
  EXPECT_FALSE((*all)[1].authentic || (*all)[2].authentic);
  t.clock.advance(std::chrono::hours(6));
  tick(*one);
  ASSERT_EQ(notes.size(), 1U) << "it is due by the backup that opens";
  EXPECT_FALSE(exists(t.file(*first)));
  EXPECT_TRUE(exists(t.file(*strange)));
  EXPECT_EQ(one->list()->size(), 3U);
}

TEST_F(DeskTest, WaitsForNoClockThatWasAhead) {
  t.clock.advance(std::chrono::hours(24 * 365));
  ASSERT_TRUE(t.make());
  t.clock.advance(std::chrono::hours(-24 * 365));
  const auto one = desk({.every = std::chrono::hours(6)});
  tick(*one);
  EXPECT_EQ(notes.size(), 1U);
}

TEST_F(DeskTest, NamesTheKeysThatItsBackupsNeed) {
  const auto one = desk({.every = std::chrono::hours(6)});
  EXPECT_TRUE(one->keys_in_use()->empty());
  tick(*one);
  EXPECT_THAT(*one->keys_in_use(), testing::ElementsAre(1U, 2U));
}

// S2-11: the key that a backup itself is wrapped under is needed as well as those of the rows.
TEST_F(DeskTest, NamesTheKeyThatABackupIsWrappedUnder) {
  const auto store = crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("backup tests")))));
  ASSERT_TRUE(store) << store.error().detail;
  Tools tools = t.tools();
  tools.keys.wrap = [&](const auto& key, std::string_view binding) { return store->wrap(key, binding, t.random); };
  tools.keys_named_in = [](const std::string&) { return Result<std::vector<std::uint32_t>>(); };  // an empty vault
  ASSERT_TRUE(create(t.places(), tools, {}));
  const auto one = desk({});
  auto header = one->list()->front().header;
  EXPECT_THAT(header.key_ids, testing::ElementsAre(1U));
  EXPECT_THAT(*one->keys_in_use(), testing::ElementsAre(1U));
  header.key_ids = {3, 2};  // one of before it was noted
  EXPECT_THAT(keys_needed_by(header), testing::ElementsAre(1U, 2U, 3U));
}

TEST_F(DeskTest, NamesAllKeysWhileOneIsMade) {
  Tools tools = t.tools();
  tools.keys.held = [] { return std::vector<std::uint32_t>{4, 5, 6}; };
  std::unique_ptr<Desk> one;
  std::vector<std::uint32_t> meanwhile;
  tools.copy_database = [&](const std::string& from, const std::string& to, const GoOn&) -> Result<void> {
    SP_TRY(meanwhile, one->keys_in_use());
    write_file(to, read_file(from));
    return {};
  };
  one = std::make_unique<Desk>(t.places(), std::move(tools), DeskRules{.every = std::chrono::hours(6)},
                               [](const std::string&, bool) {});
  EXPECT_TRUE(one->keys_in_use()->empty());
  tick(*one);
  EXPECT_THAT(meanwhile, testing::ElementsAre(4U, 5U, 6U));
  EXPECT_THAT(*one->keys_in_use(), testing::ElementsAre(1U, 2U));
}

TEST_F(DeskTest, RemovesNothingWhileABackupCannotBeRead) {
  const auto one = desk({.every = std::chrono::hours(6), .keep = 1});
  tick(*one);
  const std::string broken = "sallyport-20261122T134500Z-1a2b3c4d.backup";
  write_file(t.home("backups/" + broken), "unreadable");
  const auto refused = one->keys_in_use();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr(broken));
  const Tools tools = t.tools();
  EXPECT_EQ(prune(t.home("backups"), 1, {&tools.keys, nullptr}).error().code, Code::conflict);
  t.clock.advance(std::chrono::hours(6));
  tick(*one);
  EXPECT_EQ(notes.size(), 2U);
  ASSERT_EQ(failures.size(), 1U) << "the new one counts; that the old one stays is said once";
  EXPECT_THAT(failures.front(), HasSubstr("older ones were not removed"));
  EXPECT_EQ(one->list()->size(), 2U);
  ASSERT_TRUE(remove_all(t.home("backups/" + broken)));
  EXPECT_THAT(*one->keys_in_use(), testing::ElementsAre(1U, 2U));
}

TEST_F(DeskTest, KnowsThatBackupsAreMissing) {
  std::optional<std::string> kept;
  const auto rules = [&] {
    DeskRules all{.every = std::chrono::hours(6)};
    all.made_in = [&] { return Result<std::optional<std::string>>(kept); };
    all.keep_made_in = [&](const std::string& folder) -> Result<void> {
      kept = folder;
      return {};
    };
    return all;
  };
  const auto one = desk(rules());
  EXPECT_TRUE(one->keys_in_use()->empty());
  tick(*one);
  EXPECT_EQ(kept, t.home("backups"));
  ASSERT_TRUE(remove_all(t.home("backups")));
  EXPECT_EQ(one->keys_in_use().error().code, Code::conflict);
  const auto next = desk(rules());  // after a restart
  EXPECT_EQ(next->keys_in_use().error().code, Code::conflict);
  kept = "/elsewhere";  // backup.path is another one now
  EXPECT_TRUE(desk(rules())->keys_in_use()->empty());
  ASSERT_TRUE(make_folder(t.home("backups")));
  EXPECT_EQ(one->keys_in_use().error().code, Code::conflict) << "a mount point without its mount";
}

}  // namespace
}  // namespace sallyport::backup
