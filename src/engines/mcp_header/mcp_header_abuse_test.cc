// Attacks by name: headers that say something else than the body, and definitions that try to write headers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/mcp_header/mcp_header.h"

namespace sallyport::mcp_header {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Lookup one(const std::string& name, std::vector<std::string> values) {
  const auto kept = std::make_shared<std::vector<std::string>>(std::move(values));
  return [kept, name](std::string_view asked) {
    if (asked != name) return std::vector<std::string_view>();
    return std::vector<std::string_view>(kept->begin(), kept->end());
  };
}

Params annotated(const std::string& type) {
  return read_schema(R"({"type":"object","properties":{"v":{"type":")" + type + R"(","x-mcp-header":"V"}}})");
}

struct Attack {
  std::string name, type, body;
  std::vector<std::string> said;
};

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> kAttacks{
      {"the body says another value", "string", R"({"v":"delete"})", {"read"}},
      {"another case of the value", "string", R"({"v":"delete"})", {"Delete"}},
      {"the header is left out", "string", R"({"v":"delete"})", {}},
      {"twice, the first right", "string", R"({"v":"a"})", {"a", "b"}},
      {"twice the same", "string", R"({"v":"a"})", {"a", "a"}},
      {"a list in one field", "string", R"({"v":"a"})", {"a, a"}},
      {"a header for no value", "string", "{}", {"a"}},
      {"an empty header for no value", "string", "{}", {""}},
      {"a header for null", "string", R"({"v":null})", {"null"}},
      {"a header for a list", "string", R"({"v":["a"]})", {"a"}},
      {"bad padding", "string", R"({"v":"a"})", {"=?base64?YQ=?="}},
      {"no padding", "string", R"({"v":"a"})", {"=?base64?YQ?="}},
      {"too much padding", "string", R"({"v":"a"})", {"=?base64?YQ====?="}},
      {"padding in the middle", "string", R"({"v":"aa"})", {"=?base64?YQ==YQ==?="}},
      {"stray bits", "string", R"({"v":"a"})", {"=?base64?YR==?="}},
      {"the URL alphabet", "string", "{\"v\":\"\xc3\xbf\xc3\xbf\"}", {"=?base64?w7_Dvw==?="}},
      {"a blank in base64", "string", R"({"v":"a"})", {"=?base64?YQ ==?="}},
      {"overlapping markers", "string", R"({"v":""})", {"=?base64?="}},
      {"overlapping markers as a literal", "string", R"({"v":"=?base64?="})", {"=?base64?="}},
      {"the encoded form as the value", "string", R"({"v":"=?base64?YQ==?="})", {"=?base64?YQ==?="}},
      {"upper-case markers", "string", R"({"v":"a"})", {"=?BASE64?YQ==?="}},
      {"encoded twice", "string", R"({"v":"a"})", {"=?base64?PT9iYXNlNjQ/WVE9PT89?="}},
      {"raw UTF-8", "string", "{\"v\":\"\xc3\xa9\"}", {"\xc3\xa9"}},
      {"a line break in the value", "string", R"({"v":"a\r\nX: y"})", {"a\r\nX: y"}},
      {"NUL", "string", R"({"v":"a\u0000b"})", {std::string("a\0b", 3)}},
      {"NUL cuts the comparison", "string", R"({"v":"a\u0000b"})", {"a"}},
      {"an outer blank that the body has", "string", R"({"v":"a "})", {"a "}},
      {"a bool in words", "boolean", R"({"v":true})", {"TRUE"}},
      {"a bool as a number", "boolean", R"({"v":true})", {"1"}},
      {"a number in a string", "integer", R"({"v":"42"})", {"42"}},
      {"another integer", "integer", R"({"v":42})", {"43"}},
      {"a fraction", "integer", R"({"v":42})", {"42.5"}},
      {"a fraction that rounds away", "integer", R"({"v":9007199254740991})", {"9007199254740991.4"}},
      {"an exponent", "integer", R"({"v":42})", {"4.2e1"}},
      {"a leading zero", "integer", R"({"v":42})", {"042"}},
      {"a plus sign", "integer", R"({"v":42})", {"+42"}},
      {"hexadecimal", "integer", R"({"v":42})", {"0x2a"}},
      {"an ending dot", "integer", R"({"v":42})", {"42."}},
      {"beyond 2^53: rounding makes equals", "integer", R"({"v":9007199254740993})", {"9007199254740992"}},
      {"beyond 2^53: even the same digits", "integer", R"({"v":9007199254740993})", {"9007199254740993"}},
      {"infinity", "integer", R"({"v":1e999})", {"Infinity"}},
  };
  return kAttacks;
}

TEST(McpHeaderAbuse, WhatTheHeaderSaysAndTheBodyDoesNotIsRefused) {
  for (const Attack& attack : attacks()) {
    const auto checked = check(annotated(attack.type), attack.body, one("mcp-param-v", attack.said));
    ASSERT_FALSE(checked) << attack.name;
    EXPECT_EQ(checked.error().code, Code::header_mismatch) << attack.name;
    EXPECT_EQ(checked.error().detail, "Mcp-Param-V") << attack.name;  // never the value
  }
}

TEST(McpHeaderAbuse, AnAnnotationAnywhereElseMakesTheToolInvalid) {
  const std::string a = R"({"type":"string","x-mcp-header":"A"})";
  for (const std::string& place :
       {R"({"type":"object","x-mcp-header":"A"})" + std::string(), R"({"properties":{"p":{"items":)" + a + "}}}",
        R"({"properties":{"p":{"prefixItems":[)" + a + "]}}}", R"({"properties":{"p":{"oneOf":[{},)" + a + "]}}}",
        R"({"anyOf":[{"properties":{"p":)" + a + "}}]}", R"({"allOf":[{"properties":{"p":)" + a + "}}]}",
        R"({"not":{"properties":{"p":)" + a + "}}}", R"({"if":{"properties":{"p":)" + a + "}}}",
        R"({"then":{"properties":{"p":)" + a + "}}}", R"({"else":{"properties":{"p":)" + a + "}}}",
        R"({"$defs":{"d":)" + a + R"(},"properties":{"p":{"$ref":"#/$defs/d"}}})", R"({"definitions":{"d":)" + a + "}}",
        R"({"additionalProperties":)" + a + "}", R"({"patternProperties":{"^x":)" + a + "}}",
        R"({"dependentSchemas":{"p":)" + a + "}}", R"({"dependencies":{"p":{"properties":{"q":)" + a + "}}}}",
        R"({"contains":)" + a + "}", R"({"propertyNames":)" + a + "}", R"({"unevaluatedProperties":)" + a + "}"}) {
    const Params params = read_schema(place);
    EXPECT_THAT(params.invalid, HasSubstr("properties alone")) << place;
    EXPECT_THAT(params.params, IsEmpty()) << place;
  }
}

TEST(McpHeaderAbuse, AnAnnotationThatIsNoHeaderNameMakesTheToolInvalid) {
  for (const std::string name : {R"("")", R"("a b")", R"("a:b")", R"("a\r\nX-Evil: 1")", R"("\u0000")", R"("é")",
                                 R"("a\u007f")", R"("a/b")", "7", "null", "{}", R"(["A"])"}) {
    const Params params = read_schema(R"({"properties":{"p":{"type":"string","x-mcp-header":)" + name + "}}}");
    EXPECT_NE(params.invalid, "") << name;
    EXPECT_THAT(params.params, IsEmpty()) << name;
    EXPECT_EQ(params.invalid.find_first_of("\r\n"), std::string::npos);
  }
}

TEST(McpHeaderAbuse, AnAnnotationInEscapesIsSeen) {
  EXPECT_NE(read_schema(R"({"x-mcp-h\u0065ader":"A"})").invalid, "");
  EXPECT_NE(read_schema(R"({"properties":{"p":{"type":"string","x-mcp-header":"\u0020"}}})").invalid, "");
}

TEST(McpHeaderAbuse, TypesWithoutOneTextAreRefused) {
  for (const std::string type :
       {R"("number")", R"("object")", R"("array")", R"("null")", R"(["string","null"])", "7"}) {
    EXPECT_NE(read_schema(R"({"properties":{"p":{"x-mcp-header":"A","type":)" + type + "}}}").invalid, "") << type;
  }
  EXPECT_NE(read_schema(R"({"properties":{"p":{"x-mcp-header":"A"}}})").invalid, "");
}

TEST(McpHeaderAbuse, TwoPropertiesCannotShareAHeader) {
  EXPECT_THAT(read_schema(R"({"properties":{"a":{"type":"string","x-mcp-header":"Same"},)"
                          R"("b":{"type":"string","x-mcp-header":"sAME"}}})")
                  .invalid,
              HasSubstr("twice"));
}

TEST(McpHeaderAbuse, WhatIsNoSchemaAsksForNothing) {
  EXPECT_THAT(read_schema("7").params, IsEmpty());
  EXPECT_NE(read_schema("{").invalid, "");
  EXPECT_NE(read_schema(R"({"a":1,"a":2})").invalid, "");
  EXPECT_THAT(read_schema(R"({"properties":["x-mcp-header"]})").params, IsEmpty());
  EXPECT_NE(read_schema(std::string(5000, '[') + std::string(5000, ']')).invalid, "");
}

TEST(McpHeaderAbuse, StandardHeadersThatDisagreeAreRefused) {
  for (const std::vector<std::string>& said : {std::vector<std::string>{},
                                               {"TOOLS/CALL"},
                                               {"tools/list"},
                                               {"tools/call", "tools/call"},
                                               {"tools/call", "tools/list"},
                                               {"=?base64?dG9vbHMvY2FsbA==?="},
                                               {""},
                                               {"tools/call\r\nX: y"},
                                               {"tools/call,tools/call"}}) {
    const auto checked = check_one("Mcp-Method", "tools/call", one("mcp-method", said));
    ASSERT_FALSE(checked) << (said.empty() ? "none" : said.front());
    EXPECT_EQ(checked.error().detail, "Mcp-Method");
  }
  EXPECT_FALSE(check_one("Mcp-Name", "a", one("mcp-name", {"=?base64?YQ=?="})));
  EXPECT_FALSE(check_one("Mcp-Name", "=?base64?YQ==?=", one("mcp-name", {"=?base64?YQ==?="})));
}

}  // namespace
}  // namespace sallyport::mcp_header
