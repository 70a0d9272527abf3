#include "crypto/key_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/known_secrets.h"

namespace sallyport::crypto {
namespace {

namespace fs = std::filesystem;

class KeyStoreFile : public ::testing::Test {
 protected:
  KeyStoreFile() {
    std::string pattern = (fs::temp_directory_path() / "sallyport-keys-XXXXXX").string();
    home_ = ::mkdtemp(pattern.data());
  }
  ~KeyStoreFile() override { fs::remove_all(home_); }
  [[nodiscard]] fs::path file() const { return home_ / "keys" / "master.key"; }
  void write(const std::string& content, mode_t mode = 0600) const {
    fs::create_directory(home_ / "keys");
    ::chmod((home_ / "keys").c_str(), 0700);
    std::ofstream(file(), std::ios::binary) << content;
    ::chmod(file().c_str(), mode);
  }
  // The refusal's text, or "" where the store opened.
  [[nodiscard]] std::string refusal() const {
    const auto store = KeyStore::open(home_);
    return store ? "" : store.error().detail;
  }

  fs::path home_;
  SystemRandom random_;
};

std::string key_text(const KeyStore& store, Purpose purpose) { return hex_encode(store.key(purpose)); }

Secret master(char salt) { return Secret(std::string(as_text(sha256(std::string("a master key for tests ") + salt)))); }

TEST_F(KeyStoreFile, MakesAKeyOnceAndReadsTheSameAgain) {
  EXPECT_EQ(KeyStore::open(home_).error().code, Code::not_found);
  const auto made = KeyStore::open_or_create(home_, random_);
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  const auto again = KeyStore::open_or_create(home_, random_);
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(made->fingerprint(), again->fingerprint());
  EXPECT_EQ(key_text(*made, Purpose::vault), key_text(*again, Purpose::vault));
  EXPECT_EQ(KeyStore::create(home_, random_).error().code, Code::already_exists);
}

TEST_F(KeyStoreFile, TheFileIsForItsOwnerOnlyAndAlone) {
  ASSERT_TRUE(KeyStore::create(home_, random_).has_value());
  struct stat info{};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(info.st_size, 32);
  ASSERT_EQ(::stat((home_ / "keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  EXPECT_EQ(std::distance(fs::directory_iterator(home_ / "keys"), fs::directory_iterator()), 1) << "a draft was left";
}

TEST_F(KeyStoreFile, RefusesWidePermissionsAndNamesTheFix) {
  write(std::string(master('a').reveal()), 0640);
  EXPECT_NE(refusal().find("fix: chmod 600 '" + file().string() + "'"), std::string::npos) << refusal();
  ::chmod(file().c_str(), 0600);
  EXPECT_EQ(refusal(), "");
  ::chmod((home_ / "keys").c_str(), 0755);
  EXPECT_NE(refusal().find("fix: chmod 700"), std::string::npos) << refusal();
}

TEST_F(KeyStoreFile, RefusesAForeignOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write(std::string(master('a').reveal()));
  ASSERT_EQ(::chown(file().c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal().find("belongs to uid 12345"), std::string::npos) << refusal();
}

TEST_F(KeyStoreFile, FollowsNoLink) {
  write(std::string(master('a').reveal()));
  fs::rename(file(), home_ / "elsewhere");
  fs::create_symlink(home_ / "elsewhere", file());
  EXPECT_NE(refusal().find("link"), std::string::npos) << refusal();
}

TEST_F(KeyStoreFile, RefusesAnotherSize) {
  const std::string good(master('a').reveal());
  for (const std::string& content : {std::string(), good.substr(1), good + "\n"}) {
    write(content);
    EXPECT_NE(refusal().find("exactly 32 bytes"), std::string::npos) << content.size();
  }
}

TEST_F(KeyStoreFile, RefusesWeakAndTypedKeys) {
  const std::string half(master('a').reveal().substr(0, 16));
  for (const std::string& content :
       {std::string(32, '\0'), std::string(32, '\xff'), std::string("0123456789abcdef0123456789abcdef"),
        std::string("correct horse battery staple 123"), half + half}) {
    write(content);
    EXPECT_NE(refusal().find("not random"), std::string::npos) << content;
  }
}

TEST(KeyStore, NoTwoPurposesShareAKeyAndNoneIsTheMaster) {
  const auto store = KeyStore::from_master(master('a')).value();
  std::set<std::string> keys{hex_encode(as_bytes(master('a').reveal()))};
  for (std::size_t i = 0; i < static_cast<std::size_t>(Purpose::count_); ++i) {
    const auto key = store.key(static_cast<Purpose>(i));
    EXPECT_EQ(key.size(), 32U);
    keys.insert(hex_encode(key));
  }
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(Purpose::count_) + 1);
}

// A changed label is a changed key: every stored API key hash would be dead after an upgrade.
TEST(KeyStore, DerivesTheSameKeysForEver) {
  const auto store = KeyStore::from_master(master('a')).value();
  EXPECT_EQ(key_text(store, Purpose::token_signing),
            "d268196b6206df0f9f1e63da2c5c943b8d927178ae6c8989d5132f2ec2faa4ff");
  EXPECT_EQ(key_text(store, Purpose::key_hashing), "cd217addfa1e44b0f5dfa037a3e52850711ff482bcc1563f600993f171260fb0");
  EXPECT_EQ(store.fingerprint(), "1ccd68e1f07b0031");
}

TEST(KeyStore, AnOperatorsSecretReplacesTheTokenKeyOnly_S0_3_C3) {
  auto store = KeyStore::from_master(master('a')).value();
  const auto before = KeyStore::from_master(master('a')).value();
  const std::string secret = "T9vW2mQx7Lr4Zk8Np1Hs6Yd3Bf5Gj0Ca";
  ASSERT_TRUE(store.replace_token_signing(Secret(secret)).has_value());
  EXPECT_EQ(as_text(store.key(Purpose::token_signing)), secret);
  EXPECT_EQ(key_text(store, Purpose::key_hashing), key_text(before, Purpose::key_hashing));
}

TEST(KeyStore, RefusesShortKnownAndRegularSecrets_S0_3) {
  auto store = KeyStore::from_master(master('a')).value();
  const std::string before = key_text(store, Purpose::token_signing);
  for (const char* bad : {"", "Xk29vLq0ZbT41mW7", "your-secret-key-here-change-in-production",
                          "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME_X", "a-string-secret-at-least-256-bits-long",
                          "your-256-bit-secret-your-256-bit-secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                          "abcd1234EFGHabcd1234EFGHabcd1234EFGH", "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"}) {
    EXPECT_EQ(store.replace_token_signing(Secret(bad)).error().code, Code::config) << bad;
  }
  EXPECT_EQ(key_text(store, Purpose::token_signing), before);
}

TEST(KnownSecrets, AdminAdminAndThePublishedKeyAreKnownForEver_C8) {
  EXPECT_TRUE(is_known_secret("admin"));
  EXPECT_TRUE(is_known_secret("admin/admin"));
  EXPECT_TRUE(is_known_secret("Admin"));
  EXPECT_TRUE(is_known_secret(kPublishedApiKey));
  EXPECT_TRUE(is_known_secret(kPublishedApiKey.substr(4)));
  EXPECT_FALSE(is_known_secret("T9vW2mQx7Lr4Zk8Np1Hs6Yd3Bf5Gj0Ca"));
}

}  // namespace
}  // namespace sallyport::crypto
