#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "cli/import_read.h"
#include "cli/import_secrets.h"
#include "cli/test_support.h"
#include "json/document.h"

namespace sallyport::cli {
namespace {

constexpr const char* kClaude = R"({
  "mcpServers": {
    "GitHub Tools": {"command": "sh", "args": ["-c", "exec server", "--token", "s3cr3t-argument"],
                     "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_0123456789abcdefghijABCDEFGHIJ", "MODE": "fast"}},
    "files": {"command": "sh", "args": ["/tmp"]},
    "gone": {"command": "no-such-program-anywhere"},
    "off": {"command": "sh", "disabled": true}
  }
})";

constexpr const char* kCursor = R"({"mcpServers": {
  "remote": {"url": "https://tools.example.com/mcp?api_key=12345678&mode=x", "headers": {"Authorization": "Bearer abcdefghijklmnop", "X-Team": "blue", "X-Env-Token": "${env:TEAM_TOKEN}"}},
  "basic": {"url": "https://ada:lovelace@tools.example.com/mcp"},
  "old": {"type": "sse", "url": "https://tools.example.com/sse"}
}})";

constexpr const char* kVsCode = R"(// the user's servers
{
  "inputs": [{"type": "promptString", "id": "key", "password": true},],
  /* comment with "quotes" */
  "servers": {
    "search": {"type": "stdio", "command": "sh", "args": ["//not a comment",], "env": {"API_KEY": "${input:key}", "HOME_DIR": "${userHome}/x"}},
    "here": {"type": "stdio", "command": "sh", "args": ["${workspaceFolder}/server.js"]},
  },
}
)";

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Import : FakeApi {
  explicit Import(const char* text) : FakeApi("import") {
    file = home + "/client.json";
    std::ofstream(file) << text;
    answers["POST /api/v1/servers"] = {201, "{}"};
  }
  ~Import() { EXPECT_FALSE(read_all(file).empty()); }
  // The body that was sent for `name`.
  [[nodiscard]] std::string body(const std::string& name) const {
    for (const std::string& call : calls) {
      if (call.find("\"name\":\"" + name + "\"") != std::string::npos) return call.substr(call.find(' ', 5) + 1);
    }
    return "";
  }
  std::string file;
};

TEST(Import, ClaudeDesktop) {
  Import api(kClaude);
  EXPECT_EQ(api.run({"import", api.file}), 0) << api.out << api.err;
  const std::string sent = api.body("github-tools");
  EXPECT_NE(
      sent.find(
          R"("env":{"GITHUB_PERSONAL_ACCESS_TOKEN":"${file:secrets/github-tools_GITHUB_PERSONAL_ACCESS_TOKEN}","MODE":"fast"})"),
      std::string::npos)
      << sent;
  EXPECT_NE(sent.find(R"("--token","${file:secrets/github-tools_token}")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("network":true)"), std::string::npos);
  EXPECT_NE(api.body("files").find(R"("paths":["rw:/tmp"])"), std::string::npos) << api.body("files");
  const std::string secret = api.home + "/secrets/github-tools_GITHUB_PERSONAL_ACCESS_TOKEN";
  EXPECT_EQ(read_all(secret), "ghp_0123456789abcdefghijABCDEFGHIJ");
  struct stat st{};
  ASSERT_EQ(::stat(secret.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  EXPECT_EQ(api.body("gone"), "");
  EXPECT_EQ(api.body("off"), "");
  EXPECT_NE(api.out.find("skipped: disabled in the client"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("\"MCP_API_KEY\""), std::string::npos);
  EXPECT_EQ(read_all(api.file), kClaude);  // never changed
}

TEST(Import, Cursor) {
  Import api(kCursor);
  EXPECT_EQ(api.run({"import", api.file}), 0) << api.out << api.err;
  const std::string sent = api.body("remote");
  EXPECT_NE(sent.find(R"("url":"https://tools.example.com/mcp?api_key=${file:secrets/remote_api_key}&mode=x")"),
            std::string::npos)
      << sent;
  EXPECT_NE(sent.find(R"("Authorization":"Bearer ${file:secrets/remote_Authorization}")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("X-Env-Token":"${env:TEAM_TOKEN}")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("X-Team":"blue")"), std::string::npos) << sent;
  EXPECT_NE(
      api.body("basic").find(R"("url":"https://tools.example.com/mcp","headers":{"Authorization":"Basic ${file:)"),
      std::string::npos)
      << api.body("basic");
  EXPECT_EQ(read_all(api.home + "/secrets/basic_Authorization"), "YWRhOmxvdmVsYWNl");
  EXPECT_EQ(api.body("old"), "");
}

TEST(Import, VsCodeWithCommentsTrailingCommasAndInputs) {
  Import api(kVsCode);
  EXPECT_EQ(api.run({"import", api.file}), 0) << api.out << api.err;
  const std::string sent = api.body("search");
  EXPECT_NE(sent.find(R"("API_KEY":"${file:secrets/search_API_KEY}")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("HOME_DIR":"/home/ada/x")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("//not a comment")"), std::string::npos) << sent;
  EXPECT_NE(api.out.find("put the value of 'key' into secrets/search_API_KEY"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("only its editor knows ${workspaceFolder}"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("\"servers\""), std::string::npos);
}

TEST(Import, DryRunTouchesNothing) {
  Import api(kClaude);
  EXPECT_EQ(api.run({"import", api.file, "--dry-run", "--json"}), 0) << api.err;
  EXPECT_TRUE(api.calls.empty());
  EXPECT_FALSE(std::filesystem::exists(api.home + "/secrets"));
  EXPECT_TRUE(json::read(api.out)) << api.out;
}

TEST(ImportAbuse, NoSecretIsPrintedOrSent) {
  for (const char* text : {kClaude, kCursor}) {
    Import api(text);
    api.run({"import", api.file});
    std::string all = api.out + api.err;
    for (const std::string& call : api.calls) all += call;
    for (const char* secret :
         {"ghp_0123456789", "s3cr3t-argument", "abcdefghijklmnop", "12345678&", "lovelace", "YWRhOmxvdmVsYWNl"}) {
      EXPECT_EQ(all.find(secret), std::string::npos) << secret;
    }
  }
}

TEST(Import, RefusedServerLeavesNoSecretBehind) {
  Import api(kClaude);
  api.answers["POST /api/v1/servers"] = {
      400, R"({"error":{"code":"validation_error","message":"No such folder","details":{}}})"};
  EXPECT_EQ(api.run({"import", api.file}), 1);
  EXPECT_NE(api.out.find("refused: No such folder"), std::string::npos) << api.out;
  EXPECT_TRUE(std::filesystem::is_empty(api.home + "/secrets"));
}

TEST(Import, NeverOverwritesASecretOfAnotherServer) {
  Import api(kClaude);
  std::filesystem::create_directories(api.home + "/secrets");
  std::ofstream(api.home + "/secrets/github-tools_token") << "older";
  EXPECT_EQ(api.run({"import", api.file}), 1);
  EXPECT_EQ(read_all(api.home + "/secrets/github-tools_token"), "older");
  EXPECT_EQ(api.body("github-tools"), "");
}

TEST(ImportAbuse, NamesCannotLeaveTheSecretsFolder) {
  Import api(
      R"({"mcpServers": {"../../etc/x": {"command": "sh", "env": {"../../../TOKEN": "abc", "A TOKEN": "abd"}}}})");
  EXPECT_EQ(api.run({"import", api.file}), 0) << api.out;
  EXPECT_TRUE(std::filesystem::exists(api.home + "/secrets/etc-x_TOKEN")) << api.calls.back();
  EXPECT_TRUE(std::filesystem::exists(api.home + "/secrets/etc-x_A_TOKEN"));
}

TEST(ImportAbuse, OtherFilesAreRefused) {
  for (const char* text : {"", "[]", "{}", "{\"mcpServers\": []}", "{\"mcpServers\"", "/*", "\"\\",
                           "{\"servers\":{\"a\":{\"command\":5}}}"}) {
    Import api("x");
    std::ofstream(api.file) << text;
    const int code = api.run({"import", api.file});
    EXPECT_TRUE(code == 1 || api.out.find("skipped: neither") != std::string::npos) << text << api.out;
    EXPECT_TRUE(api.calls.empty());
    std::ofstream(api.file) << "x";
  }
}

TEST(Import, NamesBecomeOurs) {
  const auto read = read_client_file(
      R"({"mcpServers":{"My Server!":{"url":"u"},"my-server":{"url":"u"},"日本":{"url":"u"},"A.B_c":{"url":"u"}}})");
  ASSERT_TRUE(read);
  std::vector<std::string> names;
  for (const ImportedServer& s : read->servers) names.push_back(s.name);
  EXPECT_EQ(names, (std::vector<std::string>{"my-server", "my-server-2", "server", "a-b_c"}));
}

}  // namespace
}  // namespace sallyport::cli
