#include "json/writer.h"

#include <gtest/gtest.h>

#include "json/canonical.h"
#include "json/document.h"

namespace sallyport::json {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

TEST(JsonWriter, EscapesWhatCouldBreakOut) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01/"), R"("a\"b\\c\n\r\t\u0001/")");
  EXPECT_EQ(quoted("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA"), "\"\\u2028\\u2029\xE2\x80\xAA\"");
  EXPECT_EQ(quoted("h\xC3\xA9\xF0\x9D\x84\x9E"), "\"h\xC3\xA9\xF0\x9D\x84\x9E\"");
}

TEST(JsonWriter, ReplacesBadUtf8) {
  for (const char* bad : {"\xFF", "\xC0", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\xC3"}) {
    const std::string text = quoted(bad);
    EXPECT_TRUE(read(text)) << text;
    EXPECT_TRUE(text.contains("\xEF\xBF\xBD"));
  }
}

TEST(JsonWriter, PutsCommasAndColons) {
  Writer w;
  w.object().member("s", "x").member("b", true).member("i", -3).member("u", 7U).member("d", 0.5).key("n").null();
  w.key("a").array().value(1).object().end_object().array().end_array().raw("[2]").end_array();
  w.member_raw("r", "{}").member("sv", std::string("y")).end_object();
  EXPECT_EQ(w.take(), R"({"s":"x","b":true,"i":-3,"u":7,"d":0.5,"n":null,"a":[1,{},[],[2]],"r":{},"sv":"y"})");
}

TEST(JsonWriter, WritesNoNumberThatIsNone) {
  Writer w;
  w.array().value(std::numeric_limits<double>::infinity()).value(std::numeric_limits<double>::quiet_NaN()).end_array();
  EXPECT_EQ(w.text(), "[null,null]");
}

std::string canonical_of(std::string_view text) {
  const auto d = read_upstream_document(text);
  return d ? canonical(d->root()) : d.error().detail;
}

// The example of RFC 8785 3.2.2 and 3.2.3.
TEST(JsonCanonical, FollowsTheRfc) {
  EXPECT_EQ(canonical_of(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],)"
                         R"("string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})"),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  EXPECT_EQ(
      canonical_of(R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})"),
      "{\"\\r\":2,\"1\":4,\"\xC2\x80\":6,\"\xC3\xB6\":7,\"\xE2\x82\xAC\":1,\"\xF0\x9F\x98\x80\":5,\"\xEF\xAC\xB3\":3}");
}

TEST(JsonCanonical, KeepsNumbersApart) {
  EXPECT_EQ(canonical_of("[1.0,1,-0,0.0,100,1e2,123e18,1e21,1e-7,0.000001,-1.5]"),
            "[1,1,0,0,100,100,123000000000000000000,1e+21,1e-7,0.000001,-1.5]");
  EXPECT_NE(canonical_of("9007199254740993"), canonical_of("9007199254740992"));
  EXPECT_EQ(canonical_of("1e999"), "1e999");
}

TEST(JsonPretty, IndentsByTwo) {
  EXPECT_EQ(pretty(R"({"a":[1,{"b":"{,:}"}],"c":{},"d":[]})"),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"{,:}\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
}

}  // namespace
}  // namespace sallyport::json
