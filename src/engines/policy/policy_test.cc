#include "engines/policy/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

PolicySet set_of(Modules modules, std::uint64_t epoch = 1) { return {epoch, std::move(modules)}; }

PolicyAnswer ask(const std::string& source, std::string_view input = "{}",
                 std::optional<std::string_view> arguments = std::nullopt) {
  PolicyEngine engine;
  const auto used = engine.use(set_of({{"p.rego", source}}));
  EXPECT_TRUE(used) << (used ? "" : used.error().detail);
  auto answer = engine.evaluate("p", input, arguments, 1s);
  EXPECT_TRUE(answer) << (answer ? "" : answer.error().detail);
  return answer.value_or(PolicyAnswer{});
}

Result<PolicyAnswer> ask_raw(const std::string& source, std::string_view input = "{}",
                             std::chrono::nanoseconds budget = 1s) {
  PolicyEngine engine;
  if (auto used = engine.use(set_of({{"p.rego", source}})); !used) return fail(used.error());
  return engine.evaluate("p", input, std::nullopt, budget);
}

TEST(Policy, AllowsWhatARuleAllows) {
  const std::string source = "package p\nimport rego.v1\ndefault allow := false\nallow if input.x == 1\n";
  EXPECT_TRUE(ask(source, R"({"x":1})").allowed());
  EXPECT_FALSE(ask(source, R"({"x":2})").allowed());
}

TEST(Policy, ACompiledSetIsTakenOverByEachEngine) {
  const Modules modules{
      {"p.rego", "package p\nimport rego.v1\nallow if input.x == 1\ndeny contains \"no\" if input.y\n"}};
  auto compiled = Compiled::of(modules);
  ASSERT_TRUE(compiled);
  // The source is another one, so that an answer shows which of the two was taken.
  const PolicySet set{7, {{"p.rego", "package p\nallow := false\n"}}, *compiled};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&set] {
      for (int round = 0; round < 50; ++round) {
        PolicyEngine engine;
        ASSERT_TRUE(engine.use(set));
        EXPECT_TRUE(engine.evaluate("p", R"({"x":1})", std::nullopt, 1s)->allowed());
        EXPECT_FALSE(engine.evaluate("p", R"({"x":1,"y":true})", std::nullopt, 1s)->allowed());
      }
    });
  }
  for (auto& worker : workers) worker.join();
}

TEST(Policy, WhatDoesNotCompileSaysWhere) {
  const auto compiled = Compiled::of({{"bad.rego", "package p\n\nallow if {{{\n"}});
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, Code::config);
  EXPECT_TRUE(compiled.error().detail.starts_with("bad.rego:")) << compiled.error().detail;
}

// Requests that began under the old set and those of the new one take turns on a worker.
TEST(Policy, TwoEpochsTakeTurns) {
  PolicySet yes = set_of({{"p.rego", "package p\nallow := true\n"}}, 1);
  PolicySet no = set_of({{"p.rego", "package p\nallow := false\n"}}, 2);
  yes.compiled = *Compiled::of(yes.modules);
  no.compiled = *Compiled::of(no.modules);
  PolicyEngine engine;
  for (int i = 0; i < 10; ++i) {
    const bool first = i % 2 == 0;
    ASSERT_TRUE(engine.use(first ? yes : no));
    EXPECT_EQ(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed(), first);
  }
}

TEST(Policy, APackageIsNamedByItsSource) {
  EXPECT_EQ(package_of("# Who may\n#\n\npackage tool_access\n\nimport rego.v1\n"), "tool_access");
  EXPECT_EQ(package_of("package lib.times\nimport rego.v1\n"), "lib.times");
  EXPECT_EQ(package_of("package p"), "p");
  EXPECT_EQ(package_of("import rego.v1\npackage p\n"), "");
  EXPECT_EQ(package_of(""), "");
  const std::map<std::string, std::vector<std::string>> both{{"a", {"1.rego", "3.rego"}}, {"b", {"2.rego"}}};
  EXPECT_EQ(packages_of({{"1.rego", "package a"},
                         {"2.rego", "package b"},
                         {"3.rego", "package a"},
                         {"a_test.rego", "package t"},
                         {"none.rego", "import rego.v1"}}),
            both);
}

// regorus counts occurrences that overlap, and panics on an empty search.
TEST(Policy, StringsAreCountedAsOpaCounts) {
  const auto counted = [](std::string_view text, std::string_view search) {
    PolicyEngine engine;
    EXPECT_TRUE(engine.use_all({{"p.rego", "package p\nn := strings.count(input.text, input.search)\n"}}));
    const std::string input = R"({"text":")" + std::string(text) + R"(","search":")" + std::string(search) + R"("})";
    return engine.query("data.p.n", input, 1s).value_or("error");
  };
  EXPECT_NE(counted("aaaa", "aa").find("\"value\":2"), std::string::npos);
  EXPECT_NE(counted("cheese", "e").find("\"value\":3"), std::string::npos);
  EXPECT_NE(counted("dummy", "").find("\"value\":6"), std::string::npos);
}

TEST(Policy, UndefinedAllowIsNo) { EXPECT_FALSE(ask("package p\nimport rego.v1\nallow if input.x == 1\n").allowed()); }

TEST(Policy, AllowMustBeTrueItself) {
  EXPECT_FALSE(ask("package p\nallow := \"true\"\n").allow);
  EXPECT_FALSE(ask("package p\nallow := 1\n").allow);
  EXPECT_FALSE(ask("package p\nallow := {true}\n").allow);
}

// C20: deny overrides allow, in whatever form it is written.
TEST(Policy, DenyOverridesAllow) {
  for (const char* deny : {"deny contains \"no\"", "deny := true", "deny := [\"no\"]", "deny := {\"no\": 1}", "deny := \"no\"",
                           "deny := 1", "deny := null", "deny[\"no\"] := true"}) {
    const auto answer = ask(std::string("package p\nimport rego.v1\nallow := true\n") + deny + "\n");
    EXPECT_TRUE(answer.allow) << deny;
    EXPECT_FALSE(answer.allowed()) << deny;
  }
}

TEST(Policy, AnEmptyDenyDoesNotDeny) {
  for (const char* deny : {"deny contains \"no\" if false", "deny := false", "deny := []", "deny := set()", "deny := {}"}) {
    EXPECT_TRUE(ask(std::string("package p\nimport rego.v1\nallow := true\n") + deny + "\n").allowed()) << deny;
  }
}

TEST(Policy, ReasonsComeBack) {
  const auto answer = ask("package p\nimport rego.v1\nallow := true\ndeny contains \"b\\u0000c\"\ndeny contains \"a\"\n");
  EXPECT_EQ(answer.deny_reasons, (std::vector<std::string>{"a", "b c"}));
}

// C20: v0 and v1 syntax, also side by side.
TEST(Policy, ReadsV0Syntax) {
  const std::string v0 = "package p\ndefault allow = false\nallow { input.x == 1 }\ndeny[msg] { input.y; msg := \"y\" }\n";
  EXPECT_TRUE(ask(v0, R"({"x":1})").allowed());
  EXPECT_FALSE(ask(v0, R"({"x":2})").allowed());
  EXPECT_EQ(ask(v0, R"({"x":1,"y":true})").deny_reasons, std::vector<std::string>{"y"});
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"a.rego", v0}, {"b.rego", "package q\nallow if data.p.allow\n"}})));
  EXPECT_TRUE(engine.evaluate("q", R"({"x":1})", std::nullopt, 1s)->allowed());
}

TEST(Policy, CheckNamesFileLineAndColumn) {
  const auto error = check({{"good.rego", "package g\nallow := true\n"}, {"bad.rego", "package p\n\nallow if {{{\n"}});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->file, "bad.rego");
  EXPECT_GE(error->line, 3U);
  EXPECT_GE(error->column, 1U);
  EXPECT_FALSE(error->message.empty());
  EXPECT_FALSE(check({{"good.rego", "package g\nallow := true\n"}}));
}

TEST(Policy, CheckFindsWhatOnlyTheWholeShows) {
  EXPECT_TRUE(check({{"a.rego", "package p\nallow if x == undefined_variable\n"}}));
}

TEST(Policy, ABrokenPolicyIsNotInForce) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := true\n"}}, 1)));
  ASSERT_FALSE(engine.use(set_of({{"p.rego", "package p\nallow := \n"}}, 2)));
  EXPECT_FALSE(engine.evaluate("p", "{}", std::nullopt, 1s));
  EXPECT_FALSE(engine.use(set_of({}, 2))) << "the same epoch stays broken";
}

TEST(Policy, RecompilesWhenTheEpochDiffers) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := true\n"}}, 1)));
  EXPECT_TRUE(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed());
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := false\n"}}, 1)));
  EXPECT_TRUE(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed()) << "same epoch";
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := false\n"}}, 2)));
  EXPECT_FALSE(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed());
}

TEST(Policy, AnUnknownPackageIsAnError) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := true\n"}})));
  EXPECT_FALSE(engine.evaluate("q", "{}", std::nullopt, 1s));
  EXPECT_FALSE(engine.evaluate("p.allow := true #", "{}", std::nullopt, 1s));
}

TEST(Policy, TestFilesDecideNothing) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := false if input.x\n"}, {"p_test.rego", "package p\nallow := true\n"}})));
  EXPECT_FALSE(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed());
}

Modules policy_folder() {
  Modules modules;
  for (const auto& entry : std::filesystem::directory_iterator(SALLYPORT_SOURCE_DIR "/policies")) {
    if (entry.path().extension() != ".rego") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    modules.emplace_back(entry.path().filename().string(), text.str());
  }
  return modules;
}

// S0-12, S0-13, C20: the golden table as the policies' own tests tell it.
TEST(ShippedPolicies, TheirOwnTestsPass) {
  PolicyEngine engine;
  const Modules modules = policy_folder();
  const auto used = engine.use_all(modules);
  ASSERT_TRUE(used) << used.error().detail;
  int ran = 0;
  for (const auto& [name, source] : modules) {
    if (!is_test_file(name)) continue;
    const std::string package = name.substr(0, name.size() - 5);
    std::istringstream lines(source);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("test_")) continue;
      const std::string rule = line.substr(0, line.find(' '));
      const auto result = engine.query("data." + package + "." + rule, "{}", 1s);
      ASSERT_TRUE(result) << rule << ": " << result.error().detail;
      EXPECT_NE(result->find("\"value\":true"), std::string::npos) << rule << ": " << *result;
      ++ran;
    }
  }
  EXPECT_GE(ran, 19);
}

TEST(ShippedPolicies, AreBuiltInAsTheyLieInTheFolder) {
  Modules expected = policy_folder();
  std::erase_if(expected, [](const auto& m) { return is_test_file(m.first); });
  std::ranges::sort(expected);
  EXPECT_EQ(shipped_policies(), expected);
}

TEST(PolicyAbuse, InfiniteWorkIsCutAtItsBudget) {
  const std::string source =
      "package p\nimport rego.v1\nallow if {\n  some a in numbers.range(1, 9999)\n  some b in numbers.range(1, 9999)\n"
      "  some c in numbers.range(1, 9999)\n  a + b + c == 0\n}\n";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(ask_raw(source, "{}", 10ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500ms);
}

TEST(PolicyAbuse, AnErrorInsideDenyIsAnError) {
  EXPECT_FALSE(ask_raw("package p\nimport rego.v1\nallow := true\ndeny contains \"x\" if to_number(\"abc\") > 1\n"));
  EXPECT_FALSE(ask_raw("package p\nimport rego.v1\nallow := true\ndeny contains \"x\" if 1 / input.zero > 1\n", R"({"zero":0})"));
  EXPECT_FALSE(ask_raw("package p\nallow := true\ndeny := 1\ndeny := 2\n")) << "two values";
}

TEST(PolicyAbuse, NumbersFromOutsideDoNotAllocateWithoutBound) {
  const std::string source = "package p\nimport rego.v1\nallow if count(numbers.range(1, input.n)) > 0\n";
  EXPECT_TRUE(ask_raw(source, R"({"n":100})")->allowed());
  EXPECT_FALSE(ask_raw(source, R"({"n":1000000000000})"));
  EXPECT_FALSE(ask_raw(source, R"({"n":-9223372036854775808})"));
  EXPECT_FALSE(ask_raw("package p\nimport rego.v1\nallow if bits.lsh(1, input.n) > 0\n", R"({"n":1000000000000})"));
}

TEST(PolicyAbuse, ThereIsNoNetworkAndNoRuntime) {
  for (const char* call : {"http.send({\"method\":\"get\",\"url\":\"http://127.0.0.1\"})", "opa.runtime()",
                           "net.lookup_ip_addr(\"localhost\")"}) {
    const auto answer = ask_raw(std::string("package p\nimport rego.v1\nallow if ") + call + "\n");
    EXPECT_FALSE(answer) << call;
  }
}

TEST(PolicyAbuse, ArgumentsAreADocumentOfTheirOwn) {
  const std::string source =
      "package p\nimport rego.v1\nallow if \"admin\" in input.user.roles\ndeny contains \"x\" if input.arguments.never\n";
  constexpr std::string_view kInput = R"({"user":{"roles":["user"]}})";
  EXPECT_FALSE(ask(source, kInput, R"({"user":{"roles":["admin"]}})").allow);
  EXPECT_FALSE(ask(source, kInput, R"({"arguments":{"user":{"roles":["admin"]}}})").allow);
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", source}})));
  for (const char* bytes : {R"({}},"user":{"roles":["admin"]},"x":{})", R"({},"user":{"roles":["admin"]})", R"({}{})", "", "{",
                            "\xff\xfe"}) {
    EXPECT_FALSE(engine.evaluate("p", kInput, bytes, 1s)) << bytes;
  }
}

TEST(PolicyAbuse, DeepAndHugeInputIsRefused) {
  const std::string source = "package p\nimport rego.v1\nallow if input.arguments\n";
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", source}})));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(engine.evaluate("p", "{}", deep, 1s));
  const std::string fits = std::string(120, '[') + std::string(120, ']');
  EXPECT_TRUE(engine.evaluate("p", "{}", fits, 1s));
  EXPECT_FALSE(engine.evaluate("p", "{}", '"' + std::string(17U << 20U, 'x') + '"', 1s));
  EXPECT_FALSE(engine.evaluate("p", "[]", std::nullopt, 1s)) << "no object";
}

// The parser's time doubles and more with each parenthesis: what passes the limit on nesting must still be quick.
TEST(PolicyAbuse, NestedParenthesesCompileQuicklyOrNotAtAll) {
  for (const int depth : {6, 12, 13, 40}) {
    const auto n = static_cast<std::size_t>(depth);
    const auto start = std::chrono::steady_clock::now();
    const auto error = check({{"p.rego", "package p\nx := " + std::string(n, '(') + "1" + std::string(n, ')') + "\n"}});
    EXPECT_EQ(error.has_value(), depth > 12) << depth;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s) << depth;
  }
}

// Rules below `deny` have no rule `deny` of their own, and must not be overlooked.
TEST(PolicyAbuse, DenyInPartsIsSeen) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(set_of({{"p.rego", "package p\nallow := true\n"}, {"d.rego", "package p.deny\nx := true\n"}})));
  EXPECT_FALSE(engine.evaluate("p", "{}", std::nullopt, 1s)->allowed());
  EXPECT_FALSE(ask("package p\nimport rego.v1\nallow := true\ndeny.a.b := true if input.x\n", R"({"x":1})").allowed());
}

TEST(PolicyAbuse, LongChainsOfRulesAreRefused) {
  std::string source = "package p\nimport rego.v1\nallow if f0(1)\n";
  for (int i = 0; i < 5'000; ++i) source += "f" + std::to_string(i) + "(x) := f" + std::to_string(i + 1) + "(x)\n";
  EXPECT_FALSE(ask_raw(source));
  source = "package p\nimport rego.v1\nallow if r0\n";
  for (int i = 0; i < 5'000; ++i) source += "r" + std::to_string(i) + " if r" + std::to_string(i + 1) + "\n";
  EXPECT_FALSE(ask_raw(source + "r5000 := true\n"));
}

TEST(Policy, FunctionsThatCallFunctionsAreNoRecursion) {
  EXPECT_TRUE(ask("package p\nimport rego.v1\nf(x) := g(x) + 1\ng(x) := x if x > 0\ng(x) := 0 if x <= 0\nallow if f(1) == 2\n")
                  .allowed());
}

TEST(PolicyAbuse, DeepPolicySourceIsRefused) {
  EXPECT_TRUE(check({{"p.rego", "package p\nx := " + std::string(50'000, '[') + std::string(50'000, ']') + "\n"}}));
  EXPECT_TRUE(check({{"p.rego", "package p\nx := " + std::string(1'000, '(') + "1" + std::string(1'000, ')') + "\n"}}));
  EXPECT_TRUE(check({{"p.rego", std::string("package p\nx := \"\xff\"\n")}})) << "not UTF-8";
  EXPECT_TRUE(check({{"p.rego", "package p\nimport rego.v1\nallow if allow\n"}}) ||
              !ask_raw("package p\nimport rego.v1\nallow if allow\n"));
}

TEST(PolicyAbuse, RecursionDoesNotOverflowTheStack) {
  EXPECT_FALSE(ask_raw("package p\nimport rego.v1\nf(x) := f(x + 1)\nallow if f(1)\n"));
  EXPECT_FALSE(ask_raw("package p\nimport rego.v1\nf(x) := y if { y := g(x + 1) }\ng(x) := f(x)\nallow if f(1)\n"));
  // By another name of its own, and through brackets.
  for (const std::string body : {"import data.p.f as g\nf(x) := g(x)\n", "import data.p\nf(x) := p.f(x)\n",
                                 "f(x) := data.p[\"f\"](x)\n", "f(x) := data[\"p\"].f(x)\n"}) {
    EXPECT_TRUE(check({{"p.rego", "package p\nimport rego.v1\n" + body + "allow if f(1)\n"}})) << body;
  }
  const std::string other = "package q\nimport rego.v1\nimport data.p.f as h\ng(x) := h(x)\n";
  EXPECT_TRUE(check(
      {{"p.rego", "package p\nimport rego.v1\nimport data.q.g\nf(x) := g(x)\nallow if f(1)\n"}, {"q.rego", other}}));
}

TEST(Policy, AFunctionOfAnotherPackageIsNoRecursion) {
  const std::string lib = "package lib\nimport rego.v1\nf(x) := x + 1\n";
  for (const std::string use :
       {"import data.lib.f as g\nallow if g(1) == 2\n", "import data.lib\nallow if lib.f(1) == 2\n",
        "import data.lib.f\nx := [2]\nallow if f(1) == x[0]\n"}) {
    EXPECT_FALSE(check({{"p.rego", "package p\nimport rego.v1\n" + use}, {"lib.rego", lib}})) << use;
  }
}

}  // namespace
}  // namespace sallyport::policy
