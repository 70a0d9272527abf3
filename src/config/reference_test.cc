#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "config/config.h"

namespace sallyport::config {
namespace {

class Reference : public testing::Test {
 protected:
  void SetUp() override {
    home_ = testing::TempDir() + "/config_reference";
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    write("ok", "s3cret\n", 0600);
  }
  void write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(home_ + "/" + name) << text;
    ::chmod((home_ + "/" + name).c_str(), mode);
  }
  [[nodiscard]] std::string resolved(std::string_view text) const {
    const auto secret = resolve_reference(text, home_, {{"TOKEN", "abc"}, {"EMPTY", ""}});
    return secret ? std::string(secret->reveal()) : "error: " + secret.error().detail;
  }
  std::string home_;
};

TEST_F(Reference, ReadsEnvironmentAndFilesAndMixesThemWithText) {
  EXPECT_EQ(resolved("${env:TOKEN}"), "abc");
  EXPECT_EQ(resolved("${file:ok}"), "s3cret");
  EXPECT_EQ(resolved("${file:" + home_ + "/ok}"), "s3cret");
  EXPECT_EQ(resolved("Bearer ${env:TOKEN}-${file:ok}!"), "Bearer abc-s3cret!");
  EXPECT_EQ(resolved("plain"), "plain");
}

TEST_F(Reference, FailsClosed) {
  EXPECT_EQ(resolved("${env:EMPTY}"), "error: environment variable EMPTY is not set");
  EXPECT_TRUE(resolved("${file:missing}").starts_with("error: secret file"));
  EXPECT_TRUE(resolved("${vault:x}").starts_with("error: ${vault:x}"));
  EXPECT_TRUE(resolved("${exec:id}").starts_with("error: malformed"));
  EXPECT_TRUE(resolved("a ${env:TOKEN").starts_with("error: malformed"));
  EXPECT_TRUE(resolved("${}").starts_with("error: malformed"));
}

TEST_F(Reference, RefusesFilesThatOthersReadAndThingsThatAreNoFiles) {
  write("open", "x", 0644);
  EXPECT_NE(resolved("${file:open}").find("chmod 600"), std::string::npos);
  write("empty", "", 0600);
  EXPECT_NE(resolved("${file:empty}").find("is empty"), std::string::npos);
  write("big", std::string(70'000, 'x'), 0600);
  EXPECT_NE(resolved("${file:big}").find("larger than 64 KiB"), std::string::npos);
  EXPECT_NE(resolved("${file:.}").find("no regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo((home_ + "/fifo").c_str(), 0600), 0);
  EXPECT_NE(resolved("${file:fifo}").find("no regular file"), std::string::npos);  // and does not hang
}

struct Looks {
  const char *name, *value;
  bool secret;
};

TEST(Secrets, AreToldFromOrdinaryValues) {
  const Looks kCases[]{
      {"GITHUB_PERSONAL_ACCESS_TOKEN", "x", true},
      {"API_KEY", "abc", true},
      {"apiKey", "abc", true},
      {"DB_PASSWORD", "1234", true},
      {"Authorization", "Bearer abcdefghijkl", true},
      {"X-Anything", "Bearer abcdefghijkl", true},
      {"NOTION", "ntn_1234567890abcdefXYZ", true},
      {"", "ghp_0123456789abcdefghijABCDEFGHIJ", true},
      {"", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", true},
      {"DATABASE_URL", "postgres://user:pw@db/x", true},
      {"X", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true},
      {"X", "kJ8sQ2mZ7pL4xW9vB3nT6yR1cF5hD0gAeUiO", true},
      {"API_KEY_FILE", "/run/secrets/key", false},
      {"TOKEN_URL", "https://auth.example/token", false},
      {"MAX_TOKENS", "4096", false},
      {"DEBUG", "true", false},
      {"USE_AUTH", "false", false},
      {"API_KEY", "${env:API_KEY}", false},
      {"PATH", "/usr/local/bin:/usr/bin", false},
      {"", "--allow-write=/home/someone/projects/a-very-long-folder-name", false},
      {"", "@modelcontextprotocol/server-filesystem", false},
      {"", "the quick brown fox jumps over the lazy dog 12345", false},
      {"MONKEY", "banana", false},
      {"KEYBOARD", "us", false},
  };
  for (const Looks& c : kCases) EXPECT_EQ(looks_like_secret(c.name, c.value), c.secret) << c.name << "=" << c.value;
}

TEST(Secrets, WeakOnesSignNothing) {
  EXPECT_EQ(weak_secret_reason("u8Vq3bYx0Tn5Zr1Lk7Jd2Wm9Hc4Gs6PaEfQiRoUy"), "");
  for (const char* weak :
       {"", "short", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "My-Super-Secret-jwt-signing-key-1234567890",
        "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME_1234"}) {
    EXPECT_NE(weak_secret_reason(weak), "") << weak;
  }
}

}  // namespace
}  // namespace sallyport::config
