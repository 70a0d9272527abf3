#include "control/backup/create.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/backup/restore.h"
#include "control/backup/shelf.h"
#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Secret& password() {
  static const Secret kPassword("correct horse battery staple");
  return kPassword;
}

// S0-37, S2-57: the settings, policies and certificates are in it as well as the database.
TEST(BackupCreate, HoldsTheHomeAndVerifies) {
  TestBackups t;
  const auto made = t.make({nullptr, true, false});
  ASSERT_TRUE(made) << made.error().detail;
  const auto found = t.verify(t.file(*made));
  ASSERT_TRUE(found) << found.error().detail;
  std::vector<std::string> names;
  for (const Entry& entry : found->manifest.entries) names.push_back(entry.name);
  EXPECT_THAT(names, testing::ElementsAre("audit/segment-1", "certs/leaf.key", "policies/a.rego", "sallyport.db",
                                          "sallyport.yaml", "secrets/token"));
  EXPECT_EQ(found->bytes, made->bytes);
  struct stat info{};
  ASSERT_EQ(::stat(t.file(*made).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  for (const auto& [name, bytes] : TestBackups::tree(t.home())) EXPECT_THAT(name, Not(HasSubstr("scratch")));
}

// S0-28: nothing of the home stands in the file in the clear, nor its names.
TEST(BackupCreate, HoldsNothingInTheClear) {
  TestBackups t;
  const auto made = t.make({&password(), true, false});
  ASSERT_TRUE(made) << made.error().detail;
  const std::string bytes = read_file(t.file(*made));
  for (const char* canary :
       {"canary", "DATABASE", "package a", "xxxxxxxx", "sallyport.db", "leaf.key", "correct horse"}) {
    EXPECT_EQ(bytes.find(canary), std::string::npos) << canary;
  }
}

TEST(BackupCreate, LeavesTheKeysOutWithoutARecoveryPasswordAndSaysSo) {
  TestBackups t;
  const auto made = t.make();
  ASSERT_TRUE(made);
  EXPECT_THAT(made->notices, Contains(HasSubstr("the keys (keys/) are not in it")));
  EXPECT_FALSE(t.verify(t.file(*made))->manifest.holds("keys"));
  // Without the home's keys it is closed for good.
  t.key = crypto::LockedKey::random(t.random);
  EXPECT_EQ(t.verify(t.file(*made)).error().code, Code::crypto);
}

// What is in the clear while it is tried does not stay on the disk where it lay.
TEST(BackupCreate, OverwritesTheKeysThatItTried) {
  TestBackups t;
  const auto made = t.make({&password(), false, false});
  ASSERT_TRUE(made);
  Tools tools = t.tools();
  tools.check_home = [&](const std::string& at) -> Result<std::vector<std::string>> {
    for (const char* name : {"keys/keyring", "certs/leaf.key", "secrets/token"}) {
      const std::string kept = t.folder.path(std::filesystem::path(name).filename());
      std::filesystem::create_hard_link(at + "/" + name, kept);
      EXPECT_THAT(read_file(kept), HasSubstr("canary"));
    }
    return std::vector<std::string>();
  };
  ASSERT_TRUE(verify(t.file(*made), {&tools.keys, nullptr}, t.home(), tools));
  for (const char* name : {"keyring", "leaf.key", "token"}) {
    const std::string left = read_file(t.folder.path(name));
    EXPECT_EQ(left, std::string(left.size(), '\0')) << name;
  }
}

TEST(BackupCreate, OpensByTheRecoveryPasswordAloneAndBringsTheKeys) {
  TestBackups t;
  const auto made = t.make({&password(), false, false});
  ASSERT_TRUE(made) << made.error().detail;
  t.key = crypto::LockedKey::random(t.random);  // the home is lost
  const auto found = t.verify(t.file(*made), &password());
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_TRUE(found->manifest.holds("keys"));
  const Secret wrong("correct horse battery stable");
  const auto refused = t.verify(t.file(*made), &wrong);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("recovery password is wrong"));
  const Secret shorter("short");
  EXPECT_EQ(t.make({&shorter, false, false}).error().code, Code::validation);
}

TEST(BackupCreate, AddsToTheNewestWhereItIsIncremental) {
  TestBackups t;
  const auto first = t.make({nullptr, true, true});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->base, "");
  t.write("sallyport.db", "DATABASE two");
  const auto second = t.make({nullptr, true, true});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->base, first->id);
  EXPECT_EQ(second->stored, 1U);
  EXPECT_LT(second->bytes, 10'000U);
  t.write("policies/a.rego", "package a\n\nallow := true\n");
  const auto third = t.make({nullptr, true, true});
  ASSERT_TRUE(third);
  const auto found = t.verify(t.file(*third));
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->manifest.find("audit/segment-1")->from, first->id);
  EXPECT_EQ(found->manifest.find("sallyport.db")->from, second->id);
  EXPECT_EQ(found->manifest.find("policies/a.rego")->from, "");
  ASSERT_TRUE(remove_all(t.file(*first)));
  const auto broken = t.verify(t.file(*third));
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().detail, HasSubstr("not beside it"));
}

TEST(BackupCreate, KeepsTheNewestAndThoseTheyStandOn) {
  TestBackups t;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    t.write("sallyport.db", "DATABASE " + std::to_string(i));
    const auto made = t.make({nullptr, false, i == 3});  // the fourth stands on the third
    ASSERT_TRUE(made);
    names.push_back(made->name);
  }
  write_file(t.home("backups/" + names[0] + ".draft"), "half");
  write_file(t.home("backups/mine.txt"), "not ours");
  const Tools tools = t.tools();
  ASSERT_TRUE(prune(t.home("backups"), 2, {&tools.keys, nullptr}));
  const auto left = backups_in(t.home("backups"));
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 3U);
  EXPECT_EQ(left->front().name, names[2]);
  EXPECT_TRUE(exists(t.home("backups/mine.txt")));
  EXPECT_FALSE(exists(t.home("backups/" + names[0] + ".draft")));
}

TEST(BackupCreate, MakesNoneWhereTheKeysChangeAllTheTime) {
  TestBackups t;
  Tools tools = t.tools();
  int turn = 0;
  tools.copy_database = [&](const std::string&, const std::string& to, const GoOn&) -> Result<void> {
    write_file(to, "DATABASE");
    t.write("keys/keyring", "turn " + std::to_string(++turn));
    return {};
  };
  const auto made = create(t.places(), tools, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::conflict);
  EXPECT_TRUE(backups_in(t.home("backups"))->empty());
}

TEST(BackupCreate, StopsWhereItIsToldToAndLeavesNothing) {
  TestBackups t;
  Tools tools = t.tools();
  int asked = 0;
  tools.go_on = [&] { return ++asked < 12; };
  const auto made = create(t.places(), tools, {nullptr, true, false});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::cancelled);
  EXPECT_TRUE(TestBackups::tree(t.home("backups")).empty());
}

TEST(BackupCreate, PassesOverLinksAndSaysSo) {
  TestBackups t;
  for (const char* name : {"policies/link.txt", "policies/below/link.rego", "secrets/link"}) {
    std::filesystem::create_directories(std::filesystem::path(t.home(name)).parent_path());
    std::filesystem::create_symlink(std::string_view(name) == "secrets/link" ? "/etc" : "/etc/passwd", t.home(name));
  }
  const auto made = t.make();
  ASSERT_TRUE(made);
  for (const char* name : {"policies/link.txt", "policies/below/link.rego", "secrets/link"}) {
    EXPECT_THAT(made->notices, Contains(HasSubstr(name)));
    EXPECT_EQ(t.verify(t.file(*made))->manifest.find(name), nullptr);
  }
}

TEST(BackupShelf, TakesNoNameThatLeadsElsewhere) {
  Header header;
  header.id = "0123456789abcdef0123456789abcdef";
  header.at = FakeClock().wall();
  EXPECT_TRUE(is_file_name(file_name(header))) << file_name(header);
  for (const char* name :
       {"", "..", "sallyport-../../../../etc/passwd..backup", "sallyport-20261122T134500Z-1a2b3c4.backup",
        "sallyport-20261122T134500Z-1a2b3c4d.backup/", "x"}) {
    EXPECT_FALSE(is_file_name(name)) << name;
  }
}

class Restore : public testing::Test {
 protected:
  Result<Restored> restore(const std::string& home, bool force = false, const Secret* by = nullptr) {
    std::filesystem::create_directories(home);
    return backup::restore(home, t.tools(), {t.file(*made), by, force, {}});
  }
  TestBackups t;
  Result<Made> made = t.make({&password(), true, false});
};

// S0-40: a backup is worth what comes back from it.
TEST_F(Restore, MakesAnEmptyHomeTheSame) {
  ASSERT_TRUE(made) << made.error().detail;
  auto before = TestBackups::tree(t.home());
  std::erase_if(before, [](const auto& file) { return file.first.starts_with("backups/"); });
  t.key = crypto::LockedKey::random(t.random);  // another machine
  const auto done = restore(t.folder.path("new"), false, &password());
  ASSERT_TRUE(done) << done.error().detail;
  auto after = TestBackups::tree(t.folder.path("new"));
  EXPECT_EQ(std::erase_if(after, [](const auto& file) { return file.first.starts_with("restored-"); }), 1U);
  EXPECT_EQ(after, before);
  EXPECT_EQ(done->aside, "");
}

TEST_F(Restore, TakesNoHomeThatHoldsSomethingUnlessItIsForced) {
  t.write("sallyport.db", "DATABASE newer");
  t.write("sallyport.db-wal", "log");
  EXPECT_EQ(restore(t.home()).error().code, Code::conflict);
  EXPECT_EQ(read_file(t.home("sallyport.db")), "DATABASE newer");
  const auto done = restore(t.home(), true);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(read_file(t.home("sallyport.db")), "DATABASE one");
  EXPECT_FALSE(exists(t.home("sallyport.db-wal")));
  EXPECT_EQ(read_file(done->aside + "/sallyport.db"), "DATABASE newer");
  EXPECT_EQ(read_file(done->aside + "/sallyport.db-wal"), "log");
  EXPECT_TRUE(exists(t.file(*made)));  // the backups stay where they are
}

// S2-57, S3-21: the audit of the restored home has something to begin with, whoever finished the restore.
TEST_F(Restore, LeavesANoteOfWhoRestoredWhichBackup) {
  EXPECT_TRUE(restore_notes(t.home())->empty());
  const auto done = backup::restore(t.home(), t.tools(), {t.file(*made), nullptr, true, "local:1000"});
  ASSERT_TRUE(done) << done.error().detail;
  t.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(backup::restore(t.home(), t.tools(), {t.file(*made), nullptr, true, "local:0"}));
  const auto notes = restore_notes(t.home());
  ASSERT_TRUE(notes && notes->size() == 2);
  EXPECT_EQ(notes->front().by, "local:1000");
  EXPECT_EQ(notes->back().by, "local:0");
  EXPECT_EQ(notes->back().backup, made->id);
  EXPECT_EQ(notes->back().made_at, iso_time(done->manifest.at));
  EXPECT_EQ(notes->back().at, iso_time(t.clock.wall()));
}

// The owner of a home may call their own files what they like.
TEST_F(Restore, TakesNoOtherFileForANote) {
  t.write("restored-notes.txt", "bread, milk");
  t.write("restored-by-ada/list", "bread");
  EXPECT_TRUE(restore_notes(t.home())->empty());
  t.write("restored-123456789012", "damaged");
  const auto notes = restore_notes(t.home());
  ASSERT_FALSE(notes);
  EXPECT_THAT(notes.error().detail, ::testing::HasSubstr("fix: move it out of the home"));
}

// Between the moves of a restore that was cut, something of the home was made anew.
TEST_F(Restore, IsFinishedWhateverStandsInTheWay) {
  t.write(".restore-x/sallyport.db", "DATABASE restored");
  t.write(".restore-x/policies/b.rego", "package b");
  t.write("restore.pending", R"({"id":"x","tops":["policies","sallyport.db"]})");
  t.write("before-restore-x/sallyport.db", "DATABASE one");
  t.write("sallyport.db", "");
  t.write("sallyport.db-wal", "of an empty one");
  const auto done = finish_restore(t.home());
  ASSERT_TRUE(done && *done) << done.error().detail;
  EXPECT_EQ(read_file(t.home("sallyport.db")), "DATABASE restored");
  EXPECT_FALSE(exists(t.home("sallyport.db-wal")));
  EXPECT_EQ(read_file(t.home("policies/b.rego")), "package b");
  EXPECT_FALSE(exists(t.home("policies/a.rego")));
  EXPECT_EQ(read_file(t.home("before-restore-x/sallyport.db")), "DATABASE one");
  EXPECT_FALSE(exists(t.home("restore.pending")));
  EXPECT_FALSE(exists(t.home(".restore-x")));
  EXPECT_FALSE(*finish_restore(t.home()));
}

// S0-40: the database goes where the restored settings have it, and the log of the one that was there is not replayed over it.
TEST_F(Restore, PutsTheDatabaseWhereTheSettingsSay) {
  const std::string place = t.folder.path("far/data.sqlite");
  std::string asked;
  const auto to_place = [&](bool force) {
    return backup::restore(t.home(), t.tools(), {t.file(*made), nullptr, force, {}, [&](const std::string& scratch) {
                                                   asked = read_file(scratch + "/sallyport.yaml");
                                                   return place;
                                                 }});
  };
  for (const char* old : {"data.sqlite", "data.sqlite-wal", "data.sqlite-shm"})
    write_file(t.folder.path("far/") + old, old);
  for (const char* top : {"sallyport.db", "sallyport.yaml", "policies", "certs", "secrets", "keys", "audit"}) {
    ASSERT_TRUE(remove_all(t.home(top)));
  }
  const auto refused = to_place(false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr(place));
  EXPECT_EQ(TestBackups::tree(t.folder.path("far")).size(), 3U);
  EXPECT_FALSE(exists(t.home("sallyport.yaml")));
  const auto done = to_place(true);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(asked, "listen:\n  port: 8000\n");
  EXPECT_EQ(done->database, place);
  EXPECT_EQ(read_file(place), "DATABASE one");
  EXPECT_FALSE(exists(t.home("sallyport.db")));
  EXPECT_FALSE(exists(place + "-wal"));
  EXPECT_EQ(read_file(done->database_aside), "data.sqlite");
  EXPECT_EQ(read_file(done->database_aside + "-wal"), "data.sqlite-wal");
  EXPECT_EQ(read_file(done->database_aside + "-shm"), "data.sqlite-shm");
  EXPECT_EQ(TestBackups::tree(t.folder.path("far")).size(), 4U);
}

TEST_F(Restore, MakesTheFolderWhereTheSettingsHaveTheDatabase) {
  const std::string place = t.folder.path("a/b/data.sqlite");
  const auto there = [&](const std::string&) { return place; };
  const auto done = backup::restore(t.home(), t.tools(), {t.file(*made), nullptr, true, {}, there});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(read_file(place), "DATABASE one");
  EXPECT_EQ(done->database_aside, "");
  EXPECT_EQ(read_file(done->aside + "/sallyport.db"), "DATABASE one");
}

// Cut between the moves there; and cut before it was decided, when nothing of it may be left there.
TEST_F(Restore, IsFinishedOrLeavesNothingElsewhere) {
  const std::string place = t.folder.path("far/db");
  for (const bool decided : {false, true}) {
    t.write(".restore-x/sallyport.db", "DATABASE restored");
    t.write(".restore-x/draft.place", place);
    write_file(place + ".restore-x", "DATABASE restored");
    write_file(place + "-wal", "old log");
    if (decided) t.write("restore.pending", R"({"id":"x","tops":["sallyport.db"],"database":")" + place + "\"}");
    const auto done = finish_restore(t.home());
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_EQ(*done, decided);
    EXPECT_EQ(exists(place), decided);
    EXPECT_EQ(exists(place + "-wal"), !decided);
    EXPECT_FALSE(exists(place + ".restore-x"));
    EXPECT_FALSE(exists(t.home(".restore-x")));
    EXPECT_EQ(exists(t.home("sallyport.db")), !decided);
  }
  EXPECT_EQ(read_file(place), "DATABASE restored");
  EXPECT_EQ(read_file(place + ".before-restore-x-wal"), "old log");
}

TEST_F(Restore, TouchesNothingWhereThePlaceCannotBeWritten) {
  const auto before = TestBackups::tree(t.home());
  const std::string far = t.folder.path("far");
  std::filesystem::create_directory(far);
  for (const std::string& place : {t.home("sallyport.yaml/data.sqlite"), far + "/\xFF.sqlite"}) {
    const auto there = [&](const std::string&) { return place; };
    const auto done = backup::restore(t.home(), t.tools(), {t.file(*made), nullptr, true, {}, there});
    EXPECT_FALSE(done) << place;
    EXPECT_EQ(TestBackups::tree(t.home()), before);
    EXPECT_TRUE(std::filesystem::is_empty(far));
  }
}

// A mark that was written by somebody else moves nothing.
TEST_F(Restore, ObeysNoMarkThatItDidNotWrite) {
  for (const char* mark : {"", "{}", R"({"id":"../x","tops":[]})", R"({"id":"x","tops":["../../etc"]})",
                           R"({"id":"x","tops":["lock"]})", R"({"id":"x","tops":[],"database":"relative"})"}) {
    t.write("restore.pending", mark);
    EXPECT_FALSE(finish_restore(t.home())) << mark;
    EXPECT_EQ(read_file(t.home("sallyport.db")), "DATABASE one");
  }
}

TEST_F(Restore, TouchesNothingWhereWhatCameOutIsNoHome) {
  t.write("sallyport.db", "broken");
  const auto broken = t.make();
  ASSERT_TRUE(broken);
  const auto before = TestBackups::tree(t.home());
  const auto done = backup::restore(t.home(), t.tools(), {t.file(*broken), nullptr, true, {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(TestBackups::tree(t.home()), before);
}

}  // namespace
}  // namespace sallyport::backup
