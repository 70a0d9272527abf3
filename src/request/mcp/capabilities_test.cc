#include "request/mcp/capabilities.h"

#include <gtest/gtest.h>

namespace sallyport::mcp {
namespace {

constexpr auto kL2 = Revision::r2025_03_26;
constexpr auto kL4 = Revision::r2025_11_25;
const std::vector<std::string> kAll{"elicitation", "sampling", "roots"};

TEST(Capabilities, WhatIsForwardedIsWhatBothAllow) {
  constexpr std::string_view kDeclared =
      R"({"roots":{"listChanged":true},"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"tasks":{},"x":1})";
  EXPECT_EQ(forwarded_capabilities(kDeclared, kAll, kModern),
            R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})");
  EXPECT_EQ(forwarded_capabilities(kDeclared, {"sampling"}, kModern), R"({"sampling":{"tools":{}}})");
  EXPECT_EQ(forwarded_capabilities(kDeclared, {}, kModern), "{}");
  EXPECT_EQ(forwarded_capabilities("{}", kAll, kModern), "{}");
  EXPECT_EQ(forwarded_capabilities("", kAll, kModern), "{}");
}

TEST(Capabilities, ElicitationCameWith20250618) {
  EXPECT_EQ(forwarded_capabilities(R"({"elicitation":{},"sampling":{}})", kAll, kL2), R"({"sampling":{}})");
}

TEST(Capabilities, WhatIsNoObjectIsNotDeclared) {
  EXPECT_EQ(forwarded_capabilities(R"({"elicitation":true,"sampling":[],"roots":null})", kAll, kL4), "{}");
  EXPECT_FALSE(can_answer(R"({"sampling":true})", "sampling/createMessage", ""));
}

TEST(Capabilities, AnEmptyElicitationMeansForms) {
  constexpr std::string_view kAsk = "elicitation/create", kUrl = R"({"mode":"url"})";
  EXPECT_TRUE(can_answer(R"({"elicitation":{}})", kAsk, "{}"));
  EXPECT_TRUE(can_answer(R"({"elicitation":{}})", kAsk, R"({"mode":"form"})"));
  EXPECT_FALSE(can_answer(R"({"elicitation":{}})", kAsk, kUrl));
  EXPECT_FALSE(can_answer(R"({"elicitation":{"url":{}}})", kAsk, "{}"));
  EXPECT_TRUE(can_answer(R"({"elicitation":{"url":{}}})", kAsk, kUrl));
}

TEST(Capabilities, SamplingWithToolsIsDeclaredByItself) {
  constexpr std::string_view kAsk = "sampling/createMessage";
  EXPECT_TRUE(can_answer(R"({"sampling":{}})", kAsk, R"({"messages":[]})"));
  EXPECT_FALSE(can_answer(R"({"sampling":{}})", kAsk, R"({"tools":[]})"));
  EXPECT_FALSE(can_answer(R"({"sampling":{}})", kAsk, R"({"toolChoice":{}})"));
  EXPECT_TRUE(can_answer(R"({"sampling":{"tools":{}}})", kAsk, R"({"tools":[]})"));
}

TEST(Capabilities, NothingElseIsAsked) {
  for (const auto* method : {"ping", "tools/call", "", "elicitation/create "}) {
    EXPECT_FALSE(can_answer(R"({"elicitation":{},"sampling":{},"roots":{},"ping":{}})", method, "{}")) << method;
  }
}

// A client's roots would replace the folders of a server, asked for or not.
TEST(Capabilities, AnswersOfAKindThatIsNotForwardedDoNotPass) {
  constexpr std::string_view kEach =
      R"({"a":{"action":"accept","content":{}},"b":{"ro\u006fts":[{"uri":"file:///etc"}]},"c":{"role":"assistant","model":"m"},"d":{}})";
  EXPECT_EQ(allowed_responses(kEach, R"({"elicitation":{}})"), R"({"a":{"action":"accept","content":{}}})");
  EXPECT_EQ(allowed_responses(kEach, R"({"sampling":{}})"), R"({"c":{"role":"assistant","model":"m"},"d":{}})");
  EXPECT_EQ(allowed_responses(kEach, R"({"elicitation":{},"sampling":{},"roots":{}})"), kEach);
  EXPECT_EQ(allowed_responses(kEach, "{}"), "");
  EXPECT_EQ(allowed_responses(R"({"x":{"action":"accept","roots":[]}})", R"({"elicitation":{}})"),
            "");  // two kinds at once
  EXPECT_EQ(allowed_responses("", "{}"), "");
}

// MCP 2026-07-28: -32021 names what was missing, as it would have been declared.
TEST(Capabilities, WhatARefusedQuestionNeeded) {
  EXPECT_EQ(required_capabilities("roots/list", ""), R"({"roots":{}})");
  EXPECT_EQ(required_capabilities("elicitation/create", R"({"mode":"url"})"), R"({"elicitation":{"url":{}}})");
  EXPECT_EQ(required_capabilities("sampling/createMessage", R"({"tools":[]})"), R"({"sampling":{"tools":{}}})");
}

}  // namespace
}  // namespace sallyport::mcp
