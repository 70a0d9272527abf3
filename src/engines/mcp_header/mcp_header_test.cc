#include "engines/mcp_header/mcp_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace sallyport::mcp_header {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Headers of a request as the HTTP reader gives them: names in lower case, in order.
Lookup lookup(std::multimap<std::string, std::string, std::less<>> headers) {
  const auto kept = std::make_shared<decltype(headers)>(std::move(headers));
  return [kept](std::string_view name) {
    std::vector<std::string_view> out;
    const auto [begin, end] = kept->equal_range(name);
    for (auto at = begin; at != end; ++at) out.emplace_back(at->second);
    return out;
  };
}

constexpr const char* kEmpty = "=?base64?\x3f=";  // not spelled out: it holds a trigraph

Params annotated(const std::string& type) {
  return read_schema(R"({"type":"object","properties":{"v":{"type":")" + type + R"(","x-mcp-header":"V"}}})");
}

TEST(McpHeader, ASchemaWithoutAnnotationsAsksForNothing) {
  const Params params = read_schema(R"({"type":"object","properties":{"a":{"type":"string"}}})");
  EXPECT_THAT(params.params, IsEmpty());
  EXPECT_EQ(params.invalid, "");
}

TEST(McpHeader, ReadsAnnotationsAtAnyDepthOfProperties) {
  const Params params =
      read_schema(R"({"properties":{"region":{"type":"string","x-mcp-header":"Region"},)"
                  R"("deep":{"type":"object","properties":{"a.b":{"type":"integer","x-mcp-header":"Deep-N"}}},)"
                  R"("x-mcp-header":{"type":"boolean","x-mcp-header":"Flag"}}})");
  ASSERT_EQ(params.invalid, "");
  ASSERT_EQ(params.params.size(), 3U);
  EXPECT_EQ(params.params[0].header, "Region");
  EXPECT_THAT(params.params[0].path, ElementsAre("region"));
  EXPECT_EQ(params.params[1].type, Type::integer);
  EXPECT_THAT(params.params[1].path, ElementsAre("deep", "a.b"));
  EXPECT_EQ(params.params[2].type, Type::boolean);  // a property of that name is no annotation, its own is
}

TEST(McpHeader, DataThatLooksLikeAnAnnotationIsNone) {
  const Params params =
      read_schema(R"({"properties":{"a":{"type":"object","default":{"x-mcp-header":""},"const":{"x-mcp-header":1},)"
                  R"("enum":[{"x-mcp-header":2}],"examples":[{"x-mcp-header":3}]}}})");
  EXPECT_EQ(params.invalid, "");
  EXPECT_THAT(params.params, IsEmpty());
}

// The table of the specification, Value Encoding.
TEST(McpHeader, EncodesAsTheSpecificationsExamples) {
  EXPECT_EQ(encode("us-west1"), "us-west1");
  EXPECT_EQ(encode("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
  EXPECT_EQ(encode(" padded "), "=?base64?IHBhZGRlZCA=?=");
  EXPECT_EQ(encode("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
  EXPECT_EQ(encode("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
  EXPECT_EQ(encode(""), kEmpty);  // an empty field is dropped on some ways
  EXPECT_EQ(encode("two words"), "two words");
}

TEST(McpHeader, DecodesWhatItEncodes) {
  for (const std::string value : {"", "a", "ab", "abc", " a", "a ", "\t", "a\r\nX: y", "=?base64?=", kEmpty, "世界",
                                  "\xff\xfe", "=?BASE64?YQ==?=", "a=?base64?YQ==?="}) {
    const std::string sent = encode(value);
    EXPECT_EQ(sent.find_first_of("\r\n"), std::string::npos) << value;
    EXPECT_EQ(decode(sent).value_or("failed"), value);
  }
}

TEST(McpHeader, OuterBlanksOfAFieldAreNoPartOfIt) {
  EXPECT_EQ(decode(" \t us-west1 ").value(), "us-west1");
  EXPECT_EQ(decode("  =?base64?YQ==?= ").value(), "a");
}

TEST(McpHeader, WithoutBothMarkersItIsALiteral) {
  for (const std::string value : {"=?base64?YQ==", "YQ==?=", "=?Base64?YQ==?=", "=?base64YQ==?=", "base64"}) {
    EXPECT_EQ(decode(value).value(), value);
  }
}

TEST(McpHeader, MakesAHeaderForEachValueThatIsThere) {
  const Params params = read_schema(
      R"({"properties":{"s":{"type":"string","x-mcp-header":"S"},"n":{"type":"integer","x-mcp-header":"N"},)"
      R"("b":{"type":"boolean","x-mcp-header":"B"},"o":{"properties":{"i":{"type":"string","x-mcp-header":"O-I"}}}}})");
  EXPECT_THAT(make(params, R"({"s":"é","n":-7,"b":false,"o":{"i":"x"}})"),
              ElementsAre(Pair("Mcp-Param-S", "=?base64?w6k=?="), Pair("Mcp-Param-N", "-7"),
                          Pair("Mcp-Param-B", "false"), Pair("Mcp-Param-O-I", "x")));
  EXPECT_THAT(make(params, R"({"s":null,"o":{}})"), IsEmpty());
  EXPECT_THAT(make(params, R"({"o":"no object"})"), IsEmpty());
  EXPECT_THAT(make(params, "{}"), IsEmpty());
}

TEST(McpHeader, IntegersAreWrittenInDecimal) {
  const Params params = annotated("integer");
  const std::map<std::string, std::string> forms{
      {"42", "42"}, {"42.0", "42"}, {"4.2e1", "42"}, {"-0", "0"}, {"9007199254740991", "9007199254740991"}};
  for (const auto& [raw, text] : forms) {
    EXPECT_THAT(make(params, R"({"v":)" + raw + "}"), ElementsAre(Pair("Mcp-Param-V", text))) << raw;
  }
  for (const std::string raw : {"9007199254740992", "-9007199254740992", "1.5", "1e400", "\"42\"", "true"}) {
    EXPECT_THAT(make(params, R"({"v":)" + raw + "}"), IsEmpty()) << raw;
  }
}

TEST(McpHeader, AgreesWithWhatItMakes) {
  const Params params = read_schema(
      R"({"properties":{"s":{"type":"string","x-mcp-header":"S"},"n":{"type":"integer","x-mcp-header":"N"}}})");
  const std::string arguments = R"({"s":" 世界","n":42})";
  std::multimap<std::string, std::string, std::less<>> sent;
  for (const auto& [name, value] : make(params, arguments)) {
    sent.emplace(name == "Mcp-Param-S" ? "mcp-param-s" : "mcp-param-n", value);
  }
  EXPECT_TRUE(check(params, arguments, lookup(sent)));
}

TEST(McpHeader, IntegersCompareAsNumbers) {
  const Params params = annotated("integer");
  for (const std::string said : {"42", "42.0", "42.000", " 42 ", "=?base64?NDI=?="}) {
    EXPECT_TRUE(check(params, R"({"v":42})", lookup({{"mcp-param-v", said}}))) << said;
  }
  EXPECT_TRUE(check(params, R"({"v":42.0})", lookup({{"mcp-param-v", "42"}})));
  EXPECT_TRUE(check(params, R"({"v":0})", lookup({{"mcp-param-v", "-0"}})));
}

TEST(McpHeader, WhatHasNoValueWantsNoHeader) {
  for (const std::string arguments : {"{}", R"({"v":null})"}) {
    EXPECT_TRUE(check(annotated("string"), arguments, lookup({})));
  }
  EXPECT_TRUE(check(annotated("string"), R"({"v":"a"})", lookup({{"mcp-param-v", "a"}, {"mcp-param-other", "b"}})));
}

TEST(McpHeader, StandardHeadersSayWhatTheBodySays) {
  EXPECT_TRUE(check_one("Mcp-Method", "tools/call", lookup({{"mcp-method", " tools/call "}})));
  EXPECT_TRUE(check_one("MCP-Protocol-Version", "2026-07-28", lookup({{"mcp-protocol-version", "2026-07-28"}})));
  EXPECT_TRUE(check_one("Mcp-Name", "世界", lookup({{"mcp-name", encode("世界")}})));
}

}  // namespace
}  // namespace sallyport::mcp_header
