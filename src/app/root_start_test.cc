#include "app/root_start.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace sallyport::app {
namespace {

namespace fs = std::filesystem;

// A home that root made, or one that was given to the user `daemon`.
class RootStart : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
    const passwd* const found = ::getpwnam("daemon");  // of every Debian
    if (found == nullptr) GTEST_SKIP() << "there is no user daemon";
    daemon_ = {found->pw_uid, found->pw_gid};
    std::string pattern = (fs::temp_directory_path() / "sp-root-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    fs::permissions(folder_, fs::perms(0755));
    fs::create_directory(home());
    write(home() + "/sallyport.yaml", "sandbox:\n  run_as: nobody\n");
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  [[nodiscard]] std::string home() const { return folder_ + "/home"; }
  static void write(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  // Who it would be; 0 with the reason in `why_`.
  uid_t user(const std::optional<std::string>& config = std::nullopt, const config::Environment& environment = {}) {
    const auto settings = load_settings(home(), config, environment);
    const auto found = settings ? service_user(*settings) : fail(settings.error());
    why_ = found ? found->note : found.error().detail;
    return found ? found->run_as.uid : 0;
  }
  [[nodiscard]] static uid_t uid_there(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
    return found.st_uid;
  }
  [[nodiscard]] static uid_t uid_of(const char* name) {
    const passwd* const found = ::getpwnam(name);
    return found == nullptr ? 0 : found->pw_uid;
  }

  RunAs daemon_;
  std::string folder_, why_;
};

using RootStartAbuse = RootStart;

TEST_F(RootStart, AHomeOfRootGoesToWhomRootNamed) { EXPECT_EQ(user(), uid_of("nobody")) << why_; }

TEST_F(RootStartAbuse, WhoeverOwnsTheHomeDoesNotChooseAnotherUser) {
  ASSERT_TRUE(give_home(home(), daemon_));
  EXPECT_EQ(user(), daemon_.uid) << why_;
  EXPECT_NE(why_.find("not root's word"), std::string::npos) << why_;
  EXPECT_EQ(user(std::nullopt, {{"SALLYPORT_SANDBOX_RUN_AS", "nobody"}}), uid_of("nobody")) << why_;
  write(folder_ + "/of-root.yaml", "sandbox:\n  run_as: nobody\n");
  EXPECT_EQ(user(folder_ + "/of-root.yaml"), uid_of("nobody")) << why_;
  ASSERT_EQ(::chmod((folder_ + "/of-root.yaml").c_str(), 0666), 0);
  EXPECT_EQ(user(folder_ + "/of-root.yaml"), daemon_.uid) << "anybody can have written it";
}

TEST_F(RootStartAbuse, ALinkToAFileOfRootIsNotRootsWord) {
  write(folder_ + "/of-root.yaml", "sandbox:\n  run_as: nobody\n", 0644);
  fs::remove(home() + "/sallyport.yaml");
  fs::create_symlink(folder_ + "/of-root.yaml", home() + "/sallyport.yaml");
  ASSERT_TRUE(give_home(home(), daemon_));
  EXPECT_EQ(user(), daemon_.uid) << why_;
}

TEST_F(RootStartAbuse, RootReadsNothingForThoseWhoMayNot) {
  write(folder_ + "/of-root", "a secret of root's own machine");
  const std::string refers = "encryption:\n  password: ${file:" + folder_ + "/of-root}\n";
  write(home() + "/sallyport.yaml", refers);
  EXPECT_TRUE(load_settings(home(), std::nullopt, {})) << "root's own settings, root's own file";
  ASSERT_TRUE(give_home(home(), daemon_));
  const auto refused = load_settings(home(), std::nullopt, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("cannot be opened"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(::geteuid(), 0U) << "root again after the reading";
  fs::remove(home() + "/sallyport.yaml");
  fs::create_symlink(folder_ + "/of-root", home() + "/sallyport.yaml");
  const auto led = load_settings(home(), std::nullopt, {});
  EXPECT_TRUE(led || led.error().detail.find("machine") == std::string::npos) << led.error().detail;
}

TEST_F(RootStart, WhatRootPutIntoAHomeIsReadAsBefore) {
  ASSERT_TRUE(give_home(home(), daemon_));
  write(home() + "/password", "correct horse battery staple\n");
  write(home() + "/sallyport.yaml", "encryption:\n  password: ${file:password}\n");
  EXPECT_EQ(user(), daemon_.uid) << why_;
}

TEST_F(RootStartAbuse, AFolderThatIsNotTheOneThatWasLookedAtIsNotGiven) {
  ASSERT_FALSE(give_home(home(), daemon_, daemon_.uid + 1)) << "it is root's";
  EXPECT_EQ(uid_there(home()), 0U);
  ASSERT_EQ(::chown(home().c_str(), daemon_.uid + 1, daemon_.gid), 0);
  const auto of_a_third = give_home(home(), daemon_);
  ASSERT_FALSE(of_a_third);
  EXPECT_NE(of_a_third.error().detail.find("another folder a moment ago"), std::string::npos);
  const std::string other = folder_ + "/other";
  fs::create_directory(other);
  write(other + "/shadow", "root's");
  ASSERT_FALSE(give_home(other, daemon_)) << "it is no home";
  EXPECT_EQ(uid_there(other + "/shadow"), 0U);
}

TEST_F(RootStartAbuse, WhatIsAThirdOnesInAHomeStaysTheirs) {
  write(home() + "/theirs", "x");
  ASSERT_EQ(::chown((home() + "/theirs").c_str(), daemon_.uid + 1, daemon_.gid), 0);
  ASSERT_TRUE(give_home(home(), daemon_));
  EXPECT_EQ(uid_there(home() + "/theirs"), daemon_.uid + 1);
  EXPECT_EQ(uid_there(home() + "/sallyport.yaml"), daemon_.uid);
}

// The owner of a home, who may write to the folder that it lies in, puts a link in its place and back as fast as they can.
TEST_F(RootStartAbuse, WhoExchangesTheHomeForALinkGetsNothing) {
  const std::string victim = folder_ + "/victim", place = folder_ + "/place", link = place + "/link";
  fs::create_directories(victim + "/keys");
  write(victim + "/shadow", "root's");
  fs::create_directory(place);
  const std::string mine = place + "/home";
  fs::rename(home(), mine);
  ASSERT_TRUE(give_home(mine, daemon_));
  fs::create_symlink(victim, link);
  ASSERT_EQ(::chown(place.c_str(), daemon_.uid, daemon_.gid), 0);
  const pid_t flipping = ::fork();
  if (flipping == 0) {
    if (::setuid(daemon_.uid) != 0) ::_exit(1);
    for (;;) (void)::renameat2(AT_FDCWD, mine.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  }
  int given = 0;
  for (int i = 0; i < 2'000; ++i) given += load_settings(mine, std::nullopt, {}).has_value() ? 1 : 0;
  ::kill(flipping, SIGKILL);
  ::waitpid(flipping, nullptr, 0);
  EXPECT_GT(given, 0) << "else nothing was tried";
  EXPECT_EQ(uid_there(victim), 0U);
  EXPECT_EQ(uid_there(victim + "/shadow"), 0U);
}

// A settings file is root's word where nobody else can put another in the place of any folder above it.
TEST_F(RootStartAbuse, AFolderFurtherUpThatIsNotRootsIsEnoughToDoubt) {
  ASSERT_TRUE(give_home(home(), daemon_));
  fs::create_directories(folder_ + "/theirs/roots");
  const std::string file = folder_ + "/theirs/roots/of-root.yaml";
  write(file, "sandbox:\n  run_as: nobody\n", 0644);
  EXPECT_EQ(user(file), uid_of("nobody")) << why_;
  ASSERT_EQ(::chown((folder_ + "/theirs").c_str(), daemon_.uid, daemon_.gid), 0);
  EXPECT_EQ(user(file), daemon_.uid) << why_;
}

TEST_F(RootStartAbuse, SettingsOfOthersDoNotNameTheUserOfAHomeOfRoot) {
  const std::string file = home() + "/sallyport.yaml";
  ASSERT_EQ(::chown(file.c_str(), daemon_.uid, daemon_.gid), 0);
  ASSERT_EQ(::chmod(home().c_str(), 0755), 0);
  EXPECT_EQ(user(), 0U);
  EXPECT_NE(why_.find("fix: chown root " + file), std::string::npos) << why_;
}

}  // namespace
}  // namespace sallyport::app
