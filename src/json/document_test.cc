#include "json/document.h"

#include <gtest/gtest.h>

namespace sallyport::json {
namespace {

std::string fault(std::string_view text) {
  const auto document = read(text);
  return document ? "accepted" : document.error().detail;
}

TEST(JsonDocument, GivesValuesByKind) {
  const auto d =
      read(R"( {"n":null,"t":true,"i":-7,"u":18446744073709551615,"r":1.5e3,"s":"h\u00e9\n","a":[1,[2],{}],"e":""} )");
  ASSERT_TRUE(d) << d.error().detail;
  const Value root = d->root();
  EXPECT_EQ(root.size(), 8U);
  EXPECT_TRUE(root.find("n")->is_null());
  EXPECT_EQ(root.find("t")->as_bool(), true);
  EXPECT_EQ(root.find("i")->as_int64(), -7);
  EXPECT_EQ(root.find("i")->as_uint64(), std::nullopt);
  EXPECT_EQ(root.find("u")->as_uint64(), UINT64_MAX);
  EXPECT_EQ(root.find("u")->as_int64(), std::nullopt);
  EXPECT_EQ(root.find("r")->as_double(), 1500.0);
  EXPECT_EQ(root.string_at("s"), "h\xC3\xA9\n");
  EXPECT_EQ(root.string_at("e"), "");
  EXPECT_EQ(root.find("a")->raw(), "[1,[2],{}]");
  EXPECT_FALSE(root.find("missing"));
  EXPECT_FALSE(root.find("a")->find("x"));
}

TEST(JsonDocument, WalksMembersAndElements) {
  const auto d = read(R"([{"a\u0062":1,"c":[]},{},[[]],"x"])");
  ASSERT_TRUE(d);
  std::string seen;
  for (const Value element : d->root().elements()) {
    seen += element.raw();
    for (const auto [key, value] : element.members())
      seen.append("<").append(key).append("=").append(value.raw()).append(">");
    seen += ' ';
  }
  EXPECT_EQ(seen, R"({"a\u0062":1,"c":[]}<ab=1><c=[]> {} [[]] "x" )");
}

TEST(JsonDocument, FindsAnEscapedKeyDecoded) {
  const auto d = read(R"({"me\u0074hod":"tools/call"})");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->root().string_at("method"), "tools/call");
}

TEST(JsonDocument, MinifiesWithoutTouchingStringsOrNumbers) {
  const auto d = read(" { \"a\" :\r\n [ 1.0 , 1e2,\t\" x \\n \" ] , \"b\":{ } }\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->text(), R"({"a":[1.0,1e2," x \n "],"b":{}})");
  EXPECT_EQ(d->root().find("a")->raw(), R"([1.0,1e2," x \n "])");
}

TEST(JsonDocument, SurvivesBeingMoved) {
  auto d = read(R"({"k":"v"})");
  ASSERT_TRUE(d);
  const Value root = d->root();
  const Document moved = std::move(*d);
  EXPECT_EQ(root.string_at("k"), "v");
  EXPECT_EQ(moved.root().string_at("k"), "v");
}

TEST(JsonDocument, DefaultsToNull) {
  EXPECT_TRUE(Document().root().is_null());
  EXPECT_TRUE(Value().is_null());
  EXPECT_EQ(Value().raw(), "null");
  EXPECT_EQ(Document().text(), "null");
}

TEST(JsonDocument, NamesOffsetAndPathOfAFault) {
  EXPECT_EQ(fault(R"({"a":{"b/c":[1,tru]}})"), R"(JSON: expected a value at offset 15, path "/a/b~1c/1")");
  EXPECT_EQ(fault(R"({"a":1,})"), R"(JSON: expected a key at offset 7, path "")");
  EXPECT_EQ(fault(R"({"a":[1,2)"), R"(JSON: the text ends inside a container at offset 9, path "/a/2")");
}

TEST(JsonDocument, RefusesNumbersOutOfRangeWithTheirPath) {
  for (const char* number :
       {"1e999", "-1e400", "18446744073709551616", "-9223372036854775809", "1e99999999999999999999"}) {
    const auto d = read(R"({"x":[0,)" + std::string(number) + "]}");
    ASSERT_FALSE(d) << number;
    EXPECT_EQ(d.error().code, Code::invalid_request);
    EXPECT_TRUE(d.error().detail.contains("out of range")) << d.error().detail;
    EXPECT_TRUE(d.error().detail.contains("\"/x/1\"")) << d.error().detail;
  }
}

TEST(JsonDocument, AcceptsNumbersAtTheEdgeOfTheRange) {
  const auto d =
      read("[9223372036854775807,-9223372036854775808,18446744073709551615,1.7976931348623157e308,1e-999,-0,0e9999]");
  ASSERT_TRUE(d) << d.error().detail;
}

TEST(JsonDocument, KeepsUpstreamNumbersAsTokens) {
  const auto d = read_upstream_document("[1e999, 1208925819614629174706176, 1.0]");
  ASSERT_TRUE(d) << d.error().detail;
  EXPECT_EQ(d->text(), "[1e999,1208925819614629174706176,1.0]");
  std::string kinds;
  for (const Value v : d->root().elements()) kinds += v.kind() == Kind::big_number ? 'b' : 'r';
  EXPECT_EQ(kinds, "bbr");
  EXPECT_FALSE(read_upstream("[01]"));
  EXPECT_FALSE(read_upstream("[1.]"));
  EXPECT_FALSE(read_upstream("[NaN]"));
}

TEST(JsonDocument, KeepsItsLimits) {
  EXPECT_EQ(read("[1,2,3]", {.bytes_max = 6}).error().code, Code::body_too_large);
  EXPECT_TRUE(read("[1,2,3]", {.bytes_max = 7}));
  EXPECT_FALSE(read("[1,2,3]", {.nodes_max = 3}));
  EXPECT_TRUE(read("[1,2,3]", {.nodes_max = 4}));
  EXPECT_FALSE(read("[[[]]]", {.depth_max = 2}));
  EXPECT_TRUE(read("[[]]", {.depth_max = 2}));
}

TEST(JsonDocument, ReadsTheSmallCasesOfEveryKind) {
  for (const char* good :
       {"0", "-0", "\"\"", "[]", "{}", "true", " null ", "[1,2]", R"(["\ud834\udd1e"])", R"(["\/\b\f"])"}) {
    EXPECT_TRUE(read(good)) << good;
  }
  for (const char* bad : {"",           " ",
                          "01",         "-",
                          "+1",         ".5",
                          "1.",         "1e",
                          "1e+",        "nul",
                          "tru e",      "[",
                          "]",          "[1,]",
                          "[,1]",       "[1 2]",
                          "{",          "{\"a\"}",
                          "{\"a\":}",   "{a:1}",
                          "{\"a\":1,}", "\"",
                          "\"\\x\"",    "\"\\u12\"",
                          "\"\\",       "'a'",
                          "1 2",        "{} {}",
                          "\"a\tb\"",   "[1]x",
                          "// c\n1",    "NaN",
                          "Infinity",   "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(read(bad)) << bad;
    EXPECT_FALSE(read_upstream(bad)) << bad;
  }
}

}  // namespace
}  // namespace sallyport::json
