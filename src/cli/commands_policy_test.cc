#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

PolicyTrial trial() {
  PolicyTrial out;
  out.tests = {{"t.test_a", true, ""}};
  out.files = {{"a.rego", 3, {4}}, {"b.rego", 7, {3, 4, 5, 9}}, {"c.rego", 0, {}}};
  out.percent = 50;
  return out;
}

TEST(PolicyTest, CoverageIsShownByFileAndRounded) {
  FakeApi api("coverage");
  PolicyWish wish{};
  api.hooks.try_policies = [&](const std::string&, const std::string& folder,
                               PolicyWish wanted) -> Result<PolicyTrial> {
    EXPECT_EQ(folder, "here");
    wish = wanted;
    return trial();
  };
  EXPECT_EQ(api.run({"policy", "test", "here", "--coverage"}), 0) << api.err;
  EXPECT_EQ(wish, PolicyWish::coverage);
  EXPECT_EQ(api.out, "ok    t.test_a\n1 passed, 0 failed\n66.6 %  a.rego  not reached: 4\n"
                     "42.8 %  b.rego  not reached: 3-5, 9\n100.0 %  c.rego\n"
                     "50.0 % of the lines of rules are reached by a test\n");
  EXPECT_EQ(api.run({"policy", "test", "here"}), 0);
  EXPECT_EQ(wish, PolicyWish::tests);
  EXPECT_EQ(api.out, "ok    t.test_a\n1 passed, 0 failed\n");
  EXPECT_EQ(api.run({"policy", "test", "here", "--coverage", "--json"}), 0);
  EXPECT_NE(api.out.find(
                R"("coverage":{"percent":50.0,"files":[{"file":"a.rego","lines":3,"percent":66.6,"not_reached":[4]})"),
            std::string::npos)
      << api.out;
}

TEST(PolicyTest, BelowTheThresholdItFails) {
  FakeApi api("threshold");
  api.hooks.try_policies = [](const std::string&, const std::string&, PolicyWish) -> Result<PolicyTrial> {
    return trial();
  };
  EXPECT_EQ(api.run({"policy", "test", "here", "--threshold", "50"}), 0) << api.err;
  EXPECT_EQ(api.run({"policy", "test", "here", "--threshold", "50.1"}), 1);
  EXPECT_NE(api.err.find("the tests reach 50.0 %, less than 50.1"), std::string::npos) << api.err;
  EXPECT_EQ(api.run({"policy", "test", "here", "--threshold", "101"}), 2);
  EXPECT_EQ(api.run({"policy", "test", "here", "--threshold", "-1"}), 2);
}

constexpr const char* kExplanation =
    R"({"allowed":false,"rule":"policy.tool_access.deny","reason":"too much","evidence":"tool:execute on bank/pay",)"
    R"("principal":{"id":"user:1","name":"ada\u001b[2J","roles":["user"],"groups":["staff"]},"tool":"bank/pay","phase":"call","channel":"mcp",)"
    R"("roles":{"permission":"tool:execute","granted":true,"granted_by":["tool:execute by role user"],"missing":[]},)"
    R"("policies":[{"permission":"tool:execute","phase":"call","tool":"bank/pay","answer":{"package":"tool_access","input":{},"allow":true,"deny":true,"reasons":["too much"],)"
    R"("error":"","unexplained":"","rules":[{"rule":"tool_access.deny","kind":"rule","file":"a.rego","line":7,"last_line":9,"holds":true,)"
    R"("reached":[7,8],"text":"deny contains \"too much\" if {\n\tinput.arguments.amount > 5\n}"}]}}],"notes":["the tool is disabled"]})";

TEST(PolicyExplain, ShowsRolesRulesAndTheLinesThatWereReached) {
  FakeApi api("explain");
  api.answers["POST /api/v1/policies/explain"] = {200, kExplanation};
  EXPECT_EQ(api.run({"policy", "explain", "--as", "ada", "--tool", "bank/pay", "--arguments", "{\"amount\": 9}",
                     "--door", "rest"}),
            0)
      << api.err;
  EXPECT_EQ(
      api.calls.back(),
      R"(POST /api/v1/policies/explain {"principal":"ada","tool":"bank/pay","arguments":{"amount":9},"channel":"rest"})");
  EXPECT_EQ(api.out,
            "refused: too much (policy.tool_access.deny)\n"
            "tool:execute on bank/pay\n"
            "who     ada\xef\xbf\xbd[2J (user:1), roles: user; groups: staff\n"
            "roles   grant it: tool:execute by role user\n"
            "note: the tool is disabled\n"
            "policy  tool_access, tool:execute, phase call, bank/pay: a rule allows it, and it is denied: too much\n"
            "  a.rego:7  tool_access.deny  holds\n"
            "  > 7  deny contains \"too much\" if {\n"
            "  > 8    input.arguments.amount > 5\n"
            "    9  }\n");
}

TEST(PolicyExplain, AFolderAsksNoGateway) {
  FakeApi api("explain-folder");
  api.hooks.explain_policies = [](const std::string& folder, const std::string& package,
                                  const std::string& input) -> Result<std::string> {
    EXPECT_EQ(folder, "here");
    EXPECT_EQ(package, "tool_access");
    EXPECT_EQ(input, R"({"action":"read"})");
    return R"({"allowed":true,"rule":"policy.tool_access.allow","reason":"allowed","policies":[]})";
  };
  EXPECT_EQ(api.run({"policy", "explain", "tool_access", "--input", "-", "--folder", "here"}, "{\"action\": \"read\"}"),
            0)
      << api.err;
  EXPECT_EQ(api.out, "allowed (policy.tool_access.allow)\n");
  EXPECT_TRUE(api.calls.empty());
}

TEST(PolicyExplain, SaysWhatIsMissingInACommandLine) {
  FakeApi api("explain-usage");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"tool_access"},
                                             {"--input", "{}"},
                                             {"--as", "ada"},
                                             {"--tool", "x"},
                                             {"--folder", "x"},
                                             {"x", "--input", "{}", "--as", "a", "--tool", "t"},
                                             {"x", "--input", "[1]"},
                                             {"--as", "a", "--tool", "t", "--phase", "x"}}) {
    std::vector<std::string> line{"policy", "explain"};
    line.insert(line.end(), words.begin(), words.end());
    EXPECT_EQ(api.run(line), 2) << ::testing::PrintToString(words);
  }
  EXPECT_TRUE(api.calls.empty());
}

}  // namespace
}  // namespace sallyport::cli
