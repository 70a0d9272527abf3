#include "request/response_guard/response_guard.h"

#include <gtest/gtest.h>

#include "engines/schema/schema.h"

namespace sallyport {
namespace {

ToolRecord tool(std::string_view output = {}) {
  ToolRecord out;
  if (!output.empty()) out.output = schema::Schema::compile(output).value();
  return out;
}

Code refused(const ToolRecord& of, std::string_view result) {
  const auto guarded = guard_tool_result(of, result);
  EXPECT_FALSE(guarded.has_value()) << result;
  return guarded ? Code::count_ : guarded.error().code;
}

TEST(ResponseGuard, LetsOrdinaryResultsThrough) {
  for (const std::string_view result :
       {R"({"content":[]})", R"({"content":[{"type":"text","text":"5"}]})", R"({"content":[],"isError":true})",
        R"({"structuredContent":{"sum":5}})", R"({"content":[{"type":"a kind of tomorrow"}],"_meta":{}})"}) {
    EXPECT_TRUE(guard_tool_result(tool(), result).has_value()) << result;
  }
  EXPECT_TRUE(guard_result(R"({"contents":[]})").has_value());
}

TEST(ResponseGuardAbuse, WhatIsNoResultIsRefused) {
  for (const std::string_view result : {"[]", "7", "null", "\"text\"", "{}", R"({"content":{}})", R"({"content":"x"})",
                                        R"({"content":[7]})", R"({"content":[{}]})", R"({"content":[[]]})", R"({"content":null})"}) {
    EXPECT_EQ(refused(tool(), result), Code::upstream_protocol) << result;
  }
  EXPECT_FALSE(guard_result("[]").has_value());
}

TEST(ResponseGuard, StructuredContentFitsTheOutputSchema) {
  const auto sum = tool(R"({"type":"object","properties":{"sum":{"type":"number"}},"required":["sum"]})");
  EXPECT_TRUE(guard_tool_result(sum, R"({"content":[],"structuredContent":{"sum":5}})").has_value());
  EXPECT_EQ(refused(sum, R"({"content":[],"structuredContent":{"sum":"5"}})"), Code::output_invalid);
  EXPECT_EQ(refused(sum, R"({"content":[],"structuredContent":{}})"), Code::output_invalid);
  EXPECT_EQ(refused(sum, R"({"content":[]})"), Code::output_invalid);
  EXPECT_TRUE(guard_tool_result(sum, R"({"content":[],"isError":true})").has_value());  // MCP 2025-06-18, tools: errors carry text
}

TEST(ResponseGuardAbuse, AKeyInDisguiseIsTheSameKey) {
  const auto sum = tool(R"({"type":"object","required":["sum"]})");
  EXPECT_EQ(refused(sum, R"({"content":[],"structured\u0043ontent":{}})"), Code::output_invalid);
  EXPECT_EQ(refused(sum, R"({"c\u006fntent":[7],"structuredContent":{"sum":1}})"), Code::upstream_protocol);
  EXPECT_EQ(refused(sum, R"({"content":[],"isError":"true"})"), Code::output_invalid);  // a string is not true
}

}  // namespace
}  // namespace sallyport
