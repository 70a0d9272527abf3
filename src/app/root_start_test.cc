#include "app/root_start.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_F(RootStartAbuse, SettingsOfOthersDoNotNameTheUserOfAHomeOfRoot) {
  const std::string file = home() + "/sallyport.yaml";
  ASSERT_EQ(::chown(file.c_str(), daemon_.uid, daemon_.gid), 0);
  ASSERT_EQ(::chmod(home().c_str(), 0755), 0);
  EXPECT_EQ(user(), 0U);
  EXPECT_NE(why_.find("fix: chown root " + file), std::string::npos) << why_;
}

}  // namespace
}  // namespace sallyport::app
