#include "engines/policy/coverage.h"

#include <gtest/gtest.h>

#include "engines/policy/trial.h"

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::uint32_t>;

constexpr const char* kRules = "package tool_access\n"                          // 1
                               "import rego.v1\n"                               // 2
                               "default allow := false\n"                       // 3
                               "is_admin if \"admin\" in input.user.roles\n"    // 4
                               "allow if is_admin\n"                            // 5
                               "allow if {\n"                                   // 6
                               "\tinput.action == \"read\"\n"                   // 7
                               "\tinput.granted\n"                              // 8
                               "}\n"                                            // 9
                               "deny contains msg if {\n"                       // 10
                               "\tinput.arguments.amount > 5 # dear\n"          // 11
                               "\tmsg := \"too much\"\n"                        // 12
                               "}\n"                                            // 13
                               "small(x) if {\n"                                // 14
                               "\tx < 3\n"                                      // 15
                               "}\n"                                            // 16
                               "deny contains \"small\" if small(input.n)\n";   // 17

Modules rules(std::string more = "") { return {{"a.rego", kRules + std::move(more)}}; }

std::vector<FileCoverage> asked(const Modules& modules, std::string_view input,
                                std::optional<std::string_view> arguments = std::nullopt) {
  PolicyEngine engine;
  const PolicySet set{1, modules};
  EXPECT_TRUE(engine.use(set));
  note_lines(engine, true);
  EXPECT_TRUE(engine.evaluate("tool_access", input, arguments, 1s));
  const Question question{input, arguments};
  auto found = reached_lines(engine, &question, 1s);
  EXPECT_TRUE(found) << found.error().detail;
  return found.value_or(std::vector<FileCoverage>{});
}

const RuleBody& at(const std::vector<FileCoverage>& files, std::uint32_t line) {
  static const RuleBody kNone{};
  for (const FileCoverage& file : files) {
    for (const RuleBody& body : file.bodies) {
      if (body.line == line) return body;
    }
  }
  return kNone;
}

TEST(Coverage, SaysHowFarEachBodyGotAndWhetherItHolds) {
  const auto files = asked(rules(), R"({"action":"call","user":{"roles":["admin"]},"n":1})", R"({"amount":9})");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(at(files, 5).rule, "tool_access.allow");
  EXPECT_EQ(at(files, 5).holds, true);
  EXPECT_EQ(at(files, 6).reached, Lines{7});
  EXPECT_EQ(at(files, 6).not_reached, Lines{8});
  EXPECT_EQ(at(files, 6).holds, false);
  EXPECT_EQ(at(files, 6).last_line, 9U);
  EXPECT_EQ(at(files, 10).reached, (Lines{10, 11, 12}));
  EXPECT_EQ(at(files, 10).holds, true);
  EXPECT_EQ(at(files, 14).kind, "function");
  EXPECT_EQ(at(files, 14).reached, Lines{15});
  EXPECT_EQ(at(files, 14).holds, std::nullopt);
  EXPECT_EQ(at(files, 17).holds, true);
}

TEST(Coverage, WhatWasNotEvaluatedIsNotReached) {
  const auto files = asked(rules("unused := [input.a,\n\tinput.b]\n"), R"({"action":"call"})");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(at(files, 14).reached, Lines{});
  EXPECT_EQ(at(files, 14).not_reached, Lines{15});
  EXPECT_EQ(at(files, 18).not_reached, (Lines{18, 19}));
  EXPECT_EQ(at(files, 10).reached, Lines{11});
  EXPECT_EQ(at(files, 10).holds, false);
}

TEST(Coverage, IsForgottenWhenAskedAnew) {
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(PolicySet{1, rules()}));
  note_lines(engine, true);
  ASSERT_TRUE(engine.evaluate("tool_access", R"({"action":"read"})", std::nullopt, 1s));
  note_lines(engine, true);
  auto found = reached_lines(engine, nullptr, 1s);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().reached, Lines{});
  note_lines(engine, false);
  ASSERT_TRUE(engine.evaluate("tool_access", R"({"action":"read"})", std::nullopt, 1s));
  found = reached_lines(engine, nullptr, 1s);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().reached, Lines{});
}

TEST(Coverage, WithoutAPolicyItIsAnError) {
  PolicyEngine engine;
  note_lines(engine, true);
  EXPECT_FALSE(reached_lines(engine, nullptr, 1s));
}

// A policy written for v0, with imports of its own, and one that walks its own package: what cannot be asked apart stays open.
TEST(Coverage, AsksBodiesInTheirOwnDialect) {
  const Modules modules{{"lib.rego", "package lib\nf(x) { x == 1 }\n"},
                        {"a.rego", "package tool_access\nimport data.lib as l\ndefault allow = false\nallow { "
                                   "l.f(input.x) }\ndeny[m] { m := \"no\"; input.x == 2 }\n"}};
  const auto files = asked(modules, R"({"x":1})");
  EXPECT_EQ(at(files, 4).holds, true);
  EXPECT_EQ(at(files, 5).holds, false);
}

// The quotes of a string at the beginning or end of a body without braces belong to it.
TEST(Coverage, AsksBodiesThatBeginOrEndInAString) {
  const auto files =
      asked({{"a.rego", "package tool_access\nimport rego.v1\nallow if \"a\" in input.x\nallow if input.y == \"b\"\n"
                        "allow if input.y == `c`\ndeny contains \"d\" if \"e\" == \"e\"\n"}},
            R"({"x":["a"],"y":"c"})");
  EXPECT_EQ(at(files, 3).holds, true);
  EXPECT_EQ(at(files, 4).holds, false);
  EXPECT_EQ(at(files, 5).holds, true);
  EXPECT_EQ(at(files, 6).holds, true);
}

TEST(Coverage, AnElseIsABodyOfItsOwn) {
  const auto files = asked(
      {{"a.rego",
        "package tool_access\nimport rego.v1\nallow if {\n\tinput.x == 1\n} else := true if {\n\tinput.x == 2\n}\n"}},
      R"({"x":2})");
  EXPECT_EQ(at(files, 3).holds, false);
  EXPECT_EQ(at(files, 5).kind, "else");
  EXPECT_EQ(at(files, 5).holds, true);
}

TEST(Coverage, OfTestsLeavesOutTheTestsAndCountsFilesThatNoneReached) {
  Modules modules = rules();
  modules.emplace_back("b.rego", "package other\nimport rego.v1\nx if input.y\n");
  modules.emplace_back("a_test.rego",
                       "package t\nimport rego.v1\nimport data.tool_access\n"
                       "test_read if tool_access.allow with input as {\"action\": \"read\", \"granted\": true}\n");
  const Trial trial = try_out(modules, Wish::coverage, 1s);
  ASSERT_FALSE(trial.fault);
  ASSERT_EQ(trial.coverage.size(), 2U);
  // By its import the whole package is evaluated; what stands behind a condition that is not true is not.
  EXPECT_EQ(trial.coverage[0].reached, (Lines{3, 4, 5, 7, 8, 11, 17}));
  EXPECT_EQ(trial.coverage[0].not_reached, (Lines{10, 12, 15}));
  EXPECT_EQ(trial.coverage[1].not_reached, Lines{3});
  EXPECT_EQ(try_out(modules, Wish::tests, 1s).coverage.size(), 0U);
  EXPECT_NEAR(percent_reached(trial.coverage), 63.6, 0.1);
  EXPECT_EQ(percent_reached({}), 100.0);
}

// An input that names what the bodies are asked by reaches nothing.
TEST(CoverageAbuse, HugeAndHostileInputsAreAnswered) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(PolicySet{1, rules()}));
  note_lines(engine, true);
  const Question question{R"({"action":"read"})", deep};
  EXPECT_FALSE(reached_lines(engine, &question, 1s));
  const Question broken{"{", std::nullopt};
  EXPECT_FALSE(reached_lines(engine, &broken, 1s));
}

TEST(CoverageAbuse, ABodyWithoutEndStaysOpen) {
  const Modules modules{
      {"a.rego",
       "package tool_access\nimport rego.v1\nallow if {\n\tinput.x\n\tcount([1 | some a in numbers.range(1, 9999); "
       "some b in numbers.range(1, 9999); a == b + 20000]) > 5\n}\n"}};
  PolicyEngine engine;
  ASSERT_TRUE(engine.use(PolicySet{1, modules}));
  note_lines(engine, true);
  EXPECT_FALSE(engine.evaluate("tool_access", R"({"x":true})", std::nullopt, 1ms));
  const Question question{R"({"x":true})", std::nullopt};
  const auto found = reached_lines(engine, &question, 5ms);
  ASSERT_TRUE(found);
  EXPECT_EQ(at(*found, 3).holds, std::nullopt);
  EXPECT_EQ(at(*found, 3).reached, (Lines{4, 5}));
}

}  // namespace
}  // namespace sallyport::policy
