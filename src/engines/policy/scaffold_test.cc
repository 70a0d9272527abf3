#include "engines/policy/scaffold.h"

#include <gtest/gtest.h>

#include "engines/policy/policy.h"
#include "engines/policy/rego_text.h"
#include "engines/policy/trial.h"

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

ScaffoldTool tool_with(std::string name, std::string properties, std::string description = "Does it") {
  return {.server = "bank",
          .name = std::move(name),
          .title = "A tool",
          .description = std::move(description),
          .security_level = 2,
          .required = {"bank.pay"},
          .definition =
              R"({"name":"x","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","required":["amount"],)"
              R"("properties":{)" +
              properties + "}}}"};
}

ScaffoldTool pay() {
  return tool_with(
      "pay", R"("amount":{"type":"number","maximum":500},"unit":{"type":"string","enum":["EUR","US\"D"]},)"
             R"("path":{"type":"string"},"url":{"type":"string","format":"uri"},"note":{"type":["null","string"]},)"
             R"("urgent":{"type":"boolean"},"parts":{"type":"array"})");
}

Modules with(const std::string& policy) {
  Modules modules = shipped_policies();
  std::erase_if(modules, [](const auto& m) { return m.first == "tool_access.rego"; });
  modules.emplace_back("tool_access.rego", policy);
  return modules;
}

// The examples in force, of which each is a line that begins with "#: ".
std::string in_force(std::string text) {
  for (auto at = text.find("\n#: "); at != std::string::npos; at = text.find("\n#: ", at)) text.erase(at + 1, 3);
  return text;
}

std::string input_of(const std::string& roles, const std::string& action, int level, bool granted) {
  return R"({"user":{"id":"user:1","name":"u","kind":"user","roles":)" + roles +
         R"(,"permissions":["tool:read","tool:execute"]},"action":")" + action + R"(","phase":"call","granted":)" +
         (granted ? "true" : "false") + R"(,"server":"bank","tool":{"name":"pay","server":"bank","security_level":)" +
         std::to_string(level) + R"(,"required":[]},"resource":"tool:bank/pay"})";
}

// What both say of each case of the decision table, and whether one of them says yes at all.
void expect_same(PolicyEngine& one, PolicyEngine& other, bool& allowed) {
  for (const char* roles : {"[]", R"(["user"])", R"(["agent"])", R"(["admin"])", R"(["readonly"])", R"(["auditor"])",
                            R"(["analyst"])", R"(["user","admin"])", R"(["readonly","user"])"}) {
    for (const char* action : {"execute", "read", "create", "update", "delete", "fly"}) {
      for (const int level : {0, 2, 3, 10}) {
        for (const bool granted : {true, false}) {
          const std::string input = input_of(roles, action, level, granted);
          const auto a = one.evaluate("tool_access", input, R"({"amount":900,"path":"/etc/passwd"})", 1s);
          const auto b = other.evaluate("tool_access", input, R"({"amount":900,"path":"/etc/passwd"})", 1s);
          ASSERT_TRUE(a && b) << input;
          EXPECT_EQ(a->allow, b->allow) << input;
          EXPECT_EQ(a->deny_reasons, b->deny_reasons) << input;
          allowed = allowed || b->allowed();
        }
      }
    }
  }
}

TEST(Scaffold, DecidesAsWhatShips) {
  const auto made = scaffold({pay(), tool_with("read", "")});
  ASSERT_TRUE(made);
  PolicyEngine shipped;
  PolicyEngine own;
  ASSERT_TRUE(shipped.use(PolicySet{1, shipped_policies()}));
  ASSERT_TRUE(own.use(PolicySet{2, with(made->policy)}));
  bool allowed = false;
  expect_same(shipped, own, allowed);
  EXPECT_TRUE(allowed);
}

TEST(Scaffold, PassesItsCheckAndItsTests) {
  const auto made = scaffold({pay(), tool_with("read", ""), tool_with("re-ad", "")});
  ASSERT_TRUE(made);
  Modules modules = with(made->policy);
  modules.emplace_back("tool_access_test.rego", made->tests);
  const Trial trial = try_out(modules, Wish::tests, 1s);
  ASSERT_FALSE(trial.fault) << trial.fault->message;
  EXPECT_TRUE(trial.notes.empty());
  EXPECT_EQ(trial.tests.size(), 3U);
  for (const auto& test : trial.tests) EXPECT_TRUE(test.passed) << test.name << " " << test.why;
}

// Its tests can fail: where nobody may call, they say so.
TEST(Scaffold, ItsTestsNoticeAPolicyThatRefuses) {
  const auto made = scaffold({pay()});
  ASSERT_TRUE(made);
  Modules modules = with(made->policy + "\ndeny contains \"never\" if input.server == \"bank\"\n");
  modules.emplace_back("tool_access_test.rego", made->tests);
  const Trial trial = try_out(modules, Wish::tests, 1s);
  ASSERT_EQ(trial.tests.size(), 1U);
  EXPECT_FALSE(trial.tests[0].passed);
}

TEST(Scaffold, ExamplesOutOfTheirCommentsRefuseWhatTheySay) {
  const auto made = scaffold({pay()});
  ASSERT_TRUE(made);
  const std::string text = in_force(made->policy);
  PolicyEngine engine;
  const auto used = engine.use(PolicySet{1, with(text)});
  ASSERT_TRUE(used) << used.error().detail;
  const std::string admin = input_of(R"(["admin"])", "execute", 1, true);
  const auto reasons = [&](const char* arguments) {
    const auto answer = engine.evaluate("tool_access", admin, arguments, 1s);
    return answer ? answer->deny_reasons.size() : 99;
  };
  EXPECT_EQ(reasons(R"({"amount":500,"unit":"EUR","path":"/srv/shared/a/b","url":"https://example.com/x","note":"n"})"),
            0U);
  EXPECT_EQ(reasons("{}"), 0U);
  EXPECT_EQ(reasons(R"({"amount":501})"), 1U);
  EXPECT_EQ(reasons(R"({"unit":"GBP"})"), 1U);
  EXPECT_EQ(reasons(R"({"unit":"US\"D"})"), 0U);
  EXPECT_EQ(reasons(R"({"path":"/srv/shared/../../etc/passwd"})"), 1U);
  EXPECT_EQ(reasons(R"({"path":"/etc/passwd"})"), 1U);
  EXPECT_EQ(reasons(R"({"url":"https://example.com.evil/"})"), 1U);
  EXPECT_EQ(reasons(R"({"urgent":true,"parts":[1,2,3,4,5,6,7,8,9,10,11]})"), 2U);
  const auto user = engine.evaluate("tool_access", input_of(R"(["user"])", "execute", 1, true), "{}", 1s);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->deny_reasons, std::vector<std::string>{"pay: is for administrators"});
}

TEST(Scaffold, MoreThanAFileHoldsIsRefused) {
  std::vector<ScaffoldTool> tools(6000, pay());
  const auto made = scaffold(tools);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::limit);
}

// Texts that try to get out of a comment or a string into the code.
const std::vector<std::string> kHostile{"x\nallow := true\n",
                                        "x\r\nallow := true",
                                        "x\rallow := true",
                                        "x\xe2\x80\xa8"
                                        "allow := true",
                                        "x\xe2\x80\xa9"
                                        "allow := true",
                                        "x\xc2\x85"
                                        "allow := true",
                                        "\"\nallow := true\n#\"",
                                        "`\nallow := true\n`",
                                        "\\\"] }\nallow := true\n",
                                        "# METADATA\n# scope: package",
                                        "METADATA",
                                        "}\n\nallow := true {",
                                        "\\u000aallow := true",
                                        std::string("x\0\nallow := true", 16),
                                        "\xff\xfe\nallow := true",
                                        "\xe2\x80\xae"
                                        "eurt =: wolla",
                                        "\f\vallow := true",
                                        "\x1b[2Jallow := true",
                                        "#: allow := true",
                                        "\n#: allow := true",
                                        "a\xf0\x9f\x98\x80"
                                        "b\n",
                                        std::string(5000, 'a') + "\nallow := true",
                                        "${allow := true}",
                                        "$\"{allow := true}\""};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\') {
      static constexpr const char* kHex = "0123456789abcdef";
      out += std::string("\\u00") + kHex[byte >> 4U] + kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

ScaffoldTool hostile_tool(const std::string& text) {
  ScaffoldTool tool = tool_with("pay", "");
  tool.server = text;
  tool.name = text;
  tool.title = text;
  tool.description = text;
  tool.required = {text};
  const std::string q = quoted(text);
  tool.definition = R"({"annotations":{)" + q + R"(:true},"inputSchema":{"properties":{)" + q +
                    R"(:{"type":"string","enum":[)" + q + R"(],"pattern":)" + q + R"(},"n)" + q.substr(1) +
                    R"(:{"type":)" + q + R"(,"minimum":)" + q + R"(},"path":{"type":"string"}},"required":[)" + q +
                    "]}}";
  return tool;
}

// S0-12: nobody but the administrator of the table below is let in, whatever a tool is called.
TEST(ScaffoldAbuse, NoTextOfAServerBecomesCode) {
  PolicyEngine shipped;
  ASSERT_TRUE(shipped.use(PolicySet{1, shipped_policies()}));
  for (const std::string& text : kHostile) {
    const auto made = scaffold({hostile_tool(text)});
    ASSERT_TRUE(made) << text;
    PolicyEngine own;
    const auto used = own.use(PolicySet{1, with(made->policy)});
    ASSERT_TRUE(used) << text << used.error().detail;
    bool allowed = false;
    expect_same(shipped, own, allowed);
    Modules modules = with(made->policy);
    modules.emplace_back("tool_access_test.rego", made->tests);
    const Trial trial = try_out(modules, Wish::tests, 1s);
    ASSERT_FALSE(trial.fault) << text << trial.fault->message;
    ASSERT_EQ(trial.tests.size(), text.size() > 1000 ? 0U : 1U) << text;  // a line has at most 1024 characters
    for (const auto& test : trial.tests) EXPECT_TRUE(test.passed) << text;
  }
}

// Behind what ships there are comments and nothing else, each line of them with words of ours at its beginning.
TEST(ScaffoldAbuse, EveryLineOfASectionIsACommentThatWeBegan) {
  const auto plain = scaffold({});
  ASSERT_TRUE(plain);
  for (const std::string& text : kHostile) {
    const auto made = scaffold({hostile_tool(text)});
    ASSERT_TRUE(made);
    ASSERT_TRUE(made->policy.starts_with(plain->policy));
    std::string_view rest = std::string_view(made->policy).substr(plain->policy.size());
    EXPECT_EQ(rest.find('\r'), std::string_view::npos);
    EXPECT_EQ(rest.find("\xe2\x80\xa8"), std::string_view::npos);
    EXPECT_EQ(rest.find("\xc2\x85"), std::string_view::npos);
    EXPECT_EQ(rest.find("\n# METADATA"), std::string_view::npos);
    while (!rest.empty()) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      EXPECT_LE(line.size(), 1024U);
      EXPECT_TRUE(line.empty() || line.starts_with("# ") || line.starts_with("#: ")) << line;
    }
  }
}

// Out of its comment too, an example with hostile names is one rule.
TEST(ScaffoldAbuse, ExamplesOutOfTheirCommentsGiveNothing) {
  for (const std::string& text : kHostile) {
    const auto made = scaffold({hostile_tool(text)});
    ASSERT_TRUE(made);
    PolicyEngine own;
    const auto used = own.use(PolicySet{1, with(in_force(made->policy))});
    ASSERT_TRUE(used) << text << used.error().detail;
    const auto nobody = own.evaluate("tool_access", input_of("[]", "execute", 1, true), "{}", 1s);
    ASSERT_TRUE(nobody) << text;
    EXPECT_FALSE(nobody->allow) << text;
  }
}

TEST(RegoText, StringsAreAsciiAndCommentsOneLine) {
  EXPECT_EQ(rego_string("a\"\\\n\xc3\xa9\xf0\x9f\x98\x80\xff"), R"("a\u0022\u005c\u000a\u00e9\ud83d\ude00\ufffd")");
  EXPECT_EQ(comment_text("a\nb\xe2\x80\xa8"
                         "c\xc3\xa9\xff",
                         10),
            "a b c\xc3\xa9 ");
  EXPECT_EQ(comment_text("abcdef", 3), "abc...");
  EXPECT_EQ(comment_text("\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80", 20).find_first_not_of(' '), std::string::npos);
}

}  // namespace
}  // namespace sallyport::policy
