// Folders in which backups are made, tried and restored: what lies there in the clear does not stay (S0-29).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/restore.h"
#include "control/backup/test_support.h"
#include "crypto/scrypt.h"

namespace sallyport::backup {
namespace {

using testing::HasSubstr;

class ScratchFolder : public testing::Test {
 protected:
  // Holds on to the bytes of what lies in it in the clear.
  void hold(const std::string& scratch) {
    for (const char* name : {"keys/keyring", "certs/leaf.key", "secrets/token"}) {
      const std::string kept = t.folder.path(std::filesystem::path(name).filename());
      std::filesystem::create_hard_link(scratch + "/" + name, kept);
      EXPECT_THAT(read_file(kept), HasSubstr("canary"));
    }
  }
  void expect_overwritten() {
    for (const char* name : {"keyring", "leaf.key", "token"}) {
      const std::string left = read_file(t.folder.path(name));
      EXPECT_EQ(left, std::string(left.size(), '\0')) << name;
    }
  }
  // As a crash leaves it.
  std::string leave(const std::string& name) {
    for (const char* file : {"keys/keyring", "certs/leaf.key", "secrets/token"}) t.write(name + "/" + file, "canary");
    hold(t.home(name));
    return t.home(name);
  }
  TestBackups t;
  const Secret password{"correct horse battery staple"};
#ifdef SALLYPORT_FAULTS
  const crypto::CheapScrypt cheap_;
#endif
};

TEST_F(ScratchFolder, IsNotSweptWhileItIsUsed) {
  const auto made = t.make();
  ASSERT_TRUE(made);
  Tools tools = t.tools();
  bool lived = false;
  tools.check_home = [&](const std::string& at) -> Result<std::vector<std::string>> {
    EXPECT_TRUE(sweep(t.home()));
    lived = exists(at + "/sallyport.db");
    return std::vector<std::string>();
  };
  EXPECT_TRUE(verify(t.file(*made), {&tools.keys, nullptr}, t.home(), tools));
  EXPECT_TRUE(lived);
}

TEST_F(ScratchFolder, OfACrashIsOverwrittenBeforeItIsSwept) {
  const std::string old = leave(".backup-scratch-x");
  std::filesystem::create_directory_symlink(t.home("keys"), t.home(".backup-scratch-link"));
  ASSERT_TRUE(sweep(t.home()));
  EXPECT_FALSE(exists(old));
  expect_overwritten();
  EXPECT_FALSE(exists(t.home(".backup-scratch-link")));
  EXPECT_EQ(read_file(t.home("keys/keyring")), "keyring-canary");
}

TEST_F(ScratchFolder, OfACutRestoreIsOverwrittenBeforeItIsRemoved) {
  const std::string old = leave(".restore-x");
  ASSERT_TRUE(finish_restore(t.home()));
  EXPECT_FALSE(exists(old));
  expect_overwritten();
}

TEST_F(ScratchFolder, OfARestoreThatFailsIsOverwritten) {
  const auto made = t.make({&password, false, false});
  ASSERT_TRUE(made);
  Tools tools = t.tools();
  std::string scratch;
  tools.check_home = [&](const std::string& at) -> Result<std::vector<std::string>> {
    scratch = at;
    hold(at);
    return fail(Code::storage, "the database is damaged");
  };
  EXPECT_FALSE(restore(t.home(), tools, {.file = t.file(*made), .force = true}));
  ASSERT_NE(scratch, "");
  EXPECT_FALSE(exists(scratch));
  expect_overwritten();
}

}  // namespace
}  // namespace sallyport::backup
