#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cli/test_support.h"
#include "json/document.h"

namespace sallyport::cli {
namespace {

constexpr const char* kIssued =
    R"({"serial":"0a","kind":"client","name":"robot","not_after":"2027-01-01T00:00:00Z","certificate":"CRT\n",)"
    R"("authority":"CA\n","private_key":"KEY\n","pkcs12":"cDEy"})";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Certs, AnOrderSaysWhatWasTyped) {
  FakeApi api("certs_order");
  api.answers["POST /api/v1/certificates"] = {201, kIssued};
  EXPECT_EQ(api.run({"certs", "issue", "client", "robot", "--user", "ada", "--host", "a.example", "--email",
                     "a@b.example", "--uri", "urn:x:y", "--days", "9", "--key-type", "rsa-3072"}),
            0)
      << api.err;
  EXPECT_EQ(api.calls.back(),
            R"(POST /api/v1/certificates {"kind":"client","name":"robot","user":"ada","hosts":["a.example"],)"
            R"("uris":["urn:x:y"],"emails":["a@b.example"],"days":9,"key_type":"rsa-3072"})");
  EXPECT_NE(api.out.find("KEY\n"), std::string::npos);
  EXPECT_NE(api.out.find("not shown again"), std::string::npos);
}

TEST(Certs, FilesAreNewAndTheKeyIsPrivate) {
  FakeApi api("certs_out");
  api.answers["POST /api/v1/certificates"] = {201, kIssued};
  const std::string prefix = api.home + "/robot";
  EXPECT_EQ(api.run({"certs", "issue", "client", "robot", "--out", prefix, "--p12", prefix + ".p12"}, "long enough\n"),
            0)
      << api.err;
  EXPECT_NE(api.calls.back().find(R"("password":"long enough")"), std::string::npos);
  EXPECT_EQ(read_file(prefix + ".crt"), "CRT\n");
  EXPECT_EQ(read_file(prefix + "-ca.crt"), "CA\n");
  EXPECT_EQ(read_file(prefix + ".key"), "KEY\n");
  EXPECT_EQ(read_file(prefix + ".p12"), "p12");
  EXPECT_EQ(api.out.find("KEY\n"), std::string::npos);
  for (const char* end : {".key", ".p12"}) {
    struct stat info{};
    ASSERT_EQ(::stat((prefix + end).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
  }
  const std::size_t asked = api.calls.size();
  EXPECT_EQ(api.run({"certs", "issue", "client", "robot", "--out", prefix}), 1);
  EXPECT_EQ(api.calls.size(), asked);  // nothing is issued that could not be kept
  EXPECT_EQ(read_file(prefix + ".key"), "KEY\n");
}

TEST(Certs, JsonNamesTheFilesThatWereWritten) {
  FakeApi api("certs_json");
  api.answers["POST /api/v1/certificates"] = {201, kIssued};
  const std::string prefix = api.home + "/robot";
  EXPECT_EQ(api.run({"certs", "issue", "client", "robot", "--out", prefix, "--json"}), 0) << api.err;
  const auto said = json::read(api.out);
  ASSERT_TRUE(said) << api.out;
  EXPECT_EQ(said->root().string_at("serial"), "0a");
  std::vector<std::string> files;
  for (const json::Value one : said->root().find("files")->elements()) files.emplace_back(*one.as_string());
  EXPECT_EQ(files, (std::vector<std::string>{prefix + ".crt", prefix + "-ca.crt", prefix + ".key"}));
  EXPECT_EQ(api.out.find("KEY"), std::string::npos);
}

TEST(Certs, APasswordThatJsonCannotCarryIsRefusedBeforeItIsSent) {
  FakeApi api("certs_bytes");
  const std::string file = api.home + "/robot.p12";
  EXPECT_EQ(api.run({"certs", "issue", "client", "robot", "--p12", file}, "caf\xE9 long enough\n"), 2);
  EXPECT_NE(api.err.find("not UTF-8"), std::string::npos) << api.err;
  EXPECT_TRUE(api.calls.empty());
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Certs, TheServersOwnIsRenewedWhereNobodyIsNamed) {
  FakeApi api("certs_renew");
  api.answers["POST /api/v1/certificates/server/renew"] = {
      201, R"({"serial":"0a","kind":"server","name":"g","certificate":"CRT\n"})"};
  EXPECT_EQ(api.run({"certs", "renew"}), 0) << api.err;
  EXPECT_EQ(api.out.find("not shown again"), std::string::npos);
  api.answers["POST /api/v1/certificates/0a/renew"] = {201, kIssued};
  EXPECT_EQ(api.run({"certs", "renew", "0a", "--revoke-old"}), 0);
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/certificates/0a/renew {"revoke_old":true})");
}

TEST(Certs, TrustNamesTheFileAndTheFingerprint) {
  FakeApi api("certs_trust");
  api.answers["GET /api/v1/certificates/authority"] = {
      200,
      R"({"name":"Sallyport CA 1","not_after":"2036-01-01T00:00:00Z","fingerprint_sha256":"abcd","certificate":"CA\n"})"};
  EXPECT_EQ(api.run({"certs", "trust"}), 0);
  EXPECT_NE(api.out.find("abcd"), std::string::npos);
  EXPECT_NE(api.out.find("NODE_EXTRA_CA_CERTS=" + api.home + "/certs/ca.crt"), std::string::npos);
  EXPECT_EQ(api.run({"certs", "trust", "--out", api.home + "/x.crt"}), 0);
  EXPECT_EQ(read_file(api.home + "/x.crt"), "CA\n");
  EXPECT_NE(api.out.find("--cacert " + api.home + "/x.crt"), std::string::npos);
}

TEST(Certs, OtherWordsAreRefused) {
  FakeApi api("certs_words");
  EXPECT_EQ(api.run({"certs", "issue", "authority", "x"}), 2);
  EXPECT_EQ(api.run({"certs", "issue", "client", "x", "--days", "0"}), 2);
  EXPECT_EQ(api.run({"certs", "revoke", "0a", "--reason", "because"}), 2);
  EXPECT_TRUE(api.calls.empty());
}

}  // namespace
}  // namespace sallyport::cli
