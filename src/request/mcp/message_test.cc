#include "request/mcp/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::mcp {
namespace {

Result<Message> read(std::string_view body, std::string* id = nullptr) {
  std::string id_out;
  auto message = read_message(body, {}, id_out);
  if (id != nullptr) *id = id_out;
  return message;
}

Code code_of(std::string_view body, std::string* id = nullptr) {
  const auto message = read(body, id);
  EXPECT_FALSE(message.has_value()) << body;
  return message ? Code::count_ : message.error().code;
}

TEST(McpMessage, ReadsACall) {
  const auto call = read(
      R"({ "jsonrpc": "2.0", "id": 0, "method": "tools/call",
           "params": {"name": "calc_add", "arguments": {"a": 1}, "_meta": {"progressToken": 0, "x/y": 1}}})");
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->kind, Kind::request);
  EXPECT_EQ(call->method, Method::tools_call);
  EXPECT_EQ(call->id, "0");  // mcp-spec.md, 10, trap 5: 0 is an id, and a progress token
  EXPECT_EQ(call->name, "calc_add");
  EXPECT_EQ(call->arguments, R"({"a":1})");
  EXPECT_EQ(call->progress_token, "0");
  EXPECT_EQ(passed_meta(*call), R"(,"_meta":{"progressToken":0,"x/y":1})");
}

TEST(McpMessage, AStringIdIsNotANumberId) {
  EXPECT_EQ(read(R"({"jsonrpc":"2.0","id":"1","method":"ping"})")->id, R"("1")");
  EXPECT_EQ(read(R"({"jsonrpc":"2.0","id":1,"method":"ping"})")->id, "1");
}

TEST(McpMessage, RefusesIdsThatAreNone) {
  for (const std::string_view id : {"null", "1.0", "1e2", "true", "[]", "{}"}) {
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":"ping"})"), Code::invalid_request) << id;
  }
  const std::string huge(1025, 'x');
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":")" + huge + R"(","method":"ping"})"), Code::invalid_request);
}

TEST(McpMessage, TheIdIsKnownWhereTheRestIsBad) {
  std::string id;
  EXPECT_EQ(code_of(R"({"jsonrpc":"1.0","id":7,"method":"ping"})", &id), Code::invalid_request);
  EXPECT_EQ(id, "7");
}

TEST(McpMessage, RefusesWhatIsNoMessage) {
  for (const std::string_view body :
       {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", R"("ping")", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"method":7})", R"({"jsonrpc":"2.0","id":1,"method":"ping","result":{}})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", R"({"jsonrpc":"2.0","result":{}})",
        R"({"id":1,"method":"ping"})"}) {
    EXPECT_EQ(code_of(body), Code::invalid_request) << body;
  }
}

TEST(McpMessage, RefusesParamsOfTheWrongShape) {
  for (const std::string_view rest :
       {R"("method":"ping","params":[])", R"("method":"ping","params":null)", R"("method":"ping","params":{"_meta":1})",
        R"("method":"ping","params":{"_meta":{"progressToken":1.5}})", R"("method":"tools/call")",
        R"("method":"tools/call","params":{"name":7})", R"("method":"tools/call","params":{"name":""})",
        R"("method":"tools/call","params":{"name":"x","arguments":null})",
        R"("method":"tools/call","params":{"name":"x","arguments":[]})", R"("method":"resources/read","params":{})",
        R"("method":"prompts/get","params":{"uri":"a:b"})"}) {
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,)" + std::string(rest) + "}"), Code::invalid_params) << rest;
  }
}

TEST(McpMessage, ADuplicateKeyIsRefusedHoweverItIsWritten) {
  EXPECT_FALSE(read(R"({"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/list"})").has_value());
}

TEST(McpMessage, KeysAreComparedDecoded) {
  const auto call = read(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\u0061me":"x","argument\u0073":{"a":1}}})");
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->name, "x");
  EXPECT_EQ(call->arguments, R"({"a":1})");  // what is validated is what is sent
}

// A call without an id went past the decision to an upstream that was never chosen, and took the gateway down.
TEST(McpMessageAbuse, ACallWithoutAnIdIsNoCall) {
  for (const std::string_view method : {"tools/call", "initialize", "ping", "resources/read", "tools/list"}) {
    const auto message = read(R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"("})");
    ASSERT_TRUE(message.has_value()) << method;
    EXPECT_EQ(message->kind, Kind::notification);
    EXPECT_EQ(message->method, Method::unknown) << method;
  }
}

TEST(McpMessageAbuse, ANotificationWithAnIdIsAnUnknownMethod) {
  for (const std::string_view method : {"notifications/initialized", "notifications/cancelled", "notifications/progress",
                                        "notifications/roots/list_changed"}) {
    const auto message = read(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + R"("})");
    ASSERT_TRUE(message.has_value()) << method;
    EXPECT_EQ(message->kind, Kind::request);
    EXPECT_EQ(message->method, Method::unknown) << method;
  }
}

// Whatever else reaches the server is seen; what MCP puts beside it is not, however it is spelt.
TEST(McpMessage, DecidedParamsAreThoseOfTheServerWithoutMcpsOwn) {
  const auto prompt = read(
      R"({"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"_meta":{"a":1},"name":"a_b","arguments":{"_meta":"1"},"more":[2],"inputResponses":{},"r\u0065questState":"s"}})");
  ASSERT_TRUE(prompt.has_value());
  EXPECT_EQ(decided_params(*prompt, "b"), R"({"name":"b","arguments":{"_meta":"1"},"more":[2]})");
  const auto read_it = read(R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a+f:x"}})");
  EXPECT_EQ(decided_params(*read_it, "f:x"), R"({"uri":"f:x"})");
}

TEST(McpMessage, UpstreamParamsCarryTheUpstreamsOwnName) {
  const auto prompt = read(R"({"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a_b","arguments":{"x":"1"}}})");
  EXPECT_EQ(upstream_params(*prompt, "b"), R"({"name":"b","arguments":{"x":"1"}})");
  const auto complete = read(
      R"({"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a+f:///{x}"},"argument":{"name":"x","value":""}}})");
  EXPECT_EQ(upstream_params(*complete, "f:///{x}"),
            R"({"ref":{"type":"ref/resource","uri":"f:///{x}"},"argument":{"name":"x","value":""}})");
}

TEST(McpMessage, EnvelopesHoldOneLine) {
  EXPECT_EQ(error_envelope("", -32600, "a\nb"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a\nb"}})");
  EXPECT_EQ(result_envelope("0", "{}"), R"({"jsonrpc":"2.0","id":0,"result":{}})");
  EXPECT_EQ(notification_envelope("n", ""), R"({"jsonrpc":"2.0","method":"n"})");
}

}  // namespace
}  // namespace sallyport::mcp
