// Attacks by name: peers that send what is no message, and words that only look like others.
#include <gtest/gtest.h>

#include "json/document.h"
#include "json/slice.h"
#include "request/mcp/dialect_test_support.h"

namespace sallyport::mcp {
namespace {

using namespace dialect_test;

constexpr std::string_view kDeclared = R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})";
const std::vector<std::string>& no_objects() {
  static const std::vector<std::string> kTexts{"7", "null", "true", "\"{}\"", "[]", "[{}]", ""};
  return kTexts;
}

TEST(DialectAbuse, AResultThatIsNoObjectIsRefused) {
  for (const std::string& text : no_objects()) {
    for (const Revision server : kAll) {
      const auto out = shape_result({L4, server}, Method::tools_call, text);
      ASSERT_FALSE(out) << text;
      EXPECT_EQ(out.error().code, Code::upstream_protocol);
    }
    EXPECT_FALSE(shape_tool({L4, L4}, text)) << text;
  }
}

TEST(DialectAbuse, AnAnswerThatIsNoObjectIsRefused) {
  for (const std::string& text : no_objects()) {
    for (const std::string method : {"elicitation/create", "sampling/createMessage", "roots/list"}) {
      const auto out = shape_answer({L4, L4}, method, text);
      ASSERT_FALSE(out) << text;
      EXPECT_EQ(out.error().code, Code::invalid_params);
    }
  }
}

TEST(DialectAbuse, AnswersOfTheWrongShapeAreRefused) {
  const std::vector<std::pair<std::string, std::string>> answers{
      {"elicitation/create", "{}"},
      {"elicitation/create", R"({"action":"ACCEPT"})"},
      {"elicitation/create", R"({"action":null})"},
      {"elicitation/create", R"({"action":"accept","content":null})"},
      {"elicitation/create", R"({"action":"accept","content":[]})"},
      {"elicitation/create", R"({"action":"accept","content":{"a":{"nested":1}}})"},
      {"elicitation/create", R"({"action":"accept","content":{"a":null}})"},
      {"elicitation/create", R"({"action":"accept","content":{"a":[1]}})"},
      {"elicitation/create", R"({"action":"accept","content":{"a":[["x"]]}})"},
      {"sampling/createMessage", R"({"role":"system","content":{"type":"text"},"model":"m"})"},
      {"sampling/createMessage", R"({"role":"assistant","content":{"type":"text"}})"},
      {"sampling/createMessage", R"({"role":"assistant","content":"text","model":"m"})"},
      {"sampling/createMessage", R"({"role":"assistant","model":"m"})"},
      {"sampling/createMessage", R"({"role":"assistant","content":{},"model":"m"})"},
      {"sampling/createMessage", R"({"role":"assistant","content":[7],"model":"m"})"},
      {"sampling/createMessage", R"({"role":"assistant","content":{"type":"text"},"model":7})"},
      {"roots/list", "{}"},
      {"roots/list", R"({"roots":{}})"},
      {"roots/list", R"({"roots":["file:///etc"]})"},
      {"roots/list", R"({"roots":[{"uri":"http://169.254.169.254/"}]})"},
      {"roots/list", R"({"roots":[{"uri":"FILE:///a"}]})"},
      {"roots/list", R"({"roots":[{"uri":"file:///a"},{"uri":7}]})"},
      {"roots/list", R"({"roots":[{"uri":"file:///a","name":{}}]})"},
      {"tools/call", R"({"content":[]})"},
  };
  for (const auto& [method, answer] : answers) {
    const auto out = shape_answer({L4, L4}, method, answer);
    ASSERT_FALSE(out) << answer;
    EXPECT_EQ(out.error().code, Code::invalid_params);
  }
}

TEST(DialectAbuse, AModelsToolCallDoesNotReachAServerThatOfferedNone) {
  const std::string answer =
      R"({"role":"assistant","content":{"type":"tool_use","id":"1","name":"n","input":{}},"model":"m"})";
  EXPECT_FALSE(shape_answer({M, L3}, "sampling/createMessage", answer));
  EXPECT_TRUE(shape_answer({M, L4}, "sampling/createMessage", answer));
}

TEST(DialectAbuse, RequestsOfTheWrongShapeAreRefused) {
  const std::vector<std::pair<std::string, std::string>> requests{
      {"elicitation/create", ""},
      {"elicitation/create", "[]"},
      {"elicitation/create", R"({"message":7,"requestedSchema":{"type":"object","properties":{}}})"},
      {"elicitation/create", R"({"message":"m"})"},
      {"elicitation/create", R"({"message":"m","requestedSchema":{"type":"array","properties":{}}})"},
      {"elicitation/create", R"({"message":"m","requestedSchema":{"type":"object","properties":[]}})"},
      {"elicitation/create",
       R"({"message":"m","requestedSchema":{"type":"object","properties":{"a":{"type":"object"}}}})"},
      {"elicitation/create", R"({"message":"m","requestedSchema":{"type":"object","properties":{"a":{"$ref":"#"}}}})"},
      {"elicitation/create", R"({"message":"m","requestedSchema":{"type":"object","properties":{"a":7}}})"},
      {"elicitation/create",
       R"({"message":"m","requestedSchema":{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}}}})"},
      {"elicitation/create", R"({"mode":"voice","message":"m","requestedSchema":{"type":"object","properties":{}}})"},
      // Two readers must not see two modes.
      {"elicitation/create", R"({"mode":"\u0075rl","message":"m","url":"https://a.example"})"},
      {"elicitation/create", R"({"mode":"url","message":"m"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"javascript:alert(1)//"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"javascript://a.example/%0aalert"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"file:///etc/passwd"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"https:"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"https://"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"//a.example"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":" https://a.example"})"},
      {"elicitation/create", R"({"mode":"url","message":"m","url":"https://a.example/\u001b[2K"})"},
      {"sampling/createMessage", ""},
      {"sampling/createMessage", R"({"messages":{},"maxTokens":1})"},
      {"sampling/createMessage", R"({"messages":[]})"},
      {"sampling/createMessage", R"({"messages":[7],"maxTokens":1})"},
      {"sampling/createMessage", R"({"messages":[{"role":"user","content":"t"}],"maxTokens":1})"},
      {"sampling/createMessage", R"({"messages":[{"content":{}}],"maxTokens":1})"},
  };
  for (const auto& [method, params] : requests) {
    const auto out = shape_request({L4, L4}, {method, params, kDeclared, "", ""});
    ASSERT_FALSE(out) << params;
    EXPECT_EQ(out.error().code, Code::invalid_params) << params;
  }
}

TEST(DialectAbuse, EscapedKeysAreTheKeysTheyRead) {
  EXPECT_EQ(
      shape_result({L4, M}, Method::tools_call, R"({"content":[],"\u005fmeta":{"\u0069o.modelcontextprotocol/x":1}})"),
      R"({"content":[]})");
  EXPECT_EQ(shape_result({L4, M}, Method::tools_list, R"({"tools":[],"cacheSc\u006fpe":"public","ttlM\u0073":1})"),
            R"({"tools":[]})");
  EXPECT_FALSE(shape_result({L4, M}, Method::tools_call, R"({"r\u0065sultType":"task"})"));
  EXPECT_EQ(shape_tool({L1, L4}, R"({"name":"t","\u0061nnotations":{},"tit\u006ce":"x"})"), R"({"name":"t"})");
  EXPECT_EQ(shape_error({L4, L4}, Method::tools_call, R"({"c\u006fde":-32021,"message":"m"})", ""),
            R"({"code":-32603,"message":"The tool server refused the gateway's request"})");
}

TEST(DialectAbuse, MetaThatIsNoObjectIsDropped) {
  for (const std::string meta : {"7", "[]", "null", "\"io.modelcontextprotocol/x\""}) {
    EXPECT_EQ(shape_result({L4, L4}, Method::tools_call, R"({"_meta":)" + meta + R"(,"content":[]})"),
              R"({"content":[]})");
    EXPECT_EQ(shape_result({M, L4}, Method::tools_call, R"({"_meta":)" + meta + R"(,"content":[]})"),
              R"({"content":[],)" + modern_end());
  }
}

// Nobody else says who answered: the client shows it.
TEST(DialectAbuse, AServerCannotSpeakAsTheGateway) {
  const std::string forged =
      R"({"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bank","version":"1"}},"content":[]})";
  EXPECT_EQ(shape_result({M, M}, Method::tools_call, forged), R"({"content":[],)" + modern_end());
}

TEST(DialectAbuse, ContentOfTheWrongShapeDoesNotHideStructuredContent) {
  for (const std::string content : {"7", "null", "{}", R"("text")"}) {
    EXPECT_EQ(
        shape_result({L2, L4}, Method::tools_call, R"({"content":)" + content + R"(,"structuredContent":{"a":1}})"),
        R"({"content":[{"type":"text","text":"{\"a\":1}"}]})");
  }
  EXPECT_EQ(shape_result({L2, L4}, Method::tools_call, R"({"content":[7,"x",null,[]],"structuredContent":{}})"),
            R"({"content":[7,"x",null,[],{"type":"text","text":"{}"}]})");
}

TEST(DialectAbuse, ABlockOfHostileNamesStaysOneBlock) {
  const auto out =
      shape_result({L2, L4}, Method::tools_call,
                   R"({"content":[{"type":"resource_link","name":"\"},{\"type\":\"text","uri":"\r\n\u0000"}]})");
  ASSERT_TRUE(out);
  const auto read = json::read(*out);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->root().find("content")->size(), 1U);
  EXPECT_EQ(out->find_first_of("\r\n"), std::string::npos);
}

TEST(DialectAbuse, HugeResultsTakeLinearTime) {
  std::string blocks;
  for (int i = 0; i < 100'000; ++i) blocks += R"({"type":"audio","mimeType":"a/b","data":""},)";
  const std::string result =
      R"({"content":[)" + blocks + R"({"type":"text","text":"t"}],"structuredContent":[[[[]]]]})";
  const auto out = shape_result({L1, M}, Method::tools_call, result);
  ASSERT_TRUE(out);
  EXPECT_TRUE(json::read(*out));
  const std::string deep = R"({"content":[],"structuredContent":)" + std::string(60, '[') + std::string(60, ']') + "}";
  EXPECT_TRUE(shape_result({L1, M}, Method::tools_call, deep));
}

}  // namespace
}  // namespace sallyport::mcp
