// Killed at each step of a change on the disk, nothing is lost and nothing is half (issue 6, done-when 4; S2-11, S0-40).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/backups.h"
#include "app/crash_runner.h"
#include "control/backup/shelf.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app {
namespace {

namespace fs = std::filesystem;

void write_text(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Opened {
  SystemClock clock;
  SystemRandom random;
  std::optional<crypto::KeyStore> keys;
  std::unique_ptr<storage::SqliteRepository> store;
};

// As a start opens it.
Result<void> open(const std::string& home, Opened& out) {
  SP_TRY(const bool finished, backup::finish_restore(home));
  (void)finished;
  SP_TRY(out.keys, crypto::KeyStore::open(home));
  SP_TRY(out.store, storage::SqliteRepository::open(home + "/sallyport.db", out.clock));
  return {};
}

backup::Places places_in(const std::string& home) {
  return {
      home, home + "/sallyport.db", home + "/sallyport.yaml", home + "/policies", home + "/audit", home + "/backups"};
}

// The whole home says one word: in the database, the settings and a policy.
void say(const std::string& home, const std::string& word) {
  Opened opened;
  ASSERT_TRUE(open(home, opened));
  ASSERT_TRUE(opened.store->put_meta("word", word));
  write_text(home + "/policies/word.rego", word);
  write_text(home + "/sallyport.yaml", "# " + word + "\n");
}

std::string word_of(const std::string& home) {
  Opened opened;
  const auto good = open(home, opened);
  EXPECT_TRUE(good) << good.error().detail;
  if (!good) return {};
  const auto word = opened.store->get_meta("word");
  EXPECT_TRUE(word && *word);
  if (!word || !*word) return {};
  EXPECT_EQ(read_text(home + "/policies/word.rego"), **word);
  EXPECT_EQ(read_text(home + "/sallyport.yaml"), "# " + **word + "\n");
  return **word;
}

void make_home(const std::string& home) {
  fs::create_directories(home);
  SystemRandom random;
  ASSERT_TRUE(crypto::KeyStore::create(home, random));
  say(home, "one");
}

Result<backup::Made> back_up(const std::string& home, const backup::Wish& wish) {
  Opened opened;
  SP_CHECK(open(home, opened));
  return backup::create(places_in(home), backup_tools(opened.clock, opened.random, &*opened.keys), wish);
}

Result<void> verify_all(const std::string& home, std::size_t& count) {
  Opened opened;
  SP_CHECK(open(home, opened));
  const auto tools = backup_tools(opened.clock, opened.random, &*opened.keys);
  SP_TRY(const auto all, backup::backups_in(home + "/backups"));
  count = all.size();
  for (const auto& one : all)
    SP_CHECK(backup::verify(home + "/backups/" + one.name, {&tools.keys, nullptr}, home, tools));
  return {};
}

std::string only_backup(const std::string& home) {
  const auto all = backup::backups_in(home + "/backups");
  EXPECT_TRUE(all && all->size() == 1);
  return home + "/backups/" + (all && !all->empty() ? all->front().name : "");
}

Result<void> restore_over(const std::string& home) {
  SP_CHECK(backup::finish_restore(home));
  SP_TRY(const auto keys, crypto::KeyStore::open(home));
  const SystemClock clock;
  SystemRandom random;
  SP_CHECK(backup::restore(home, backup_tools(clock, random, &keys), {only_backup(home), nullptr, true}));
  return {};
}

const Secret& password() {
  static const Secret kPassword("correct horse battery staple");
  return kPassword;
}

// A backup that is named is whole, and the older ones go only once it is.
Scenario making(bool incremental) {
  const backup::Wish wish{nullptr, false, incremental};
  return {incremental ? "an incremental backup" : "a backup",
          [wish](const std::string& home) {
            make_home(home);
            for (int i = 0; i < 2; ++i) ASSERT_TRUE(back_up(home, wish));
            write_text(home + "/policies/more.rego", "more");
          },
          [wish](const std::string& home) { return back_up(home, wish) && backup::prune(home + "/backups", 1); },
          [wish](const std::string& home) {
            EXPECT_EQ(word_of(home), "one");
            std::size_t count = 0;
            const auto good = verify_all(home, count);
            EXPECT_TRUE(good) << good.error().detail;
            EXPECT_GE(count, 1U);
            ASSERT_TRUE(backup::sweep(home));
            const auto again = back_up(home, wish);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_TRUE(backup::prune(home + "/backups", 1));
            for (const auto& one : fs::recursive_directory_iterator(home)) {
              const std::string name = one.path().filename().string();
              EXPECT_FALSE(name.ends_with(".draft") || name.starts_with(".backup-scratch")) << name;
            }
          }};
}

// The home is the one from before or the restored one, all of it.
Scenario restoring() {
  return {"a restore over a home",
          [](const std::string& home) {
            make_home(home);
            ASSERT_TRUE(back_up(home, {}));
            say(home, "two");
            write_text(home + "/sallyport.db-journal", "");
          },
          [](const std::string& home) { return restore_over(home).has_value(); },
          [](const std::string& home) {
            const std::string word = word_of(home);
            EXPECT_TRUE(word == "one" || word == "two") << word;
            const auto again = restore_over(home);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_EQ(word_of(home), "one");
          }};
}

// A home that is lost comes back by the recovery password, keys and all; killed, the restore is simply done once more.
Scenario recovering() {
  return {"a recovery by password",
          [](const std::string& home) {
            make_home(home);
            ASSERT_TRUE(back_up(home, {&password(), false, false}));
            for (const char* gone : {"keys", "sallyport.db", "sallyport.yaml", "policies"})
              fs::remove_all(home + "/" + gone);
          },
          [](const std::string& home) {
            const SystemClock clock;
            SystemRandom random;
            return backup::restore(home, backup_tools(clock, random, nullptr), {only_backup(home), &password(), false})
                .has_value();
          },
          [](const std::string& home) {
            ASSERT_TRUE(backup::finish_restore(home));
            if (!fs::exists(home + "/sallyport.db")) {
              EXPECT_FALSE(fs::exists(home + "/keys"));
              const SystemClock clock;
              SystemRandom random;
              const auto again =
                  backup::restore(home, backup_tools(clock, random, nullptr), {only_backup(home), &password(), false});
              EXPECT_TRUE(again) << again.error().detail;
            }
            EXPECT_EQ(word_of(home), "one");
          }};
}

TEST(CrashTest, NothingIsLostAtAnyStep) {
  CrashTest test({making(false), making(true), restoring(), recovering()});
  ASSERT_FALSE(HasFailure());
  for (std::size_t place = 0; place < kFaultPoints.size(); ++place) {
    EXPECT_GT(test.covered()[place], 0U) << kFaultPoints[place] << " stands in no scenario";
  }
  test.run(wanted_runs(), wanted_seed());
}

}  // namespace
}  // namespace sallyport::app
#endif
