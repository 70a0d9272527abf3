// Killed at each step of a change on the disk, nothing is lost and nothing is half (issue 6, done-when 4; S2-11, S0-40).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/backups.h"
#include "app/crash_runner.h"
#include "control/backup/shelf.h"
#include "control/vault.h"
#include "crypto/keyring.h"

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

crypto::UnsealSource by_file() { return {}; }
crypto::UnsealSource by_key() {
  return {crypto::UnsealKind::environment, Secret("zbLg0PhzzlMm6Hz33sSN6NowQ8/JUKfroFoFkVDoc/U="), {}};
}
crypto::UnsealSource by_password(const std::string& word) {
  return {crypto::UnsealKind::password, Secret("correct horse battery " + word), {}};
}

struct Opened {
  SystemClock clock;
  SystemRandom random;
  std::optional<crypto::Keyring> ring;
  std::optional<crypto::KeyStore> keys;
  std::unique_ptr<storage::SqliteRepository> store;
  std::optional<control::Vault> vault;
};

// As a start opens it, with one of these sources.
Result<void> open(const std::string& home, Opened& out, const std::vector<crypto::UnsealSource>& sources) {
  SP_TRY(const bool finished, backup::finish_restore(home));
  (void)finished;
  Result<crypto::Keyring> ring = fail(Code::internal);
  for (const auto& source : sources) {
    ring = crypto::Keyring::open(home, source);
    if (ring) break;
  }
  if (!ring) return fail(ring.error());
  out.ring.emplace(std::move(*ring));
  SP_CHECK(out.ring->tidy());
  SP_TRY(out.keys, out.ring->store());
  SP_TRY(out.store, storage::SqliteRepository::open(home + "/sallyport.db", out.clock));
  out.vault.emplace(out.store->vault(), *out.keys, out.random, out.clock);
  return out.vault->load({});
}

Result<void> open(const std::string& home, Opened& out) {
  std::vector<crypto::UnsealSource> file;
  file.push_back(by_file());
  return open(home, out, file);
}

backup::Places places_in(const std::string& home) {
  return {
      home, home + "/sallyport.db", home + "/sallyport.yaml", home + "/policies", home + "/audit", home + "/backups"};
}

constexpr int kSecrets = 5;
std::string name_of(int secret) { return "s" + std::to_string(secret); }

// The whole home says one word: the secrets of its vault, its settings and a policy.
void say(const std::string& home, const std::string& word) {
  Opened opened;
  const auto good = open(home, opened);
  ASSERT_TRUE(good) << good.error().detail;
  for (int i = 0; i < kSecrets; ++i) {
    ASSERT_TRUE(
        opened.vault->put({.where = {"", name_of(i)}, .value = Secret(word + " of " + name_of(i)), .author = "test"}));
  }
  write_text(home + "/policies/word.rego", word);
  write_text(home + "/sallyport.yaml", "# " + word + "\n");
}

// What all secrets say; no two may say another word.
std::string word_in(control::Vault& vault) {
  std::string word;
  for (int i = 0; i < kSecrets; ++i) {
    const auto value = vault.reveal({"", name_of(i)}, std::nullopt);
    EXPECT_TRUE(value) << name_of(i) << ": " << value.error().detail;
    if (!value) return {};
    const std::string said(value->value.reveal());
    const std::string here = said.substr(0, said.find(' '));
    EXPECT_EQ(said, here + " of " + name_of(i));
    EXPECT_TRUE(word.empty() || word == here) << word << " and " << here;
    word = here;
  }
  return word;
}

std::string word_of(const std::string& home) {
  Opened opened;
  const auto good = open(home, opened);
  EXPECT_TRUE(good) << good.error().detail;
  if (!good) return {};
  const std::string word = word_in(*opened.vault);
  EXPECT_EQ(read_text(home + "/policies/word.rego"), word);
  EXPECT_EQ(read_text(home + "/sallyport.yaml"), "# " + word + "\n");
  return word;
}

void make_home(const std::string& home) {
  fs::create_directories(home);
  SystemRandom random;
  const SystemClock clock;
  const auto ring = crypto::Keyring::create(home, by_file(), std::nullopt, random, clock.wall());
  ASSERT_TRUE(ring) << ring.error().detail;
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
  SP_TRY(const auto ring, crypto::Keyring::open(home, by_file()));
  SP_TRY(const auto keys, ring.store());
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

// A first keyring: there is none, or one that opens. What is there of it is taken up by the next try.
Scenario founding() {
  const auto found = [](const std::string& home) -> Result<void> {
    SystemRandom random;
    const SystemClock clock;
    if (crypto::Keyring::open(home, by_file())) return {};
    auto root = crypto::root_of_old_home(home);
    SP_CHECK(crypto::Keyring::create(home, by_file(), root ? std::optional(std::move(*root)) : std::nullopt, random,
                                     clock.wall()));
    return {};
  };
  return {"a first keyring", [](const std::string& home) { fs::create_directories(home); },
          [found](const std::string& home) { return found(home).has_value(); },
          [found](const std::string& home) {
            const auto good = found(home);
            EXPECT_TRUE(good) << good.error().detail;
            say(home, "one");
            EXPECT_EQ(word_of(home), "one");
          }};
}

// The key-encryption key turns: every data key is wrapped anew, two at a time, then the old key is destroyed.
Result<void> turn(const std::string& home, bool again) {
  Opened opened;
  SP_CHECK(open(home, opened));
  if (!again) SP_CHECK(opened.ring->rotate(opened.random, opened.clock.wall()));
  opened.keys->wrapping().replace(opened.ring->wrapping());
  std::optional<control::Vault::Position> from = control::Vault::Position{};
  while (from) {
    SP_TRY(from, opened.vault->rewrap(*from, 2));
  }
  SP_CHECK(opened.ring->drop_retired({}, opened.random));
  return {};
}

Scenario turning() {
  return {"a rotation of the key-encryption key", make_home,
          [](const std::string& home) { return turn(home, false).has_value(); },
          [](const std::string& home) {
            EXPECT_EQ(word_of(home), "one");
            const auto finished = turn(home, true);
            EXPECT_TRUE(finished) << finished.error().detail;
            EXPECT_EQ(word_of(home), "one");
            Opened opened;
            ASSERT_TRUE(open(home, opened));
            EXPECT_EQ(opened.ring->wrapping().size(), 1U);
          }};
}

// Another source opens the keyring: the former one, or the new one, and all secrets are there.
Scenario resealing(const std::string& name, std::function<crypto::UnsealSource()> former,
                   std::function<crypto::UnsealSource()> next) {
  const auto reseal = [former, next](const std::string& home) -> Result<void> {
    SystemRandom random;
    auto ring = crypto::Keyring::open(home, former());
    if (!ring) ring = crypto::Keyring::open(home, next());
    if (!ring) return fail(ring.error());
    SP_CHECK(ring->reseal(next(), random));
    return {};
  };
  return {name,
          [former](const std::string& home) {
            make_home(home);
            SystemRandom random;
            if (former().kind == crypto::UnsealKind::file) return;
            auto ring = crypto::Keyring::open(home, by_file());
            ASSERT_TRUE(ring && ring->reseal(former(), random));
          },
          [reseal](const std::string& home) { return reseal(home).has_value(); },
          [reseal, former, next](const std::string& home) {
            std::vector<crypto::UnsealSource> sources;
            sources.push_back(next());
            sources.push_back(former());
            Opened opened;
            const auto good = open(home, opened, sources);
            ASSERT_TRUE(good) << good.error().detail;
            EXPECT_EQ(word_in(*opened.vault), "one");
            const auto again = reseal(home);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_TRUE(crypto::Keyring::open(home, next()));
          }};
}

// A version that is destroyed opens no more, or is as it was; the others are untouched.
Scenario destroying() {
  const auto destroy = [](const std::string& home) -> Result<void> {
    Opened opened;
    SP_CHECK(open(home, opened));
    SP_CHECK(opened.vault->destroy({"", name_of(0)}, 1));
    return {};
  };
  return {"the destruction of a version",
          [](const std::string& home) {
            make_home(home);
            say(home, "two");
          },
          [destroy](const std::string& home) { return destroy(home).has_value(); },
          [](const std::string& home) {
            EXPECT_EQ(word_of(home), "two");
            Opened opened;
            ASSERT_TRUE(open(home, opened));
            const auto value = opened.vault->reveal({"", name_of(0)}, 1);
            EXPECT_TRUE(value ? value->value.reveal() == "one of s0" : value.error().code == Code::gone);
          }};
}

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all{making(false), making(true), restoring(), recovering(),
                            founding(),    turning(),    destroying()};
  all.push_back(resealing("a key file gives way to a key", by_file, by_key));
  all.push_back(resealing(
      "a change of the password", [] { return by_password("staple"); }, [] { return by_password("stable"); }));
  return all;
}

TEST(CrashTest, NothingIsLostAtAnyStep) {
  CrashTest test(all_scenarios());
  ASSERT_FALSE(HasFailure());
  for (std::size_t place = 0; place < kFaultPoints.size(); ++place) {
    EXPECT_GT(test.covered()[place], 0U) << kFaultPoints[place] << " stands in no scenario";
  }
  test.run(wanted_runs(), wanted_seed());
}

}  // namespace
}  // namespace sallyport::app
#endif
