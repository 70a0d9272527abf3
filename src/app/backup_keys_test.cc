// S2-11, S0-40: keys that a backup needs, and keys that it brings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "app/backups.h"
#include "control/backup/desk.h"
#include "control/backup/test_folder.h"
#include "control/hash_key_desk.h"
#include "control/key_desk.h"
#include "core/await_test_support.h"
#include "crypto/keyring.h"

namespace sallyport::app {
namespace {

using testing::HasSubstr;

class BackupKeys : public testing::Test {
 protected:
  BackupKeys() {
    std::filesystem::create_directories(home());
    auto ring = crypto::Keyring::create(home(), {}, std::nullopt, random_, clock_.wall()).value();
    keys_.emplace(ring.store().value());
    repository_ = storage::SqliteRepository::open(home("sallyport.db"), clock_).value();
    turner_.emplace(*keys_, std::move(ring), *repository_, random_, clock_, control::KeyDeskRules{.home = home()});
  }
  [[nodiscard]] std::string home(const std::string& name = {}) const {
    return folder_.path("home") + (name.empty() ? "" : "/" + name);
  }
  [[nodiscard]] backup::Places places() const {
    return {home(), home("sallyport.db"), home("sallyport.yaml"), home("policies"), home("audit"), home("backups")};
  }
  [[nodiscard]] backup::Tools tools(Source source = nullptr) {
    return backup_tools(clock_, random_, &*keys_, std::move(source));
  }
  // The backup at `path` by its recovery password alone, as on another machine.
  Result<backup::Verified> verify_elsewhere(const std::string& path, Source source) {
    const auto with = backup_tools(clock_, random_, nullptr, std::move(source));
    return backup::verify(path, {&with.keys, &password_}, folder_.path(), with);
  }

  backup::TestFolder folder_;
  SystemRandom random_;
  FakeClock clock_;
  Secret password_{"correct horse battery staple"};
  std::optional<crypto::KeyStore> keys_;
  std::unique_ptr<storage::SqliteRepository> repository_;
  std::optional<control::KeyDesk> turner_;
};

// No row names a key, and the backup itself is wrapped under one.
TEST_F(BackupKeys, ABackupOfAnEmptyVaultOpensAfterATurn) {
  backup::Desk backups(places(), tools(), {}, [](const std::string&, bool) {});
  turner_->add_rows({[] {}, [] { return Result<bool>(false); }, [&] { return backups.keys_in_use(); }});
  const auto done = await(backups.create("test", {}));
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(await(turner_->rotate()).value(), 2U);
  EXPECT_EQ(turner_->status().keys.size(), 2U);
  const auto found = await(backups.verify("test", done->made.name, nullptr));
  EXPECT_TRUE(found) << found.error().detail;
  ASSERT_TRUE(backup::remove_all(home("backups/" + done->made.name)));
  EXPECT_EQ(await(turner_->rotate()).error().code, Code::conflict) << "it may be elsewhere for a while";
  EXPECT_EQ(turner_->status().keys.size(), 3U);
  backups.stop();
}

// What a start refuses is no good backup: by it no older one goes.
TEST_F(BackupKeys, WhatWouldNotStartDoesNotStandItsTrial) {
  control::HashKeyDesk hash_keys(*repository_, *keys_, random_, clock_, {}, nullptr, nullptr);
  ASSERT_TRUE(hash_keys.load());
  backup::Desk backups(places(), tools(), {.keep = 1}, [](const std::string&, bool) {});
  const auto good = await(backups.create("test", {}));
  ASSERT_TRUE(good) << good.error().detail;
  const std::string sealed = repository_->get_meta("api_key_hash_keys").value().value();
  std::string damaged = sealed;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(repository_->put_meta("api_key_hash_keys", damaged));
  const auto refused = await(backups.create("test", {}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("would not start: the hash keys of API keys"));
  EXPECT_TRUE(backup::exists(home("backups/" + good->made.name)));
  ASSERT_TRUE(repository_->put_meta("api_key_hash_keys", sealed));
  control::StoredTokenKey key{.id = "k1", .algorithm = "EdDSA", .sealed = "nobody opens this"};
  ASSERT_TRUE(repository_->put_token_keys(std::span(&key, 1)));
  const auto again = await(backups.create("test", {}));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().detail, HasSubstr("would not start"));
  EXPECT_TRUE(backup::exists(home("backups/" + good->made.name)));
  backups.stop();
}

TEST_F(BackupKeys, KeysThatABackupBringsMustOpen) {
  const auto made = backup::create(places(), tools(), {&password_, false, false});
  ASSERT_TRUE(made) << made.error().detail;
  const std::string path = home("backups/" + made->name);
  const auto by_file = tools();
  const auto good = backup::verify(path, {&by_file.keys, nullptr}, home(), by_file);
  EXPECT_TRUE(good) << good.error().detail;
  backup::write_file(home("keys/keyring"), "sallyport-keyring damaged");
  const auto damaged = backup::create(places(), tools(), {&password_, false, false});
  ASSERT_TRUE(damaged) << damaged.error().detail;
  // The home's keys open its rows, and it is refused all the same: it would not outlive the home.
  const auto refused = backup::verify(home("backups/" + damaged->name), {&by_file.keys, nullptr}, home(), by_file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::config);
  EXPECT_THAT(refused.error().detail, HasSubstr("keys/"));
}

TEST_F(BackupKeys, WhatOpensThemIsNeverSaidByTheBackup) {
  backup::write_file(home("sallyport.yaml"), "encryption:\n  password: ${file:secrets/gone}\n");
  const auto made = backup::create(places(), tools(), {&password_, false, false});
  ASSERT_TRUE(made) << made.error().detail;
  int asked = 0;
  const auto by_key = [&]() -> Result<crypto::UnsealSource> {
    ++asked;
    return fail(Code::config, "asked");
  };
  const auto refused = verify_elsewhere(home("backups/" + made->name), by_key);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "asked");
  EXPECT_EQ(asked, 1);
  // Its settings name a password; the key file is what it is asked to open by, and does.
  const auto good = verify_elsewhere(home("backups/" + made->name), nullptr);
  EXPECT_TRUE(good) << good.error().detail;
}

}  // namespace
}  // namespace sallyport::app
