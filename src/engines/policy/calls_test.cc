// Calls of what is not there are found before a policy is in force (rust/src/calls.rs).
#include <gtest/gtest.h>

#include "engines/policy/policy.h"

namespace sallyport::policy {
namespace {

std::optional<CompileError> check_one(const std::string& rules) {
  return check({{"p.rego", "package p\nimport rego.v1\n" + rules}});
}

TEST(PolicyCalls, AnUnknownBuiltinIsNamedWithRuleAndLine) {
  const auto error =
      check_one("allow if input.x\n\ndeny contains \"x\" if {\n\tinput.y\n\tcrypto.sha256(input.z) == \"\"\n}\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->file, "p.rego");
  EXPECT_EQ(error->line, 7U);
  EXPECT_NE(error->message.find("crypto.sha256"), std::string::npos) << error->message;
  EXPECT_NE(error->message.find("data.p.deny calls it"), std::string::npos) << error->message;
}

TEST(PolicyCalls, WhereverItStands) {
  for (const char* rule : {"allow := no.such(1)",
                           "allow if not no.such(1)",
                           "allow if count([no.such(x) | some x in [1]]) > 0",
                           "allow if count({x | x := no.such(1)}) > 0",
                           "allow if {\"a\": no.such(1)} == {}",
                           "allow if [no.such(1)] == []",
                           "allow if every x in no.such(1) { x }",
                           "allow if every x in [1] { no.such(x) }",
                           "allow if some x in no.such(1)",
                           "allow if input.x[no.such(1)]",
                           "allow if 1 + no.such(1) == 2",
                           "allow if input.x with input.x as no.such(1)",
                           "allow if count(no.such(1)) == 1",
                           "deny contains no.such(1)",
                           "f(x) := no.such(x)",
                           "f(x) if no.such(x)",
                           "default allow := false\nallow := 1 if { input.x } else := no.such(1)",
                           "allow if -no.such(1) == 1",
                           "allow if no.such(1) in [1]",
                           "o[no.such(1)] := 1",
                           "allow if no_such(1)",
                           "allow if data.q.no_such(1)"}) {
    const auto error = check_one(std::string(rule) + "\n");
    ASSERT_TRUE(error) << rule;
    EXPECT_NE(error->message.find("such"), std::string::npos) << rule << ": " << error->message;
  }
}

TEST(PolicyCalls, WhatModulesDeclareIsThere) {
  const Modules modules{
      {"lib.rego",
       "package lib.words\nimport rego.v1\nlong(x) if count(x) > 3\ndefault kind(_) := 1\nkind(x) := 2 if x == 2\n"},
      {"p.rego", "package p\nimport rego.v1\nimport data.lib.words\nimport data.lib.words as w\nimport data.lib\n"
                 "own(x) := x\n"
                 "allow if { own(true); words.long(\"abcd\"); w.long(\"abcd\"); lib.words.long(\"abcd\"); "
                 "data.lib.words.long(\"abcd\"); "
                 "w.kind(3) == 1 }\n"}};
  const auto error = check(modules);
  EXPECT_FALSE(error) << error->message;
}

TEST(PolicyCalls, BuiltinsAreThere) {
  const auto error = check_one(
      "allow if { strings.count(\"aa\", \"a\") == 2; numbers.range_step(1, 3, 2); bits.lsh(1, 2) == 4; count(set()) == "
      "0; "
      "print(\"x\"); walk(input, [p, v]); time.now_ns() > 0; net.cidr_contains(\"10.0.0.0/8\", \"10.0.0.1\"); "
      "object.get(input, \"a\", 1); regex.match(\"a\", \"a\"); glob.match(\"a\", [], \"a\"); p == v }\n");
  EXPECT_FALSE(error) << error->message;
}

TEST(PolicyCalls, InV0Too) {
  EXPECT_FALSE(check({{"p.rego", "package p\nallow { startswith(input.x, \"a\") }\n"}}));
  const auto error = check({{"p.rego", "package p\nallow {\n  no.such(input.x)\n}\n"}});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->line, 3U);
}

TEST(PolicyCalls, AFunctionOfATestIsNoneOfThePolicies) {
  const Modules modules{{"p.rego", "package p\nimport rego.v1\nallow if helper(1)\n"},
                        {"p_test.rego", "package p\nimport rego.v1\nhelper(x) if x == 1\n"}};
  EXPECT_FALSE(check(modules));
  const auto compiled = Compiled::of(modules);
  ASSERT_FALSE(compiled) << "in force, there are no tests";
  EXPECT_NE(compiled.error().detail.find("p.rego:3:"), std::string::npos) << compiled.error().detail;
}

}  // namespace
}  // namespace sallyport::policy
