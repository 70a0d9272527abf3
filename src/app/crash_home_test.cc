// Of the crash test, the homes: crash_home.h.
#include "app/crash_home.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/backup/shelf.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app::crash {
namespace {

namespace fs = std::filesystem;
constexpr int kSecrets = 5;

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

void write_text(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

crypto::UnsealSource by_key() {
  return {crypto::UnsealKind::environment, Secret("zbLg0PhzzlMm6Hz33sSN6NowQ8/JUKfroFoFkVDoc/U="), {}};
}
crypto::UnsealSource by_password(const std::string& word) {
  return {crypto::UnsealKind::password, Secret("correct horse battery " + word), {}};
}

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

std::string name_of(int secret) { return "s" + std::to_string(secret); }

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

void set_ahead(FakeClock& clock, std::chrono::hours by) {
  const auto lag = SystemClock().wall() - clock.wall();
  clock.advance(std::chrono::duration_cast<std::chrono::microseconds>(lag) + by);
}

backup::Places places_in(const std::string& home) {
  return {
      home, home + "/sallyport.db", home + "/sallyport.yaml", home + "/policies", home + "/audit", home + "/backups"};
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

}  // namespace sallyport::app::crash
#endif
