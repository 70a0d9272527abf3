// What rust/patches/ and rust/src/chain.rs make of the language beyond OPA's own cases: names that begin with a keyword, a
// builtin in the place of a function, rules with variables in their path, and what must be refused all the same.
#include <gtest/gtest.h>

#include "engines/policy/policy.h"

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

// data.p.x as JSON; empty where it is undefined, "error ..." where the rules do not compile or fail.
std::string value_of(const std::string& rules, std::string_view input = "{}") {
  PolicyEngine engine;
  if (auto used = engine.use_all({{"p.rego", "package p\nimport rego.v1\n" + rules}}); !used)
    return "error " + used.error().detail;
  const auto answer = engine.query("data.p.x", input, 1s);
  if (!answer) return "error " + answer.error().detail;
  const auto begin = answer->find("\"value\":");
  return begin == std::string::npos ? "" : answer->substr(begin + 8, answer->find(",\"text\"", begin) - begin - 8);
}

std::string error_of(const std::string& rules) {
  const auto error = check({{"p.rego", "package p\nimport rego.v1\n" + rules}});
  return error ? error->message : "";
}

TEST(PolicyLanguage, AKeywordMayBeginAName) {
  for (const std::string word : {"as", "default", "else", "every", "false", "if", "import", "in", "not", "null",
                                 "package", "some", "true", "with", "contains"}) {
    EXPECT_EQ(value_of("x := " + word + ".a\n" + word + ".a := 7\n"), "7") << word;
    EXPECT_EQ(value_of("x := " + word + ".f(7)\n" + word + ".f(y) := y\n"), "7") << word;
    EXPECT_EQ(value_of("x := [" + word + ".a, a." + word + "]\n" + word + ".a := 1\n\na." + word + " := 2\n"), "[1,2]")
        << word;
    EXPECT_EQ(value_of("x if {\n  not " + word + ".b\n  some k in " + word + ".a\n  k == 1\n}\n" + word +
                       ".a := [1]\n" + word + ".b if false\n"),
              "true")
        << word;
  }
}

// A keyword is one wherever no dot stands right behind it.
TEST(PolicyLanguage, KeywordsStayKeywords) {
  for (const char* rules :
       {"x := as", "x := if", "as := 1", "if := 1", "x if some", "x if with as 1", "x := as .a\nas.a := 1",
        "x := if\n.a", "f(as) := 1", "import data.q as if.a", "x if every in.a in [1] { true }", "x if some as.a"}) {
    EXPECT_NE(error_of(std::string(rules) + "\n"), "") << rules;
  }
  EXPECT_EQ(value_of("x := true if input.a == 1 else := 2\n", R"({"a":3})"), "2");
  EXPECT_EQ(value_of("x := [y | some y in [1, 2]; not y == 1]\n"), "[2]");
}

TEST(PolicyLanguage, AnUnknownFunctionBehindAKeywordDoesNotCompile) {
  for (const char* call : {"as.foo(1)", "if.foo(1)", "foo.if(1)", "data.foo.if(1)", "data.p.foo.if(1)",
                           "data.p.if.foo.bar(1)", "data.p[\"if\"].bar(1)", "true.foo(1)", "lib.if.foo(1)"}) {
    const auto error =
        check({{"p.rego", std::string("package p\nimport data.lib\nif.other(x) := x\n\nallow if ") + call + "\n"},
               {"lib.rego", "package lib.if\nother(x) := x\n"}});
    ASSERT_TRUE(error) << call;
    EXPECT_EQ(error->file, "p.rego");
    EXPECT_EQ(error->line, 5U) << call;
    EXPECT_NE(error->message.find("could not find function"), std::string::npos) << error->message;
  }
  EXPECT_FALSE(check(
      {{"p.rego", "package p\nimport data.lib\nallow if { lib.if.f(1); data.lib.if.f(1); data.lib[\"if\"].f(1) }\n"},
       {"lib.rego", "package lib.if\nf(x) := x\n"}}));
}

TEST(PolicyLanguage, BracketsWithAConstantAreAsGoodAsADot) {
  EXPECT_EQ(value_of("foo[\"bar\"](y) := y + 1\nx := foo.bar(2)\n"), "3");
  EXPECT_EQ(value_of("foo.bar(y) := y + 1\nx := foo[\"b\\u0061r\"](2)\n"), "3");
  EXPECT_EQ(value_of("foo[\"a b\"](y) := y + 1\nx := data.p.foo[\"a b\"](2)\n"), "3");
  EXPECT_NE(error_of("foo.a.b(y) := y\nx := foo[\"a.b\"](2)\n").find("could not find function"), std::string::npos);
  EXPECT_NE(error_of("foo.a(y) := y\nx := foo[k](2) if { k := \"a\" }\n"), "") << "which one is not known before";
}

// `with` of a builtin holds for the expression that it stands at, and what that asks.
TEST(PolicyLanguage, WithPutsABuiltinInPlaceForAsLongAsItLasts) {
  EXPECT_EQ(value_of("x := [a, b, c, d] if {\n  a := count([{\"k\": 1}])\n  b := count([{\"k\": 1}]) with count as "
                     "object.union_n\n"
                     "  c := q with count as object.union_n\n  d := q\n}\nq := count([{\"k\": 1}])\n"),
            R"([1,{"k":1},{"k":1},1])");
  EXPECT_EQ(value_of("f(y) := 2\nx := [f([1, 2, 3]), y] if { y := f([1, 2, 3]) with f as count }\n"), "[2,3]");
  EXPECT_EQ(value_of("f(y) := 2\nx := y if { y := f([1]) with data.p.f as upper with data.p.f as count }\n"), "1");
  EXPECT_EQ(value_of("f(y) := count(y)\nx := y if { y := count([9]) with count as f }\n"), "1")
      << "the original inside";
  // A name that the policy has itself comes first, and a document is not replaced by a name.
  EXPECT_EQ(value_of("f(_) := 2\nx := y if { count := 5; y := f([1]) with f as count }\n"), "5");
  for (const char* rules :
       {"x if { input with input as count }", "x if { q with data.p.q as count }\nq := 1",
        "f(_) := 2\nx if { f(1) with f as nothing }", "f(_) := 2\nx if { f(1) with f as http.send }",
        "f(_) := 2\nx if { f(1) with f as io.jwt.decode }"}) {
    EXPECT_NE(error_of(std::string(rules) + "\n"), "") << rules;
  }
}

TEST(PolicyLanguage, WithMeansOneFunctionWhereverItIsCalledFrom) {
  PolicyEngine engine;
  ASSERT_TRUE(
      engine.use_all({{"p.rego", "package p\nimport data.q\nf(y) := 1\ng(_) := 7\nhere := f(1)\n"
                                 "a := x if { x := [f(1), data.p.f(1), here, q.f(1), q.own] with f as g }\n"
                                 "b := x if { x := [f(1), data.p.f(1), here, q.f(1), q.own] with data.p.f as g }\n"
                                 "c := x if { x := [f(1), data.p.f(1), here, q.f(1), q.own] with q.f as g }\n"},
                      {"q.rego", "package q\nf(y) := 2\nown := f(1)\n"}}));
  const auto ask = [&](const std::string& rule) { return engine.query("data.p." + rule, "{}", 1s).value_or("error"); };
  EXPECT_NE(ask("a").find("[7,7,7,2,2]"), std::string::npos) << ask("a");
  EXPECT_NE(ask("b").find("[7,7,7,2,2]"), std::string::npos) << ask("b");
  EXPECT_NE(ask("c").find("[1,1,1,7,7]"), std::string::npos) << ask("c");
}

TEST(PolicyLanguage, WalkHasAValue) {
  EXPECT_EQ(value_of("v := {\"a\": [5]}\nx := {concat(\".\", path): node | [p, node] := walk(v); path := "
                     "[sprintf(\"%v\", [k]) | k := p[_]]; "
                     "is_number(node)}\n"),
            "{\"a.0\":5}");
}

TEST(PolicyLanguage, RulesWithAVariableInTheirPathAddToWhatIsAsked) {
  const std::string rules =
      "p[q].r contains s if { some q in [\"a\", \"b\"]; some s in [\"c\", \"d\"] }\np.b.r contains \"e\"\n";
  EXPECT_EQ(value_of(rules + "x := p.b.r\n"), R"(["c","d","e"])");
  EXPECT_EQ(value_of(rules + "x := data.p.p.b.r\n"), R"(["c","d","e"])");
  EXPECT_EQ(value_of(rules + "x := p.b.r.d\n"), R"("d")");
  EXPECT_EQ(value_of(rules + "x := p.a.r\n"), R"(["c","d"])");
  EXPECT_EQ(value_of("p[q][r] := 1 if { q := \"a\"; r := \"z\" }\np.a.b := 2\nx := [p.a.b, p.a.z]\n"), "[2,1]");
}

// A function that calls itself would end the process: the interpreter recurses on the thread's stack.
TEST(PolicyLanguageAbuse, RecursionIsFoundInEachDisguise) {
  for (const char* rules :
       {"as.f(y) := as.f(y)", "f.if(y) := data.p.f.if(y)", "f.if(y) := data.p[\"f\"][\"if\"](y)",
        "foo[\"f\"](y) := foo.f(y)", "foo.f(y) := foo[\"\\u0066\"](y)", "foo[\"a b\"](y) := foo[\"a b\"](y)",
        // The body begins a line of its own.
        "f(y) if\nf(y)", "f(y) :=\nf(y)", "f(y) := z if {\n  z :=\n  f(y)\n}", "default f(_) := 1\nf(y) if\nnot\nf(y)",
        // Through rules, comprehensions, `with`.
        "f(y) if r\nr if f(1)", "f(y) if data.p[input.k]\nr if f(1)", "f(y) := [f(z) | some z in y]",
        "f(y) if { every z in y { f(z) } }", "f(y) := z if { z := count(y) with count as g }\ng(y) := f(y)",
        "f(y) if { q with count as f }\nq if count([]) == 1",
        "f(y) if { q with count as g }\ng(y) if { q with count as f }\nq if count([]) == 1", "f() := f()",
        "o[f(1)] := 1\nf(y) := o[y]",
        // Names of variables in one place, and of rules in another.
        "f(y) := z if { z := r[_] }\nr contains z if { z := f(1) }",
        "f(y) := z if { z := [r | r := 1][0]; r }\nr := f(1)", "f(y) := r if { y == 1 } else := 2\nr := f(1)"}) {
    EXPECT_NE(error_of(std::string(rules) + "\n").find("calls itself"), std::string::npos)
        << rules << ": " << error_of(std::string(rules) + "\n");
  }
}

TEST(PolicyLanguage, ANameOfAVariableIsNoCall) {
  EXPECT_EQ(error_of("name(u) := f(u.name)\nf(name) := name == \"a\"\nallow if name(input.user)\n"), "");
  EXPECT_EQ(error_of("f(y) := y\ng(y) := f(y)\nx := v if { v := f(1) with f as g }\n"), "");
  EXPECT_EQ(value_of("f(x) := x + 1\nx := f(2)\n"), "3");
  for (const char* rules : {"f(y) := x if { x := y }\nx := f(2)", "f(y) if { every x in y { x > 1 } }\nx := f([2])",
                            "f([x, {\"a\": z}]) := x + z\nx := f([1, {\"a\": 2}])\nz := f([1, {\"a\": 2}])"})
    EXPECT_EQ(error_of(std::string(rules) + "\n"), "") << rules;
}

std::string chain(int count, const std::string& link) {
  std::string rules;
  for (int i = 0; i < count; ++i) {
    std::string line = link;
    for (const auto& [mark, number] : {std::pair{"$0", i}, std::pair{"$1", i + 1}}) {
      for (auto at = line.find(mark); at != std::string::npos; at = line.find(mark))
        line.replace(at, 2, std::to_string(number));
    }
    rules += line + "\n";
  }
  return rules;
}

TEST(PolicyLanguageAbuse, LongChainsAreFoundInEachDisguise) {
  for (const char* link :
       {"r$0 if data.p[\"r$1\"]", "r$0 if\nr$1", "if.r$0 if data.p.if.r$1", "f$0(y) if\nf$1(y)",
        "as.f$0(y) := as.f$1(y)", "r$0 if q$0 with count as f$0\nq$0 if count([]) == 0\nf$0(_) := 0 if r$1"}) {
    EXPECT_EQ(error_of(chain(10, link) + "r10 := 1\nif.r10 := 1\nf10(_) := 1\nas.f10(_) := 1\n"), "") << link;
    EXPECT_NE(
        error_of(chain(80, link) + "r80 := 1\nif.r80 := 1\nf80(_) := 1\nas.f80(_) := 1\n").find("rules in a chain"),
        std::string::npos)
        << link;
  }
}

// Each stand-in is called at the end of a chain: forty of them behind chains of twenty are eight hundred calls deep.
TEST(PolicyLanguageAbuse, StandInsCountBehindTheChainThatReachesThem) {
  const std::string deep = chain(20, "q$0 if q$1") + "q20 if count([]) == 0\n";
  EXPECT_EQ(error_of(deep + chain(2, "h$0(_) := 0 if q0 with count as h$1") + "h2(_) := 0\n"), "");
  EXPECT_NE(
      error_of(deep + chain(40, "h$0(_) := 0 if q0 with count as h$1") + "h40(_) := 0\n").find("rules in a chain"),
      std::string::npos);
}

std::string times(int count, const std::string& text) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// Operators in a row are as deep for the parser as brackets inside each other, and 15,000 of them ended the process.
TEST(PolicyLanguageAbuse, LongExpressionsAreRefused) {
  for (const int count : {15'000, 200}) {
    for (const std::string& rules :
         {"x := " + times(count, "1 +\n") + "1", "x := " + times(count, "{1} &\n") + "{1}",
          "x if 1 " + times(count, "< 1\n"), "x := " + times(count, "-\n") + "1",
          "x if { y := " + times(count, "{1} |\n") + "{1} }", "x if 1 " + times(count, "in [1]\n"),
          "x := f(" + times(count, "1 * ") + "1)\nf(y) := y"}) {
      EXPECT_NE(error_of(rules + "\n").find("characters of operators"), std::string::npos) << rules.substr(0, 20);
    }
  }
  EXPECT_EQ(value_of("x := " + times(100, "1 +\n") + "1\n"), "101");
  EXPECT_EQ(value_of("x if {\n" + times(500, "  1 + 1 != -1\n") + "}\n"), "true") << "each line has its own";
  EXPECT_EQ(value_of("x := count([" + times(500, "1 - -1,\n") + "2])\n"), "501");
}

// v0 without its import takes `if` for the name of a rule, and `allow` before it for one that is always true.
TEST(PolicyLanguageAbuse, ARuleOfV1IsNotReadAsTwoOfV0) {
  for (const char* rule : {"allow if { input.x == 1 }", "allow if input.x == 1", "allow := true if { input.x == 1 }",
                           "allow = true if input.x == 1", "allow if input.x == 1 else := true if { input.y }",
                           "allow { input.x == 1 } else = true if { false }"}) {
    const auto error =
        check({{"p.rego", std::string("package p\n") + rule + "\ndeny[msg] { input.y; msg := \"no\" }\n"}});
    ASSERT_TRUE(error) << rule;
    EXPECT_EQ(error->file, "p.rego");
  }
  EXPECT_FALSE(check(
      {{"p.rego",
        "package p\nimport future.keywords.if\nallow if { input.x == 1 }\ndeny[msg] { input.y; msg := \"no\" }\n"}}));
}

}  // namespace
}  // namespace sallyport::policy
