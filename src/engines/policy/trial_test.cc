#include "engines/policy/trial.h"

#include <gtest/gtest.h>

#include "json/test_archive.h"

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

const std::pair<std::string, std::string> kRules{
    "p.rego", "package tool_access\nimport rego.v1\nallow if input.x == 1\nn := to_number(input.text)\n"};
const std::pair<std::string, std::string> kAdmin{"a.rego", "package admin_access\nallow := true\n"};

Modules with_tests(const std::string& tests) {
  return {kRules, kAdmin, {"p_test.rego", "package p_test\nimport rego.v1\nimport data.tool_access\n" + tests}};
}

std::vector<std::pair<std::string, bool>> results(const Trial& trial) {
  std::vector<std::pair<std::string, bool>> out;
  for (const auto& test : trial.tests) out.emplace_back(test.name, test.passed);
  return out;
}

TEST(Trial, TestsPassWhereTheyAreTrue) {
  const Trial trial = try_out(with_tests("test_yes if tool_access.allow with input as {\"x\": 1}\n"
                                         "test_no if tool_access.allow with input as {\"x\": 2}\n"
                                         "test_text := \"true\"\n"
                                         "helper if false\n"
                                         "test_undefined if not tool_access.n with input as {\"text\": \"z\"}\n"),
                              Wish::tests, 1s);
  ASSERT_FALSE(trial.fault) << trial.fault->message;
  using Pair = std::pair<std::string, bool>;
  EXPECT_EQ(results(trial), (std::vector<Pair>{{"p_test.test_yes", true},
                                               {"p_test.test_no", false},
                                               {"p_test.test_text", false},
                                               {"p_test.test_undefined", true}}));
  EXPECT_TRUE(trial.notes.empty());
}

TEST(Trial, WithoutTestsNoneIsRun) {
  EXPECT_TRUE(try_out(with_tests("test_yes if true\n"), Wish::check, 1s).tests.empty());
}

TEST(Trial, AFaultSaysWhereAlsoInATest) {
  const Trial trial = try_out(with_tests("test_yes if {{{\n"), Wish::tests, 1s);
  ASSERT_TRUE(trial.fault);
  EXPECT_EQ(trial.fault->file, "p_test.rego");
  EXPECT_GE(trial.fault->line, 4U);
}

TEST(Trial, WhatIsAskedAndNotThereIsNoted) {
  const Trial trial = try_out({kRules}, Wish::check, 1s);
  ASSERT_EQ(trial.notes.size(), 1U);
  EXPECT_NE(trial.notes[0].find("admin_access"), std::string::npos);
}

TEST(Trial, ANameThatAKeyMayHaveTooIsNoted) {
  const auto notes = [](const std::string& rule) {
    const std::string admin = "package admin_access\nimport rego.v1\nallow := false\n";
    const std::string tool = "package tool_access\nimport rego.v1\nallow if {" + rule + "}\n";
    return try_out({{"admin.rego", admin}, {"tool.rego", tool}}, Wish::check, 1s).notes;
  };
  ASSERT_EQ(notes("input.user.name == \"ada\"").size(), 1U);
  EXPECT_TRUE(notes("input.user.name == \"ada\"")[0].starts_with("tool.rego reads input.user.name"));
  EXPECT_TRUE(notes("input.user.name == \"ada\"; input.user.kind == \"user\"").empty());
  EXPECT_TRUE(notes("input.user.id == \"user:0123456789abcdef\"").empty());
}

TEST(TrialAbuse, ATestWithoutEndIsCut) {
  const Trial trial =
      try_out(with_tests("test_long if count([1 | some a in numbers.range(1, 9999); some b in numbers.range(1, 9999); "
                         "some c in numbers.range(1, 9999); a + b == c]) > 0\n"),
              Wish::tests, 20ms);
  ASSERT_EQ(trial.tests.size(), 1U);
  EXPECT_FALSE(trial.tests[0].passed);
  EXPECT_NE(trial.tests[0].why, "");
}

// S0-12, S0-13: what ships passes its own tests.
TEST(Trial, TheShippedPoliciesPassTheirTests) {
  Modules modules;
  for (const char* name : {"admin_access", "admin_access_test", "tool_access", "tool_access_test"}) {
    const std::string file = std::string(name) + ".rego";
    modules.emplace_back(file, sallyport::testing::read_file(std::string(SALLYPORT_SOURCE_DIR) + "/policies/" + file));
  }
  const Trial trial = try_out(modules, Wish::tests, 1s);
  ASSERT_FALSE(trial.fault) << trial.fault->message;
  EXPECT_GT(trial.tests.size(), 15U);
  for (const auto& test : trial.tests) EXPECT_TRUE(test.passed) << test.name << " " << test.why;
}

// Each example beside what ships, and all of them together.
TEST(Trial, TheExamplesPassTheirTests) {
  const std::string folder = std::string(SALLYPORT_SOURCE_DIR) + "/policies/";
  const auto read = [&](const std::string& file) {
    return std::pair(file, sallyport::testing::read_file(folder + file));
  };
  const Modules shipped{read("admin_access.rego"), read("tool_access.rego"), read("tool_access_test.rego")};
  Modules all = shipped;
  for (const char* name : {"argument_limits", "business_hours", "data_classes", "flow"}) {
    const std::string file = "examples/" + std::string(name);
    Modules modules = shipped;
    for (Modules* into : {&modules, &all}) {
      into->push_back(read(file + ".rego"));
      into->push_back(read(file + "_test.rego"));
    }
    const Trial trial = try_out(modules, Wish::tests, 1s);
    ASSERT_FALSE(trial.fault) << trial.fault->message;
    EXPECT_TRUE(trial.notes.empty());
    EXPECT_GT(trial.tests.size(), 15U);
    for (const auto& test : trial.tests) EXPECT_TRUE(test.passed) << name << ": " << test.name << " " << test.why;
  }
  for (const auto& test : try_out(all, Wish::tests, 1s).tests) EXPECT_TRUE(test.passed) << test.name << " " << test.why;
}

}  // namespace
}  // namespace sallyport::policy
