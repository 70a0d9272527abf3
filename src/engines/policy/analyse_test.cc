#include <gtest/gtest.h>

#include "engines/policy/policy.h"

namespace sallyport::policy {
namespace {

Reads of(const std::string& body) { return analyse({{"p.rego", "package p\n" + body}}); }

// What `reads` has, as "user.roles tool.name"; "everything" where nothing is left out.
std::string told(const Reads& reads) {
  std::string out;
  for (std::size_t i = 0; i < kFieldPaths.size(); ++i) {
    if (!reads.has(static_cast<Field>(i))) continue;
    if (!out.empty()) out += ' ';
    if (!kFieldPaths[i].parent.empty()) out += std::string(kFieldPaths[i].parent) + ".";
    out += kFieldPaths[i].name;
  }
  return reads.everything() ? "everything" : out;
}

constexpr const char* kUser = "user.id user.name user.kind user.roles user.groups user.permissions";
constexpr const char* kTool =
    "tool.name tool.server tool.security_level tool.required tool.labels tool.pin tool.untrusted";

struct Case {
  const char* body;
  const char* reads;
};

TEST(Analyse, FindsWhatIsRead) {
  for (const auto& [body, reads] : std::initializer_list<Case>{
           {"allow := true", ""},
           {"allow if input.user.id == \"arguments\" # input.arguments", "user.id"},
           {"allow if input[\"user\"][\"roles\"][_] == `input`", "user.roles"},
           {"allow if input[`user`].roles[input.phase]", "user.roles phase"},
           {"allow if input.user.roles[_] == input.tool.name", "user.roles tool.name"},
           {"allow if input.arguments.user.roles", "arguments"},
           {"import input.arguments as a\nallow if a.x", "arguments"},
           {"import input.user.roles\nallow if roles[_] == \"x\"", "user.roles"},
           {"allow if input.time > \"2026\"", "time"},
           {"allow if input.address == input.protocol", "address protocol"},
           {"allow if input.tool.untrusted.annotations.readOnlyHint", "tool.untrusted"},
           {"allow if input.user.nothing == input.nothing", ""},
           {"allow if data.input.user.name", "user.name"},
           {"allow[msg] { msg := input.labels[_] }", "labels"},
           {"allow if \"\\\"input.user\" == input.server", "server"},
           {"allow if `\\` == input.server", "server"},
           // Keywords in names, before and behind the word.
           {"allow if input.if == input.user.as", ""},
           {"allow if as.input.user.name", "user.name"},
           {"allow if if.foo(input.tool.name)", "tool.name"},
           {"allow if foo.if(input.server) with count as object.union_n", "server"},
           {"as.foo := input.phase", "phase"},
           {"allow if data.with.input.time", "time"},
       }) {
    EXPECT_EQ(told(of(body)), reads) << body;
  }
}

// Abuse: each way to the input that could be overlooked.
TEST(Analyse, CountsAPartAsReadWhereTheStepsAreNotPlain) {
  for (const auto& [body, reads] : std::initializer_list<Case>{
           {"x := input.user", kUser},
           {"allow if input.user[k] == 1", kUser},
           {"allow if { some k; input.tool[k] }", kTool},
           {"allow if input.tool[\"na\\u006de\"]", kTool},
           {"import input.tool as t\nallow if t.name", kTool},
           {"import input.user\nallow if user.name", kUser},
           {"allow if object.get(input.user, \"roles\", [])", kUser},
           {"allow if {\n  x := input.user\n  [\"roles\"] == y\n}", kUser},  // two statements: no step
           {"allow if input.user # c\n[\"roles\"]", kUser},
           {"allow if input.user [\"roles\"]", kUser},
           {"allow if input.user[\"roles\" ]", kUser},
           {"allow if input.user[ \"roles\"]", kUser},
           {"allow if input.user .roles", kUser},
           {"allow if input.tool[\"name\", 1]", kTool},
           {"allow if input.user", kUser},
       }) {
    EXPECT_EQ(told(of(body)), reads) << body;
  }
}

TEST(Analyse, CountsEverythingAsReadWhenUnsure) {
  for (const char* body : {"x := input",
                           "allow if input[k]",
                           "allow if { some k; input[k] == 1 }",
                           "import input as i",
                           "import input",
                           "allow if input[\"\\u0061rguments\"]",
                           "allow if walk(input, x)",
                           "allow if walk(input, [p, v])",
                           "allow if data.q.f(input)",
                           "allow if f(x) with input as {}",
                           "allow if f(x) with input.user.roles as [\"a\"]",
                           "allow if $\"{input.arguments}\" == \"\"",
                           "allow if \"unclosed",
                           "allow if `unclosed",
                           "f := {\"input\": input}",
                           "allow if input[\"a\", 1]",
                           "allow if object.get(input, [\"tool\", \"name\"], \"\")",
                           "allow if json.filter(input, [\"tool/name\"])",
                           "allow if [x | x := input]",
                           "allow if {k: v | v := input[k]}",
                           "input := {\"user\": 1}",
                           "input.user := 1\nallow if input",
                           "f(input) := input.user",
                           "allow if input [\"user\"]",
                           "allow if input .user",
                           "allow if input. user",
                           "allow if input\n.user.name",
                           "allow if input # c\n.user",
                           "allow if input.input.user",
                           "allow if count(input) > 0",
                           "allow if input != {}",
                           "allow if \"x\" in input",
                           "allow if every k, v in input { k != v }",
                           "allow { input }",
                           "allow if input[0]",
                           "allow if input[input.user.id]",
                           "allow if input.",
                           "input"}) {
    EXPECT_EQ(told(of(body)), "everything") << body;
  }
}

TEST(Analyse, SeesWhatAnswersOtherwiseFromCallToCall) {
  EXPECT_TRUE(of("allow if time.now_ns() > 1").changing());
  EXPECT_TRUE(of("allow if rand.intn(\"x\", 2) == 1").changing());
  EXPECT_TRUE(of("allow if input.user.id == uuid.rfc4122(\"x\")").changing());
  EXPECT_TRUE(of("f(_) := 1\nallow if f(1) == 1 with f as time.now_ns").changing()) << "in the place of a function";
  EXPECT_TRUE(of("x := input").changing()) << "when unsure";
  EXPECT_FALSE(of("allow if net.cidr_contains(\"10.0.0.0/8\", input.address)").changing()) << "arithmetic";
}

// A test says `with input as` in each line, and decides nothing.
TEST(Analyse, PassesTestsOver) {
  EXPECT_EQ(told(analyse({{"p_test.rego", "package p_test\ntest_x if data.p.allow with input as {}\n"}})), "");
}

TEST(Analyse, OneFileThatReadsEverythingIsEnough) {
  EXPECT_EQ(told(analyse({{"a.rego", "package a\nallow := true\n"}, {"b.rego", "package b\nx := input\n"}})),
            "everything");
}

// What they read is what an answer is remembered by: few members, and nothing that differs between tools of one level.
TEST(ShippedPolicies, ReadLittle) {
  const Reads reads = analyse(shipped_policies());
  EXPECT_EQ(told(reads), "user.roles user.permissions action permission granted tool.security_level");
  EXPECT_FALSE(reads.changing());
}

}  // namespace
}  // namespace sallyport::policy
