// Schemas from hostile tool servers and arguments from hostile callers (issue 2, done-when 4).
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

#include "engines/schema/schema.h"
#include "json/document.h"

namespace sallyport::schema {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kSlow = 20;
#else
constexpr int kSlow = 1;
#endif
#endif

struct Timed {
  std::optional<Violation> violation;
  std::chrono::milliseconds took{};
};

Timed validate(const std::string& schema_text, const std::string& instance) {
  const auto schema = Schema::compile(schema_text);
  EXPECT_TRUE(schema) << schema.error().detail;
  const auto document = json::read(instance);
  EXPECT_TRUE(document) << document.error().detail;
  if (!schema || !document) return {Violation{"", "test", ""}};
  const std::clock_t start = std::clock();  // of the processor: another's load is no fault of ours
  auto violation = (*schema)->validate(document->root());
  return {std::move(violation), std::chrono::milliseconds((std::clock() - start) * 1000 / CLOCKS_PER_SEC)};
}

std::string compile_error(const std::string& schema_text) {
  const auto schema = Schema::compile(schema_text);
  return schema ? "compiled" : schema.error().detail;
}

void expect_quick(const Timed& timed, int milliseconds) { EXPECT_LE(timed.took.count(), milliseconds * kSlow); }

TEST(SchemaAbuse, AlternationOver20000CharactersIsLinear) {
  const auto hit = validate(R"({"pattern":"^(a|b)*$"})", '"' + std::string(20'000, 'a') + '"');
  EXPECT_FALSE(hit.violation);
  expect_quick(hit, 20);
  const auto miss = validate(R"({"pattern":"^(a|b)*$"})", '"' + std::string(20'000, 'a') + "c\"");
  ASSERT_TRUE(miss.violation);
  EXPECT_EQ(miss.violation->keyword, "pattern");
  expect_quick(miss, 20);
}

TEST(SchemaAbuse, TwoHundredKilobytesAgainstAClassDoNotCrash) {
  const auto hit = validate(R"({"pattern":"^[a-z]+$"})", '"' + std::string(200'000, 'q') + '"');
  EXPECT_FALSE(hit.violation);
  expect_quick(hit, 50);
}

TEST(SchemaAbuse, NestedQuantifiersDoNotBacktrack) {
  const auto miss = validate(R"({"pattern":"^(a+)+$"})", '"' + std::string(30, 'a') + "!\"");
  EXPECT_TRUE(miss.violation);
  expect_quick(miss, 10);
}

TEST(SchemaAbuse, PatternsBeyondRe2AreShownAndNeverRun) {
  for (const char* pattern : {"^(?=.*[a-z]).+$", R"(^(a)\\1$)", "(?<!x)y", "[]", "a{1,5000}", R"(\\q)"}) {
    const auto schema = Schema::compile(R"({"pattern":")" + std::string(pattern) + "\"}");
    ASSERT_TRUE(schema) << pattern;
    EXPECT_EQ((*schema)->not_enforced().size(), 1U) << pattern;
    EXPECT_FALSE((*schema)->validate(json::read("\"zz\"")->root())) << pattern;
  }
}

TEST(SchemaAbuse, ReferenceCyclesDoNotCompile) {
  for (const char* text :
       {R"({"$ref":"#"})", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"})",
        R"({"allOf":[{"not":{"$ref":"#"}}]})", R"({"if":true,"then":{"$ref":"#"}})",
        R"({"dependentSchemas":{"a":{"$ref":"#"}}})", R"({"$dynamicAnchor":"x","anyOf":[{"$dynamicRef":"#x"}]})"}) {
    EXPECT_TRUE(compile_error(text).contains("go round")) << text << compile_error(text);
  }
  EXPECT_EQ(compile_error(R"({"properties":{"next":{"$ref":"#"}},"items":{"$ref":"#"}})"), "compiled");
}

std::string doubled_references(int levels, const std::string& keyword) {
  std::string text = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < levels; ++i) {
    const std::string next = R"({"title":"1","$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    const std::string twin = R"({"title":"2","$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    text += "\"d" + std::to_string(i) + "\":{\"" + keyword + "\":[" + next + "," + twin + "]},";
  }
  return text + "\"d" + std::to_string(levels) + "\":{\"type\":\"string\"}}}";
}

TEST(SchemaAbuse, DoubledReferencesEndInTheBudget) {
  for (const char* keyword : {"allOf", "anyOf", "oneOf"}) {
    const bool fails_early = std::string_view(keyword) == "allOf";
    const auto timed = validate(doubled_references(40, keyword), fails_early ? "\"s\"" : "1");
    ASSERT_TRUE(timed.violation) << keyword;
    EXPECT_EQ(timed.violation->keyword, "budget") << keyword;
    expect_quick(timed, 50);
  }
}

TEST(SchemaAbuse, UniqueItemsOver10000ObjectsIsQuick) {
  std::string items = "[";
  for (int i = 0; i < 10'000; ++i) items += R"({"id":)" + std::to_string(i) + R"(,"name":"same for all of them"},)";
  const auto unique = validate(R"({"uniqueItems":true})", items + "0]");
  EXPECT_FALSE(unique.violation);
  expect_quick(unique, 50);
  const auto repeated = validate(R"({"uniqueItems":true})", items + R"({"name":"same for all of them","id":5e3}])");
  ASSERT_TRUE(repeated.violation);
  EXPECT_EQ(repeated.violation->keyword, "uniqueItems");
}

TEST(SchemaAbuse, DeepNestingIsRefusedOrPasses) {
  const auto nest = [](int levels, const std::string& open, const std::string& inner, const std::string& close) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += open;
    text += inner;
    for (int i = 0; i < levels; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(compile_error(nest(5'000, R"({"not":)", "true", "}")).contains("nested too deeply"));
  EXPECT_FALSE(validate(R"({"items":{"$ref":"#"}})", nest(60, "[", "1", "]")).violation);
  // A chain of references longer than the stack would bear.
  std::string chain = R"({"$ref":"#/$defs/c0","$defs":{)";
  for (int i = 0; i < 9'000; ++i)
    chain += "\"c" + std::to_string(i) + R"(":{"$ref":"#/$defs/c)" + std::to_string(i + 1) + "\"},";
  const auto timed = validate(chain + R"("c9000":true}})", "1");
  ASSERT_TRUE(timed.violation);
  EXPECT_EQ(timed.violation->keyword, "budget");
}

TEST(SchemaAbuse, HugeEnumAndHugeInstanceStayInBudget) {
  std::string choices = "[";
  for (int i = 0; i < 50'000; ++i) choices += "\"v" + std::to_string(i) + "\",";
  const std::string schema = R"({"items":{"enum":)" + choices + R"({"o":1}]}})";
  const auto found = validate(schema, R"(["v7","v49999",{"o":1.0}])");
  EXPECT_FALSE(found.violation);
  expect_quick(found, 5);
  EXPECT_TRUE(validate(schema, R"(["v50000"])").violation);
}

// A long list of required names against a long list of members would be a product.
TEST(SchemaAbuse, ManyPropertiesAgainstManyMembersIsNoProduct) {
  std::string names, members;
  for (int i = 0; i < 20'000; ++i) {
    names += (i ? ",\"k" : "\"k") + std::to_string(i) + '"';
    members += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  }
  const auto timed = validate(R"({"required":[)" + names + "]}", "{" + members + "}");
  EXPECT_FALSE(timed.violation);
  expect_quick(timed, 50);
}

TEST(SchemaAbuse, ExternalReferencesAndUnknownDialectsDoNotCompile) {
  EXPECT_TRUE(compile_error(R"({"$ref":"http://example.com/s.json"})").contains("remote references are not followed"));
  EXPECT_TRUE(compile_error(R"({"$ref":"file:///etc/passwd"})").contains("remote references are not followed"));
  EXPECT_TRUE(compile_error(R"({"$ref":"#/$defs/none"})").contains("leads nowhere"));
  EXPECT_TRUE(compile_error(R"({"$ref":"#none"})").contains("does not exist"));
  EXPECT_TRUE(compile_error(R"({"$schema":"http://json-schema.org/draft-04/schema#"})").contains("draft-04"));
}

TEST(SchemaAbuse, MalformedKeywordsDoNotCompile) {
  for (const char* text : {R"({"type":"strin"})", R"({"minLength":-1})", R"({"minLength":1.5})", R"({"required":"a"})",
                           R"({"allOf":[]})", R"({"multipleOf":0})", R"({"properties":{"a":7}})",
                           R"({"exclusiveMinimum":true})", R"({"enum":1})", "[]", "7", "{", R"({"a":1,"a":2})"}) {
    EXPECT_NE(compile_error(text), "compiled") << text;
  }
  EXPECT_TRUE(compile_error(R"({"properties":{"a/b":{"items":{"type":"x"}}}})").contains("/properties/"))
      << "names the place";
}

TEST(SchemaAbuse, MessagesNamePathAndRuleButNotTheInstance) {
  const std::string secret(500, 's');
  const auto timed = validate(R"({"properties":{"a":{"items":{"properties":{"x/y":{"maxLength":3}}}}}})",
                              R"({"a":[{},{"x/y":")" + secret + "\"}]}");
  ASSERT_TRUE(timed.violation);
  EXPECT_EQ(timed.violation->path, "/a/1/x~1y");
  EXPECT_EQ(timed.violation->keyword, "maxLength");
  EXPECT_EQ(timed.violation->message, "must have at most 3 characters");
}

// Output validation sees numbers that no machine type holds (design, principle 4).
TEST(SchemaAbuse, BigNumbersFromUpstreamAreCompared) {
  const auto schema = Schema::compile(R"({"items":{"type":"integer","maximum":1e30,"multipleOf":7}})");
  ASSERT_TRUE(schema);
  const auto check = [&](const char* text) {
    return (*schema)->validate(json::read_upstream_document(text)->root()).has_value();
  };
  EXPECT_FALSE(check("[77777777777777777777777777]"));
  EXPECT_TRUE(check("[77777777777777777777777778]"));
  EXPECT_TRUE(check("[7e999]"));
  EXPECT_FALSE(check("[-7e999]"));
  EXPECT_TRUE(check("[7e-999999999999999999999]"));
}

}  // namespace
}  // namespace sallyport::schema
