#include "request/response_guard/redact.h"

#include <gtest/gtest.h>

#include <vector>

#include "json/document.h"

namespace sallyport {
namespace {

std::string shown(std::string_view result) {
  static const std::vector<std::string> kNames{"ssn", "salary"};
  std::string out = redact_result(result, kNames);
  EXPECT_TRUE(json::read_upstream_document(out)) << out;
  return out;
}

TEST(Redact, TakesMembersOutOfStructuredContentAtAnyDepth) {
  EXPECT_EQ(shown(R"({"content":[],"structuredContent":{"a":[{"ssn":"1"},{"b":{"salary":{"x":[1]}}}],"n":5}})"),
            R"({"content":[],"structuredContent":{"a":[{"ssn":"[redacted]"},{"b":{"salary":"[redacted]"}}],"n":5}})");
}

TEST(Redact, TakesThemOutOfTextThatIsJson) {
  EXPECT_EQ(shown(R"({"content":[{"type":"text","text":"{\"ssn\": \"1\", \"name\": \"Ada\"}"}]})"),
            R"({"content":[{"type":"text","text":"{\"ssn\":\"[redacted]\",\"name\":\"Ada\"}"}]})");
  EXPECT_EQ(shown(R"({"content":[{"type":"text","text":" [{\"ssn\":1}]"}]})"),
            R"({"content":[{"type":"text","text":"[{\"ssn\":\"[redacted]\"}]"}]})");
}

TEST(Redact, WhatCannotBeLookedIntoIsWithheld) {
  for (const char* text : {"ssn: 1", "", "7", "{broken", "[1,2", "\\\"ssn 1\\\"", "{\\\"ssn\\\":1}{\\\"ssn\\\":2}",
                           "{\\\"ssn\\\":1,\\\"ssn\\\":2}"}) {
    EXPECT_EQ(shown(R"({"content":[{"type":"text","text":")" + std::string(text) + R"("}]})"),
              R"({"content":[{"type":"text","text":"[redacted]"}]})")
        << text;
  }
  for (const char* block :
       {R"({"type":"image","data":"c3Nu","mimeType":"image/png"})", R"({"type":"audio","data":"c3Nu"})",
        R"({"type":"resource_link","uri":"file:///ssn-1","name":"ssn 1"})", R"({"type":"unheard"})"}) {
    EXPECT_EQ(shown(R"({"content":[)" + std::string(block) + "]}"),
              R"({"content":[{"type":"text","text":"[redacted]"}]})");
  }
}

TEST(Redact, LooksIntoResourcesAndPrompts) {
  EXPECT_EQ(
      shown(R"({"contents":[{"uri":"a:b","mimeType":"text/x","text":"{\"ssn\":1}"},{"uri":"a:c","blob":"c3Nu"}]})"),
      R"({"contents":[{"uri":"a:b","mimeType":"text/x","text":"{\"ssn\":\"[redacted]\"}"},{"uri":"a:c","blob":""}]})");
  EXPECT_EQ(shown(R"({"content":[{"type":"resource","resource":{"uri":"a:b","text":"ssn 1"}}]})"),
            R"({"content":[{"type":"resource","resource":{"uri":"a:b","text":"[redacted]"}}]})");
  EXPECT_EQ(
      shown(R"({"messages":[{"role":"user","content":{"type":"text","text":"ssn 1"}}],"description":"of ssn 1"})"),
      R"({"messages":[{"role":"user","content":{"type":"text","text":"[redacted]"}}],"description":"[redacted]"})");
}

TEST(Redact, ASuggestionThatIsNoJsonIsWithheld) {
  EXPECT_EQ(shown(R"({"completion":{"values":["ssn 1","{\"ssn\":1,\"a\":2}"],"total":2,"hasMore":false}})"),
            R"({"completion":{"values":["[redacted]","{\"ssn\":\"[redacted]\",\"a\":2}"],"total":2,"hasMore":false}})");
  EXPECT_EQ(shown(R"({"completion":{"values":{"ssn":1},"ssn":[2]}})"),
            R"({"completion":{"values":"[redacted]","ssn":"[redacted]"}})");
  EXPECT_EQ(shown(R"({"completion":["ssn 1"]})"), R"({"completion":"[redacted]"})");
}

TEST(RedactAbuse, ANameInDisguiseIsTheSameName) {
  EXPECT_EQ(shown(R"({"structuredContent":{"s\u0073n":1,"SSN":2,"Salary":3,"ssn2":4}})"),
            R"({"structuredContent":{"s\u0073n":"[redacted]","SSN":"[redacted]","Salary":"[redacted]","ssn2":4}})");
  EXPECT_EQ(shown(R"({"c\u006fntent":[{"t\u0079pe":"text","te\u0078t":"ssn 1"}]})"),
            R"({"c\u006fntent":[{"t\u0079pe":"text","te\u0078t":"[redacted]"}]})");
  EXPECT_EQ(shown(R"({"content":[],"_meta":{"ssn":1},"ssn":2,"extra":{"ssn":3}})"),
            R"({"content":[],"_meta":{"ssn":"[redacted]"},"ssn":"[redacted]","extra":{"ssn":"[redacted]"}})");
}

TEST(RedactAbuse, LinesOfJsonAreWithheldWhereverTheyStand) {
  const std::string lines = R"({\"ssn\":1}\n{\"ssn\":2}\n)";
  for (const std::string& text :
       {lines, R"([{\"ssn\":1}]\n[{\"ssn\":2}])" + std::string(), " " + lines, lines + "the end"}) {
    EXPECT_EQ(shown(R"({"content":[{"type":"text","text":")" + text + R"("}]})"),
              R"({"content":[{"type":"text","text":"[redacted]"}]})")
        << text;
    EXPECT_EQ(shown(R"({"structuredContent":{"rows":")" + text + R"(","n":[")" + text + R"("]}})"),
              R"({"structuredContent":{"rows":"[redacted]","n":["[redacted]"]}})")
        << text;
    EXPECT_EQ(shown(R"({"contents":[{"uri":"a:b","text":")" + text + R"("}]})"),
              R"({"contents":[{"uri":"a:b","text":"[redacted]"}]})")
        << text;
  }
}

TEST(RedactAbuse, JsonInAStringInJsonIsLookedInto) {
  EXPECT_EQ(shown(R"({"structuredContent":{"payload":"{\"ssn\":1}","note":"plain"}})"),
            R"({"structuredContent":{"payload":"{\"ssn\":\"[redacted]\"}","note":"plain"}})");
  std::string layered = R"({"ssn":1})";
  for (int i = 0; i < 6; ++i) {
    std::string quoted;
    for (const char c : layered) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    layered = R"({"p":")" + quoted + R"("})";
  }
  EXPECT_FALSE(shown(R"({"structuredContent":)" + layered + "}").contains("ssn"));
}

TEST(Redact, OfErrorsAndProgressTheNumbersRemain) {
  EXPECT_EQ(redact_error(R"({"code":-32001,"message":"ssn 1","data":{"ssn":1}})"),
            R"({"code":-32001,"message":"[redacted]"})");
  EXPECT_EQ(redact_error(R"({"code":"ssn"})"), R"({"code":-32603,"message":"[redacted]"})");
  EXPECT_EQ(redact_progress(R"({"progress":1,"total":2.5,"message":"ssn 1","more":3})"),
            R"({"progress":1,"total":2.5})");
  EXPECT_EQ(redact_progress(R"({"message":"ssn 1"})"), "{}");
}

}  // namespace
}  // namespace sallyport
