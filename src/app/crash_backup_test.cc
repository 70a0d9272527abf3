// Of the crash test: backups made and restored (S2-11, S0-37).
#include <gtest/gtest.h>

#include <filesystem>

#include "app/backups.h"
#include "app/crash_home.h"
#include "control/backup/desk.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app::crash {
namespace {

namespace fs = std::filesystem;

std::string only_backup(const std::string& home) {
  const auto all = backup::backups_in(home + "/backups");
  EXPECT_TRUE(all && all->size() == 1);
  return home + "/backups/" + (all && !all->empty() ? all->front().name : "");
}

Result<void> restore_over(const std::string& home) {
  SP_CHECK(backup::finish_restore(home));
  SP_TRY(const auto ring, crypto::Keyring::open(home, by_file()));
  SP_TRY(const auto keys, ring.store());
  const SystemClock clock;
  SystemRandom random;
  SP_CHECK(backup::restore(home, backup_tools(clock, random, &keys), {only_backup(home), nullptr, true, "local:0"}));
  return {};
}

const Secret& password() {
  static const Secret kPassword("correct horse battery staple");
  return kPassword;
}

Result<void> prune_to_one(const std::string& home) {
  Opened opened;
  SP_CHECK(open(home, opened));
  const auto tools = backup_tools(opened.clock, opened.random, &*opened.keys);
  SP_CHECK(backup::prune(home + "/backups", 1, {&tools.keys, nullptr}));
  return {};
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
          [wish](const std::string& home) { return back_up(home, wish) && prune_to_one(home); },
          [wish](const std::string& home) {
            EXPECT_EQ(word_of(home), "one");
            std::size_t count = 0;
            const auto good = verify_all(home, count);
            EXPECT_TRUE(good) << good.error().detail;
            EXPECT_GE(count, 1U);
            ASSERT_TRUE(backup::sweep(home));
            const auto again = back_up(home, wish);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_TRUE(prune_to_one(home));
            for (const auto& one : fs::recursive_directory_iterator(home)) {
              const std::string name = one.path().filename().string();
              EXPECT_FALSE(name.ends_with(".draft") || name.starts_with(".backup-scratch")) << name;
            }
          }};
}

// As the gateway's clock makes one: swept, made, verified, older ones removed.
struct Clockwork {
  explicit Clockwork(std::chrono::hours ahead) { set_ahead(clock, ahead); }
  // False: something failed, and it said so.
  bool tick(const std::string& home) {
    Opened opened;
    if (!open(home, opened)) return false;
    bool good = true;
    backup::DeskRules rules;
    rules.every = std::chrono::hours(1);
    rules.keep = 1;
    rules.made_in = [&] { return opened.store->get_meta("backups_made_in"); };
    rules.keep_made_in = [&](const std::string& folder) { return opened.store->put_meta("backups_made_in", folder); };
    backup::Desk desk(places_in(home), backup_tools(clock, opened.random, &*opened.keys), std::move(rules),
                      [&](const std::string&, bool bad) { good = good && !bad; });
    const auto ticked = [](backup::Desk& of) -> Task<bool> {
      co_await of.tick();
      co_return true;
    };
    await(ticked(desk));
    desk.stop();
    return good;
  }
  FakeClock clock;
};

Scenario scheduled() {
  return {"a backup by the clock",
          [](const std::string& home) {
            make_home(home);
            for (int i = 0; i < 2; ++i) ASSERT_TRUE(back_up(home, {}));
          },
          [](const std::string& home) { return Clockwork(std::chrono::hours(2)).tick(home); },
          [](const std::string& home) {
            EXPECT_EQ(word_of(home), "one");
            std::size_t count = 0;
            const auto good = verify_all(home, count);
            EXPECT_TRUE(good) << good.error().detail;
            EXPECT_GE(count, 1U);
            EXPECT_TRUE(Clockwork(std::chrono::hours(4)).tick(home));
            EXPECT_TRUE(verify_all(home, count));
            EXPECT_EQ(count, 1U);
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
            EXPECT_EQ(backup::restore_notes(home)->size(), word == "one" ? 1U : 0U) << "the audit would not tell of it";
            const auto again = restore_over(home);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_EQ(word_of(home), "one");
          }};
}

std::string far_database(const std::string& home) { return home + "/far/data.sqlite"; }

// As over a home, with the database where storage.url has it. Here it changes its place for the time of the restore alone.
Scenario restoring_elsewhere() {
  return {"a restore of a database that lies elsewhere",
          [](const std::string& home) {
            make_home(home);
            ASSERT_TRUE(back_up(home, {}));
            say(home, "two");
            fs::create_directory(home + "/far");
            fs::rename(home + "/sallyport.db", far_database(home));
            write_text(far_database(home) + "-wal", "");
          },
          [](const std::string& home) {
            const auto ring = crypto::Keyring::open(home, by_file());
            const auto keys = ring ? ring->store() : Result<crypto::KeyStore>(fail(ring.error()));
            if (!keys || !backup::finish_restore(home)) return false;
            const SystemClock clock;
            SystemRandom random;
            const auto place = [&home](const std::string&) { return far_database(home); };
            return backup::restore(home, backup_tools(clock, random, &*keys),
                                   {only_backup(home), nullptr, true, "local:0", place})
                .has_value();
          },
          [](const std::string& home) {
            ASSERT_TRUE(backup::finish_restore(home));
            EXPECT_FALSE(fs::exists(home + "/sallyport.db"));
            for (const auto& one : fs::directory_iterator(home + "/far")) {
              EXPECT_EQ(one.path().filename().string().find(".restore-"), std::string::npos) << one.path();
            }
            const bool restored = !fs::exists(far_database(home) + "-wal");
            fs::rename(far_database(home), home + "/sallyport.db");
            EXPECT_EQ(word_of(home), restored ? "one" : "two");
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
            return backup::restore(home, backup_tools(clock, random, nullptr),
                                   {only_backup(home), &password(), false, {}})
                .has_value();
          },
          [](const std::string& home) {
            ASSERT_TRUE(backup::finish_restore(home));
            if (!fs::exists(home + "/sallyport.db")) {
              EXPECT_FALSE(fs::exists(home + "/keys"));
              const SystemClock clock;
              SystemRandom random;
              const auto again = backup::restore(home, backup_tools(clock, random, nullptr),
                                                 {only_backup(home), &password(), false, {}});
              EXPECT_TRUE(again) << again.error().detail;
            }
            EXPECT_EQ(word_of(home), "one");
          }};
}

}  // namespace

std::vector<Scenario> backup_scenarios() {
  return {making(false), making(true), scheduled(), restoring(), restoring_elsewhere(), recovering()};
}

}  // namespace sallyport::app::crash
#endif
