#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
  void TearDown() override { std::filesystem::remove_all(home_); }
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

// One line's end goes, as an editor or `echo` writes it; of either kind of system. Nothing else does.
TEST_F(Reference, OneEndOfLineIsNoPartOfASecret) {
  const std::pair<const char*, const char*> cases[]{{"s3cret\r\n", "s3cret"},         {"s3cret\n", "s3cret"},
                                                    {"s3cret\r", "s3cret\r"},         {"s3cret\n\n", "s3cret\n"},
                                                    {"s3cret\r\n\r\n", "s3cret\r\n"}, {"s3\r\ncret \n", "s3\r\ncret "}};
  for (const auto& [text, secret] : cases) {
    write("line", text, 0600);
    EXPECT_EQ(resolved("${file:line}"), secret) << testing::PrintToString(text);
  }
  for (const char* nothing : {"\r\n", "\n"}) {
    write("line", nothing, 0600);
    EXPECT_NE(resolved("${file:line}").find("is empty"), std::string::npos) << testing::PrintToString(nothing);
  }
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

// A volume of Kubernetes: each name a link to ..data/NAME, ..data a link to a folder with the time in its name; a new content is a
// new folder, and ..data is replaced by a rename.
class Volume : public Reference {
 protected:
  void publish(const std::string& version, const std::string& text, mode_t mode = 0440) const {
    std::filesystem::create_directory(home_ + "/.." + version);
    write(".." + version + "/token", text, mode);
    std::filesystem::create_directory_symlink(".." + version, home_ + "/..data_tmp");
    std::filesystem::rename(home_ + "/..data_tmp", home_ + "/..data");
    if (!std::filesystem::is_symlink(home_ + "/token"))
      std::filesystem::create_symlink("..data/token", home_ + "/token");
  }
  [[nodiscard]] std::string read(std::string_view name) const {
    const auto secret = read_secret_in(home_, name);
    return secret ? std::string(secret->reveal()) : "error: " + secret.error().detail;
  }
};

TEST_F(Volume, IsReadThroughItsLinksAndAnewAfterEachReplacement) {
  publish("2026_11_22_18_00_00.1", "first\n");
  EXPECT_EQ(read("token"), "first");
  publish("2026_11_22_18_01_00.2", "second\n");
  EXPECT_EQ(read("token"), "second");
  std::filesystem::remove_all(home_ + "/..2026_11_22_18_00_00.1");  // as the kubelet does then
  EXPECT_EQ(read("token"), "second");
  std::filesystem::remove(home_ + "/..data");
  EXPECT_TRUE(read("token").starts_with("error: secret file")) << "never what it was";
}

TEST_F(Volume, GivesNoFileThatOthersReadAndNothingOutsideIt) {
  publish("1", "open to all", 0644);
  EXPECT_NE(read("token").find("is open to others"), std::string::npos);
  for (const char* name : {"", ".", "..", "..data", "..data/token", "../config_reference/ok", "a/b", "/etc/passwd"}) {
    EXPECT_NE(read(name).find("no dot in front"), std::string::npos) << name;
  }
  EXPECT_TRUE(read("absent").starts_with("error: secret file"));
  EXPECT_NE(read_secret_in("relative", "token").error().detail.find("is not there"), std::string::npos);
}

TEST_F(Volume, ThatOthersMayWriteGivesNothing) {
  publish("1", "planted");
  ::chmod(home_.c_str(), 01777);
  EXPECT_NE(read("token").find("can be written by others"), std::string::npos);
  ::chmod(home_.c_str(), 0755);
  EXPECT_EQ(read("token"), "planted");
}

// In a child that has mounts of its own: 0: read; 1: not; 2: no such mount can be made here.
int read_from_a_read_only_mount(const std::string& folder) {
  const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
  if (::unshare(spaces) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 2;
  if (::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) != 0) return 2;
  if (::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) return 2;
  return read_secret_in(folder, "token") ? 0 : 1;
}

TEST_F(Volume, MountedReadOnlyItsModeMayBeThatOfKubernetes) {
  publish("1", "from the cluster");
  ::chmod(home_.c_str(), 01777);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(read_from_a_read_only_mount(home_));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "no mount can be made on this machine";
  EXPECT_EQ(WEXITSTATUS(status), 0);
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
