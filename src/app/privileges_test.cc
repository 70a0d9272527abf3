#include "app/privileges.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sallyport::app {
namespace {

namespace fs = std::filesystem;

class Home : public ::testing::Test {
 protected:
  Home() {
    std::string pattern = (fs::temp_directory_path() / "sp-home-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    fs::create_directory(home());
  }
  ~Home() override { fs::remove_all(folder); }
  [[nodiscard]] std::string home() const { return folder + "/home"; }
  void write(const std::string& name) const { std::ofstream(folder + "/" + name) << "x"; }
  [[nodiscard]] uid_t owner(const std::string& name) const {
    struct stat found {};
    EXPECT_EQ(::lstat((folder + "/" + name).c_str(), &found), 0);
    return found.st_uid;
  }
  std::string folder;
};

using PrivilegesAbuse = Home;

TEST_F(PrivilegesAbuse, AFolderOfSomebodyElseIsNoHome) {
  EXPECT_TRUE(check_home(home()).has_value());
  EXPECT_TRUE(check_home(folder + "/new").has_value());
  write("home/passwd");
  EXPECT_FALSE(check_home(home()).has_value());  // `sallyport serve --home /etc` must change nothing there
  write("home/sallyport.yaml");
  EXPECT_TRUE(check_home(home()).has_value());
}

// A restore that was cut can be done once more, and its backups may lie there already.
TEST_F(PrivilegesAbuse, WhatARestoreLeftThatWasCutMayBeAHome) {
  fs::create_directories(home() + "/.restore-abc/policies");
  fs::create_directories(home() + "/backups");
  write("home/lock");
  write("home/restore.pending");
  EXPECT_TRUE(check_home(home()));
  write("home/notes.txt");
  EXPECT_FALSE(check_home(home()));
}

TEST_F(PrivilegesAbuse, RootGivesAwayNothingThroughALink) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  write("outside");
  fs::create_directories(folder + "/other");
  write("other/file");
  fs::create_directories(home() + "/keys");
  write("home/keys/master.key");
  fs::create_symlink(folder + "/outside", home() + "/soft");
  fs::create_directory_symlink(folder + "/other", home() + "/folder");
  const RunAs service{12345, 12345};
  EXPECT_TRUE(give_home(home(), service).has_value());
  EXPECT_EQ(owner("home"), 12345U);
  EXPECT_EQ(owner("home/keys/master.key"), 12345U);
  EXPECT_EQ(owner("outside"), 0U);
  EXPECT_EQ(owner("other"), 0U);
  EXPECT_EQ(owner("other/file"), 0U);
  fs::create_hard_link(folder + "/outside", home() + "/hard");
  EXPECT_FALSE(give_home(home(), service).has_value());
  EXPECT_EQ(owner("outside"), 0U);
}

}  // namespace
}  // namespace sallyport::app
