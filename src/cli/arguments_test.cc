#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sallyport::cli {
namespace {

struct Parsed {
  std::optional<int> code;
  Options options;
  std::string out, err;
};

Parsed parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "sallyport");
  Parsed p;
  std::ostringstream out;
  std::ostringstream err;
  p.code = parse(static_cast<int>(words.size()), words.data(), "1.2.3", p.options, out, err);
  p.out = out.str();
  p.err = err.str();
  return p;
}

TEST(Arguments, ReadsAServerWithItsCommandAfterTheDashes) {
  const Parsed p =
      parsed({"server", "add", "notes", "--env", "A=1", "--env", "B=x y", "--path", "ro:/data", "--network", "--prefix",
              "", "--security-level", "3", "--json", "--", "/usr/bin/notes", "--stdio", "--env"});
  ASSERT_FALSE(p.code) << p.err;
  EXPECT_EQ(p.options.command, "server add");
  EXPECT_EQ(p.options.name, "notes");
  EXPECT_EQ(p.options.env, (std::vector<std::string>{"A=1", "B=x y"}));
  EXPECT_EQ(p.options.rest, (std::vector<std::string>{"/usr/bin/notes", "--stdio", "--env"}));
  EXPECT_EQ(p.options.prefix, "");
  EXPECT_EQ(p.options.security_level, 3);
  EXPECT_TRUE(p.options.network);
  EXPECT_TRUE(p.options.json);
}

TEST(Arguments, ForwardStandsAgainAndKnowsItsWords) {
  const Parsed p = parsed({"server", "add", "x", "--forward", "roots", "--forward", "sampling", "--", "/x"});
  ASSERT_FALSE(p.code) << p.err;
  EXPECT_EQ(p.options.forwards, (std::vector<std::string>{"roots", "sampling"}));
  EXPECT_EQ(parsed({"server", "add", "x", "--forward", "everything", "--", "/x"}).code, 2);
}

TEST(Arguments, OneValueForEachOptionThatMayStandAgain) {
  const Parsed p = parsed({"user", "add", "--role", "admin", "--role", "user", "ada"});
  ASSERT_FALSE(p.code) << p.err;
  EXPECT_EQ(p.options.name, "ada");
  EXPECT_EQ(p.options.roles, (std::vector<std::string>{"admin", "user"}));
}

TEST(Arguments, KnowsEveryCommandOfTheIssue) {
  const std::vector<std::vector<const char*>> kCommands{
      {"init"},
      {"serve"},
      {"stdio"},
      {"status"},
      {"healthcheck"},
      {"doctor"},
      {"server", "list"},
      {"server", "show", "x"},
      {"server", "remove", "x"},
      {"server", "probe", "x", "--accept"},
      {"server", "restart", "x"},
      {"tool", "list", "--server", "x"},
      {"tool", "show", "x"},
      {"tool", "register", "x", "--upstream", "calc/add"},
      {"tool", "update", "x", "--unbind"},
      {"tool", "unregister", "x"},
      {"tool", "search", "two", "words"},
      {"policy", "list"},
      {"policy", "eval", "x", "--input", "{}"},
      {"policy", "check"},
      {"policy", "test", "x"},
      {"toolset", "list"},
      {"toolset", "add", "x", "--tool", "a/b=c", "--describe", "c=d"},
      {"toolset", "update", "x", "--no-enabled"},
      {"tool", "call", "x", "a=1"},
      {"user", "list"},
      {"user", "disable", "x"},
      {"user", "show", "x"},
      {"mfa", "enroll", "x", "--svg", "f"},
      {"mfa", "confirm", "x"},
      {"mfa", "recovery", "x"},
      {"mfa", "disable", "x"},
      {"mfa", "status", "x"},
      {"user", "update", "x", "--role", "user"},
      {"user", "toggle", "x"},
      {"user", "delete", "x"},
      {"user", "enable", "x"},
      {"user", "passwd", "x", "--generate"},
      {"key", "create", "x", "--can-read"},
      {"key", "list"},
      {"key", "show", "x"},
      {"key", "update", "x", "--no-can-read", "--any-address"},
      {"key", "rotate", "x", "--grace", "1h"},
      {"key", "enable", "x"},
      {"key", "disable", "x"},
      {"key", "toggle", "x"},
      {"key", "revoke", "x"},
      {"session", "list", "--user", "x"},
      {"session", "end", "x"},
      {"session", "end", "--user", "x"},
      {"token", "revoke", "x"},
      {"vault", "keys"},
      {"vault", "rotate", "kek"},
      {"vault", "password", "--source", "file"},
      {"audit", "tail", "--limit", "5"},
      {"audit", "verify"},
      {"config", "check"},
      {"config", "explain"},
      {"config", "schema"},
      {"import", "f", "--dry-run"},
      {"completion", "fish"},
      {"version"}};
  for (const auto& words : kCommands) {
    const Parsed p = parsed(words);
    EXPECT_FALSE(p.code) << words[0] << ": " << p.err;
    EXPECT_TRUE(p.options.command.starts_with(words[0]));
  }
}

TEST(Arguments, KnowsRolesGroupsAndTheAccessReview) {
  const std::vector<std::vector<const char*>> kCommands{
      {"role", "list"},
      {"role", "show", "x"},
      {"role", "add", "x", "--scope", "tool:read", "--inherit", "user"},
      {"role", "update", "x", "--no-scopes", "--no-inherit"},
      {"role", "delete", "x"},
      {"group", "list"},
      {"access", "review", "--principal", "ada", "--unused", "90", "--csv"},
      {"access", "review", "--tool", "calc/add", "--server", "calc"},
      {"group", "show", "x"},
      {"group", "add", "x", "--role", "user", "--scope", "tool:read", "--description", "who"},
      {"group", "set", "x", "--no-roles", "--no-scopes"},
      {"group", "remove", "x"},
      {"group", "join", "x", "ada"},
      {"group", "leave", "x", "ada"},
      {"vault", "rotate", "api-keys"},
      {"identity", "list"},
      {"identity", "add", "uri:spiffe://x/y", "--issuer", "ca.pem", "--user", "ada"},
      {"identity", "add", "--certificate", "x.pem", "--key", "k"},
      {"identity", "remove", "x"},
      {"server", "tls", "x", "--ca", "a", "--pin", "b", "--pin", "c", "--client-cert", "d", "--client-key", "e"},
      {"user", "update", "ada", "--no-scopes"}};
  for (const auto& words : kCommands) {
    const Parsed p = parsed(words);
    EXPECT_FALSE(p.code) << words[0] << ": " << p.err;
    EXPECT_EQ(p.options.command, std::string(words[0]) + " " + words[1]);
  }
}

TEST(Arguments, AnythingElseIsAUsageError) {
  const std::vector<std::vector<const char*>> kWrong{{},
                                                     {"nonsense"},
                                                     {"server"},
                                                     {"server", "add"},
                                                     {"tool", "list", "--limit", "0"},
                                                     {"tool", "list", "--limit", "x"},
                                                     {"server", "add", "x", "--security-level", "11"},
                                                     {"completion", "tcsh"},
                                                     {"status", "--nope"},
                                                     {"key", "revoke"},
                                                     {"key", "rotate", "x", "--grace", "soon"},
                                                     {"key", "rotate", "x", "--grace", "1y"},
                                                     {"key", "update", "x", "--scope", "a.b", "--no-scopes"},
                                                     {"token", "revoke"},
                                                     {"session"}};
  for (const auto& words : kWrong) {
    const Parsed p = parsed(words);
    EXPECT_EQ(p.code, 2) << (words.empty() ? "" : words[0]);
    EXPECT_FALSE(p.err.empty());
  }
}

TEST(Arguments, HelpShowsExamplesAndExitCodes) {
  const Parsed p = parsed({"--help"});
  EXPECT_EQ(p.code, 0);
  EXPECT_NE(p.out.find("Exit codes: 0 done"), std::string::npos);
  EXPECT_NE(p.out.find("sallyport import"), std::string::npos);
  const Parsed sub = parsed({"key", "create", "--help"});
  EXPECT_EQ(sub.code, 0);
  EXPECT_NE(sub.out.find("Example:"), std::string::npos) << sub.out;
  EXPECT_EQ(parsed({"--version"}).out, "1.2.3\n");
}

TEST(Arguments, CompletionScriptsAreValidAndKnowTheCommands) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell);
    for (const char* word : {"healthcheck", "revoke", "dry-run", "can-execute"})
      EXPECT_NE(script.find(word), std::string::npos) << shell << " " << word;
  }
  if (std::system("command -v bash >/dev/null") != 0) GTEST_SKIP() << "bash is not installed";
  const std::string file = testing::TempDir() + "/sallyport_completion";
  std::ofstream(file) << completion_script("bash") << R"(
COMP_WORDS=(sallyport server pr); COMP_CWORD=2; _sallyport; [[ "${COMPREPLY[*]}" == probe ]] || exit 1
COMP_WORDS=(sallyport --json key create --can-e); COMP_CWORD=4; _sallyport; [[ "${COMPREPLY[*]}" == --can-execute ]] || exit 2
COMP_WORDS=(sallyport ver); COMP_CWORD=1; _sallyport; [[ "${COMPREPLY[*]}" == version ]] || exit 3
)";
  EXPECT_EQ(std::system(("bash --norc " + file).c_str()), 0);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace sallyport::cli
