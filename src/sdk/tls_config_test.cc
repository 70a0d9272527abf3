// S2-45: TLSConfig("./certs").setup_certificates(hostname=...), as a program would use it.
#include "sdk/tls_config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace sallyport::sdk {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TlsConfig : public testing::Test {
 protected:
  TlsConfig() {
    std::string name = testing::TempDir() + "sp_sdk_XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~TlsConfig() override { fs::remove_all(root_); }

  TLSConfig config(std::chrono::days life = std::chrono::days(365)) {
    TLSConfig::Options options;
    options.leaf_life = life;
    options.clock = &clock_;
    return {root_ / "certs", options};
  }

  fs::path root_;
  FakeClock clock_;
};

// S2-45
TEST_F(TlsConfig, SetsUpAFolderOnce) {
  auto tls = config();
  const auto files = tls.setup_certificates("gateway.example", {"127.0.0.1"});
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(files->certificate, root_ / "certs" / "server.crt");
  for (const auto& path : {files->certificate, files->key, files->authority, files->revocations}) {
    EXPECT_GT(fs::file_size(path), 100U) << path;
  }
  const std::string certificate = read_file(files->certificate), authority = read_file(files->authority);
  ASSERT_TRUE(tls.setup_certificates("gateway.example", {"127.0.0.1"}));
  EXPECT_EQ(read_file(files->certificate), certificate);
  ASSERT_TRUE(config().setup_certificates("other.example"));
  EXPECT_NE(read_file(files->certificate), certificate);
  EXPECT_EQ(read_file(files->authority), authority);
}

// S2-27
TEST_F(TlsConfig, RenewsWhenItIsTime) {
  auto tls = config(std::chrono::days(30));
  const auto files = tls.setup_certificates("gateway.example");
  ASSERT_TRUE(files);
  const std::string before = read_file(files->certificate);
  EXPECT_EQ(tls.renew(), false);
  clock_.advance(std::chrono::hours(24 * 22));
  EXPECT_EQ(tls.renew(), true);
  EXPECT_NE(read_file(files->certificate), before);
}

TEST_F(TlsConfig, IssuesAndRevokesClients) {
  auto tls = config();
  ASSERT_TRUE(tls.setup_certificates("gateway.example"));
  const auto made = tls.issue_client("robot", std::chrono::days(9));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_NE(made->key_pem.reveal().find("PRIVATE KEY"), std::string_view::npos);
  const std::string list = read_file(tls.files().revocations);
  ASSERT_TRUE(tls.revoke(made->serial));
  EXPECT_NE(read_file(tls.files().revocations), list);
  EXPECT_EQ(tls.revoke(made->serial).error().code, Code::conflict);
}

TEST_F(TlsConfig, SaysWhatIsWrong) {
  EXPECT_EQ(config().setup_certificates("no host").error().code, Code::validation);
  EXPECT_FALSE(fs::exists(root_ / "certs"));
  EXPECT_EQ(config().issue_client("x").error().code, Code::not_found);
  TLSConfig::Options options;
  options.home = root_ / "no-home";
  EXPECT_EQ(TLSConfig(root_ / "c", options).setup_certificates("a.example").error().code, Code::not_found);
}

// S2-32, C17: one resolver for both ways to say where the files lie.
TEST_F(TlsConfig, TheEnvironmentSaysWhere) {
  ::setenv("TLS_CERT_PATH", (root_ / "env" / "server.crt").c_str(), 1);
  EXPECT_EQ(TLSConfig::from_environment().files().authority, root_ / "env" / "ca.crt");
  ::unsetenv("TLS_CERT_PATH");
  EXPECT_EQ(TLSConfig::from_environment().files().key, fs::current_path() / "security" / "certs" / "server.key");
  EXPECT_EQ(TLSConfig("./certs/").files().key, fs::current_path() / "certs" / "server.key");
}

}  // namespace
}  // namespace sallyport::sdk
