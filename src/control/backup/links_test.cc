// What a backup holds of files that the gateway reads through links, as Kubernetes lays them out; of policies and settings that, or there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/restore.h"
#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class InForce : public testing::Test {
 protected:
  // As a ConfigMap: name -> ..data/name, ..data -> ..2026_11_22.
  void mount(const std::string& folder, const std::string& name, const std::string& bytes) const {
    write_file(folder + "/..2026_11_22/" + name, bytes);
    if (!exists(folder + "/..data")) fs::create_directory_symlink("..2026_11_22", folder + "/..data");
    fs::create_symlink("..data/" + name, folder + "/" + name);
  }
  std::string refusal() {
    const auto made = create(places, t.tools(), {});
    EXPECT_FALSE(made);
    EXPECT_EQ(made ? Code::internal : made.error().code, Code::config);
    EXPECT_FALSE(exists(places.folder) && !fs::is_empty(places.folder));
    return made ? "" : made.error().detail;
  }
  TestBackups t;
  Places places = t.places();
};

TEST_F(InForce, IsReadThroughTheLinksOfAConfigMap) {
  mount(t.folder.path("etc"), "sallyport.yaml", "listen:\n  port: 1\n");
  places.settings_file = t.folder.path("etc/sallyport.yaml");
  ASSERT_TRUE(remove_all(t.home("policies")));
  mount(t.home("policies"), "a.rego", "package mine\n");
  const auto made = create(places, t.tools(), {});
  ASSERT_TRUE(made) << made.error().detail;
  for (const auto& notice : made->notices) EXPECT_EQ(notice.find("left out"), std::string::npos) << notice;
  const std::string home = t.folder.path("new");
  fs::create_directories(home);
  const auto done = restore(home, t.tools(), {.file = t.file(*made)});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(read_file(home + "/sallyport.yaml"), "listen:\n  port: 1\n");
  EXPECT_EQ(TestBackups::tree(home + "/policies"), (std::map<std::string, std::string>{{"a.rego", "package mine\n"}}));
  EXPECT_TRUE(fs::symlink_status(home + "/policies/a.rego").type() == fs::file_type::regular);
}

TEST_F(InForce, IsNotLeftOut) {
  fs::create_symlink("nowhere", t.home("policies/b.rego"));
  EXPECT_THAT(refusal(), HasSubstr("the policy 'b.rego' is in force"));
  fs::remove(t.home("policies/b.rego"));
  fs::create_symlink("/dev/null", t.home("policies/b.rego"));
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
  fs::remove(t.home("policies/b.rego"));
  write_file(t.folder.path("large"), std::string((16U << 20) + 1, 'x'));
  fs::create_symlink(t.folder.path("large"), t.home("policies/b.rego"));
  EXPECT_THAT(refusal(), HasSubstr("over 16 MiB"));
  fs::remove(t.home("policies/b.rego"));
  t.write("policies/b\\.rego", "package b");
  EXPECT_THAT(refusal(), HasSubstr("fix: mend, rename or remove it"));
}

TEST_F(InForce, IsNotTheFolderWhereABundleIs) {
  places.policies_in_force = false;
  fs::create_symlink("nowhere", t.home("policies/b.rego"));
  const auto made = create(places, t.tools(), {});
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(made->notices, Contains(HasSubstr("left out: policies/b.rego")));
}

TEST_F(InForce, SettingsAreNotLeftOutWhereTheirLinkLeadsNowhere) {
  places.settings_file = t.folder.path("link.yaml");
  fs::create_symlink("nowhere", places.settings_file);
  EXPECT_THAT(refusal(), HasSubstr("the settings file could not be put into the backup"));
}

// S0-40: as Kubernetes lays out a Secret: what the links of certs/ and secrets/ lead to is in it, once, under the links' names.
TEST(BackupFiles, ReadsCertificatesAndSecretsThroughLinks) {
  TestBackups t;
  for (const char* folder : {"certs", "secrets/mail"}) {
    const std::string at = t.home(folder);
    write_file(at + "/..2026_11_22/tls.key", std::string("of ") + folder);
    write_file(at + "/..old/only.here", "real");
    fs::create_directory_symlink("..2026_11_22", at + "/..data");
    fs::create_symlink("..data/tls.key", at + "/tls.key");
  }
  fs::create_symlink("nowhere", t.home("secrets/dangling"));
  write_file(t.folder.path("large"), std::string((16U << 20) + 1, 'x'));
  fs::create_symlink(t.folder.path("large"), t.home("secrets/large"));
  const auto made = t.make();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(made->notices, Contains(HasSubstr("left out, no regular file: secrets/dangling")));
  EXPECT_THAT(made->notices, Contains(HasSubstr("left out: secrets/large")));
  EXPECT_THAT(made->notices, Not(Contains(HasSubstr("data"))));
  const std::string home = t.folder.path("new");
  fs::create_directories(home);
  const auto done = restore(home, t.tools(), {.file = t.file(*made)});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(TestBackups::tree(home + "/certs"),
            (std::map<std::string, std::string>{
                {"leaf.key", "PRIVATE certs-canary"}, {"tls.key", "of certs"}, {"..old/only.here", "real"}}));
  EXPECT_EQ(TestBackups::tree(home + "/secrets"),
            (std::map<std::string, std::string>{
                {"token", "secrets-canary"}, {"mail/tls.key", "of secrets/mail"}, {"mail/..old/only.here", "real"}}));
  EXPECT_EQ(fs::symlink_status(home + "/certs/tls.key").type(), fs::file_type::regular);
}

// A name that no manifest carries as it is leaves its own file out, and says so; the backup is whole otherwise.
TEST(BackupFiles, LeavesOutWhatHasANameThatIsNoUtf8) {
  TestBackups t;
  t.write("secrets/caf\xE9", "latin");
  t.write("secrets/caf\xC3\xA9", "utf");
  const auto made = t.make();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(made->notices, Contains("left out, for its name: secrets/caf?"));
  const auto found = t.verify(t.file(*made));
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_NE(found->manifest.find("secrets/caf\xC3\xA9"), nullptr);
  EXPECT_EQ(found->manifest.find("secrets/caf\xEF\xBF\xBD"), nullptr);
}

}  // namespace
}  // namespace sallyport::backup
