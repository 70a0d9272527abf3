// What a hostile or broken gateway, or a client's line that is none, must not do: print anything but JSON-RPC messages of one
// line, answer twice or never, forge a header.
#include <algorithm>

#include "cli/bridge_test_support.h"
#include "cli/stdio_bridge.h"

namespace sallyport::cli {
namespace {

using namespace testing;

constexpr const char* kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
constexpr const char* kModern =
    R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})";

std::string head(const std::string& type, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nConnection: close\r\n\r\n" + body;
}

TEST(StdioBridgeAbuse, LinesThatAreNoMessageAreAnsweredAndNeverSent) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  const std::vector<std::pair<std::string, std::string>> kCases{
      {"garbage", R"("id":null,"error":{"code":-32700)"},
      {"{\"a\":\"\xff\"}", R"("id":null,"error":{"code":-32700)"},
      {"\xef\xbb\xbf{}", R"("id":null,"error":{"code":-32700)"},
      {R"({"jsonrpc":"2.0","id":1,"method":"a"}{"jsonrpc":"2.0","id":2,"method":"b"})",
       R"("id":null,"error":{"code":-32700)"},
      {R"({"id":1,"id":2,"method":"ping"})", R"("id":null,"error":{"code":-32600)"},
      {"[]", R"("id":null,"error":{"code":-32600)"},
      {"[[]]", R"("id":null,"error":{"code":-32600)"},
      {R"([{"jsonrpc":"2.0","id":1,"method":"ping"},7])", R"("id":null,"error":{"code":-32600)"},
      {"7", R"("id":null,"error":{"code":-32600)"},
      {R"({"id":null,"method":"ping"})", R"("id":null,"error":{"code":-32600)"},
      {R"({"id":{},"method":"ping"})", R"("id":null,"error":{"code":-32600)"},
      {R"({"id":5,"method":7})", R"("id":5,"error":{"code":-32600)"},
      {R"({"id":5})", R"("id":5,"error":{"code":-32600)"}};
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    client.say(kCases[i].first);
    EXPECT_NE(client.lines(i + 1)[i].find(kCases[i].second), std::string::npos)
        << kCases[i].first << client.lines(i + 1)[i];
  }
  EXPECT_EQ(client.end(), 0);
  EXPECT_TRUE(gateway.seen().empty());
}

// Each request has one answer, an error; nothing else comes out, in either era.
TEST(StdioBridgeAbuse, GarbageOfTheGatewayIsNotPrinted) {
  const std::string right = R"({"jsonrpc":"2.0","id":1,"result":{}})";
  const std::vector<std::string> kAnswers{
      head("text/html", "<html>\r\nhello\r\n</html>"),
      head("application/json", ""),
      head("application/json", "42"),
      head("application/json", "\"text\""),
      head("application/json", "{}"),
      head("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"raw\nnewline\"}"),
      head("application/json", right + right),
      head("application/json", R"({"jsonrpc":"2.0","id":"1","result":{}})"),
      head("application/json", R"({"jsonrpc":"2.0","id":2,"result":{}})"),
      head("application/json", R"({"jsonrpc":"1.0","id":1,"result":{}})"),
      head("application/json", R"([{"jsonrpc":"2.0","id":3,"result":{}},null,"x"])"),
      head("text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"),  // half an event
      head("text/event-stream", "data: {\"jsonrpc\":\"2.0\"\r\n\r\ndata: ,\"id\":1,\"result\":{}}\n\n"),
      head("text/event-stream", "data: nothing\r\r"
                                "data: [\n\n"),
      head("text/event-stream", "data: " + std::string(2000, '[') + "\n\n"),
      empty_answer(202),
      empty_answer(500),
      "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
      "HTTP/9 hello\r\n\r\n",
      "",
      head("application/json", right).substr(0, 20)};
  for (const std::string& answer : kAnswers) {
    for (const char* line : {kPing, kModern}) {
      FakeGateway gateway([&](const Seen&) { return answer; });
      Client client(gateway.url());
      client.say(line);
      if (answer.size() == 20) {
        (void)gateway.wait_for([](const Seen&) { return true; });
        gateway.stop();
      }
      EXPECT_EQ(client.end(), 0);
      const auto lines = client.lines(1);
      ASSERT_EQ(lines.size(), 1U) << answer << lines[1];
      EXPECT_TRUE(lines[0].starts_with(R"({"jsonrpc":"2.0","id":1,"error":{"code":)")) << answer << lines[0];
    }
  }
}

TEST(StdioBridgeAbuse, ASecondAnswerIsNotPrinted) {
  for (const char* line : {kPing, kModern}) {
    FakeGateway gateway([](const Seen& r) {
      return events(event(result_for(r)) + event(result_for(r)) + event(R"({"jsonrpc":"2.0","id":null,"error":{}})"));
    });
    Client client(gateway.url());
    client.say(line);
    EXPECT_EQ(client.end(), 0);
    EXPECT_EQ(client.lines(1).size(), 1U);
    EXPECT_NE(client.logged().find("nobody waits for"), std::string::npos);
  }
}

TEST(StdioBridgeAbuse, LinesStayLinesWhateverTheFraming) {
  FakeGateway gateway([](const Seen&) {
    return head("text/event-stream",
                "\xef\xbb\xbf"
                "data: {\"jsonrpc\":\"2.0\",\r\ndata:\"method\":\r\ndata: \"notifications/a\\r\\n\"}"
                "\r\n\r\ndata: {\"jsonrpc\":\"2.0\",\rdata: \"id\":1,\"result\":{ \"t\":\"\\u2028\\n\" }}\r\r");
  });
  Client client(gateway.url());
  client.say(kModern);
  EXPECT_EQ(client.end(), 0);
  const auto lines = client.lines(2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], R"({"jsonrpc":"2.0","method":"notifications/a\r\n"})");
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","id":1,"result":{"t":"\u2028\n"}})");
}

TEST(StdioBridgeAbuse, NothingOfABodyBreaksOutOfAHeader) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  client.say(
      R"({"jsonrpc":"2.0","id":1,"method":"a\r\nX-Evil: 1","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":)"
      R"("2026-07-28\r\nX-Evil: 2"}}})");
  client.say(R"({"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"name":"\r\n\r\nGET / HTTP/1.1","_meta":)"
             R"({"io.modelcontextprotocol/protocolVersion":7}}})");
  EXPECT_EQ(client.lines(2).size(), 2U);
  EXPECT_EQ(client.end(), 0);
  const auto seen = gateway.seen();
  ASSERT_EQ(seen.size(), 2U);
  for (const Seen& one : seen) EXPECT_FALSE(one.has("X-Evil") || one.has("GET /")) << one.head;
}

TEST(StdioBridgeAbuse, IdsOfTheGatewayThatNoHeaderCarriesAreLeftOut) {
  FakeGateway gateway([](const Seen& r) {
    if (r.says("\"initialize\"")) {
      return json_answer(R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18\r\nX-Evil: 1"}})",
                         "Mcp-Session-Id: a b\r\n");
    }
    if (r.says("ping"))
      return events("retry: 1\nid: a\x01"
                    "b\ndata:\n\n");
    return ordinary(r);
  });
  Client client(gateway.url());
  client.say(kInitialize);
  (void)client.lines(1);
  client.say(kPing);
  EXPECT_TRUE(client.lines(2)[1].starts_with(R"({"jsonrpc":"2.0","id":1,"error":{)"));
  EXPECT_EQ(client.end(), 0);
  for (const Seen& one : gateway.seen())
    EXPECT_FALSE(one.has("Session-Id") || one.has("X-Evil") || one.method == "GET") << one.head;
}

TEST(StdioBridgeAbuse, AGatewayThatGoesAwayLeavesNoRequestWithoutAnAnswer) {
  FakeGateway gateway([](const Seen& r) {
    if (r.says("\"initialize\"")) return ordinary(r);
    r.send(open_events("retry: 1\n" + event(R"({"jsonrpc":"2.0","method":"notifications/a"})", "i-1")));
    r.wait_closed();
    return std::string();
  });
  Client client(gateway.url());
  client.say(kInitialize);
  (void)client.lines(1);
  for (int i = 1; i <= 4; ++i) client.say(R"({"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"method":"ping"})");
  client.say(kModern);
  (void)client.lines(6);
  gateway.stop();
  const auto lines = client.lines(11);
  const auto errors =
      std::ranges::count_if(lines, [](const std::string& one) { return one.find("\"error\"") != std::string::npos; });
  EXPECT_EQ(errors, 5);
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(client.lines(11).size(), 11U);
}

}  // namespace
}  // namespace sallyport::cli
