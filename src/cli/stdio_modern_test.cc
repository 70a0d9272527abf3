// The modern half (2026-07-28): no session, headers made from the body, the cancel is the closed stream.
#include <algorithm>
#include <atomic>
#include <future>

#include "cli/bridge_test_support.h"
#include "cli/stdio_bridge.h"

namespace sallyport::cli {
namespace {

using namespace testing;

constexpr const char* kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";
constexpr const char* kTools =
    R"({"tools":[{"name":"plain","inputSchema":{"type":"object"}},{"name":"sql","inputSchema":{"type":"object","properties":)"
    R"({"region":{"type":"string","x-mcp-header":"Region"},"limit":{"type":"integer","x-mcp-header":"Limit"}}}}]})";

std::string modern(const std::string& id, const std::string& method, const std::string& params = "") {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{)" + params +
         (params.empty() ? "" : ",") + kMeta + "}}";
}

std::string tool_gateway(const Seen& r) {
  return json_answer(result_for(r, r.says("tools/list") ? kTools : R"({"resultType":"complete"})"));
}

bool is_call(const Seen& r) { return r.says("tools/call"); }
bool is_list(const Seen& r) { return r.says("tools/list"); }

TEST(StdioModern, EachRequestStandsAloneWithItsHeaders) {
  FakeGateway gateway(tool_gateway);
  Client client(gateway.url());
  client.say(modern("1", "server/discover"));
  client.say(modern("2", "prompts/get", R"("name":"Gr\u00fc\u00dfe")"));
  client.say(modern("3", "resources/read", R"("uri":"file:///a b")"));
  client.say(modern("4", "prompts/list"));
  EXPECT_EQ(client.lines(4).size(), 4U);
  EXPECT_EQ(client.end(), 0);
  auto seen = gateway.seen();
  ASSERT_EQ(seen.size(), 4U);  // and no DELETE: there was no session
  std::ranges::sort(seen, {}, &Seen::body);
  const std::vector<std::string> methods{"server/discover", "prompts/get", "resources/read", "prompts/list"};
  const std::vector<std::string> names{"", "=?base64?R3LDvMOfZQ==?=", "file:///a b", ""};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].method, "POST");
    EXPECT_TRUE(seen[i].has("MCP-Protocol-Version: 2026-07-28\r\n")) << seen[i].head;
    EXPECT_TRUE(seen[i].has("Mcp-Method: " + methods[i] + "\r\n")) << seen[i].head;
    EXPECT_EQ(seen[i].has("Mcp-Name"), !names[i].empty()) << seen[i].head;
    if (!names[i].empty()) EXPECT_TRUE(seen[i].has("Mcp-Name: " + names[i] + "\r\n")) << seen[i].head;
    EXPECT_FALSE(seen[i].has("Session-Id")) << seen[i].head;
  }
}

// mcp-spec.md section 10, trap 2.
TEST(StdioModern, AProbeDoesNotDecideTheEra) {
  FakeGateway gateway([](const Seen& r) { return r.says("server/discover") ? tool_gateway(r) : ordinary(r); });
  Client client(gateway.url());
  client.say(modern("\"probe\"", "server/discover"));
  (void)client.lines(1);
  client.say(kInitialize);
  client.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"progressToken":0}}})");
  const auto lines = client.lines(3);
  EXPECT_EQ(lines[1], kInitializeResult);
  const auto listed = gateway.wait_for(is_list);
  EXPECT_TRUE(listed.has("Mcp-Session-Id: s1"));
  EXPECT_FALSE(listed.has("Mcp-Method"));
  client.say(modern("2", "tools/list"));  // and a session does not make the next envelope legacy
  EXPECT_EQ(client.lines(4)[3], R"({"jsonrpc":"2.0","id":2,"result":{}})");
  const auto lists = gateway.seen(is_list);
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_FALSE(lists[1].has("Session-Id"));
  EXPECT_TRUE(lists[1].has("Mcp-Method: tools/list"));
}

// Trap 1: who answers is the gateway.
TEST(StdioModern, InitializeWithAnEnvelopeOpensNoSession) {
  const std::string no = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}})";
  FakeGateway gateway([&](const Seen&) { return json_answer(no, "Mcp-Session-Id: s1\r\n", 404); });
  Client client(gateway.url());
  client.say(modern("1", "initialize"));
  EXPECT_EQ(client.lines(1)[0], no);
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(gateway.seen().size(), 1U);
}

TEST(StdioModern, ParametersGoIntoHeadersAsTheListedSchemaSays) {
  FakeGateway gateway(tool_gateway);
  Client client(gateway.url());
  client.say(modern("1", "tools/list"));
  (void)client.lines(1);
  client.say(modern("2", "tools/call", R"("name":"sql","arguments":{"region":"us west ","limit":5})"));
  (void)client.lines(2);
  const auto call = gateway.wait_for(is_call);
  EXPECT_TRUE(call.has("Mcp-Name: sql\r\n")) << call.head;
  EXPECT_TRUE(call.has("Mcp-Param-Region: =?base64?dXMgd2VzdCA=?=\r\n")) << call.head;
  EXPECT_TRUE(call.has("Mcp-Param-Limit: 5\r\n")) << call.head;
  EXPECT_EQ(gateway.seen(is_list).size(), 1U);
}

TEST(StdioModern, AnUnknownToolIsLookedUpOnceForAllWhoCall) {
  FakeGateway gateway([](const Seen& r) {
    if (!is_list(r) || !r.says("\"cursor\"")) {
      return is_list(r) ? json_answer(result_for(r, R"({"tools":[],"nextCursor":""})")) : tool_gateway(r);
    }
    return tool_gateway(r);
  });
  Client client(gateway.url());
  for (const char* id : {"1", "2", "3"}) {
    client.say(modern(id, "tools/call", R"("name":"sql","arguments":{"region":"eu"})"));
  }
  client.say(modern("4", "tools/call", R"("name":"nobody","arguments":{})"));
  EXPECT_EQ(client.lines(4).size(), 4U);
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(client.lines(4).size(), 4U) << "our own lists are not the client's";
  const auto lists = gateway.seen(is_list);
  ASSERT_EQ(lists.size(), 2U) << "two pages";
  EXPECT_TRUE(lists[0].says(R"("io.modelcontextprotocol/protocolVersion":"2026-07-28")")) << lists[0].body;
  EXPECT_TRUE(lists[1].says(R"("cursor":"")")) << lists[1].body;
  for (const Seen& call : gateway.seen(is_call)) {
    EXPECT_EQ(call.has("Mcp-Param-Region: eu"), call.says("sql")) << call.head;
  }
}

TEST(StdioModern, AHeaderMismatchIsMendedByTheListOfNowAndOnlyOnce) {
  const std::string mismatch = R"(,"error":{"code":-32020,"message":"Header mismatch"}})";
  for (const bool mends : {true, false}) {
    std::atomic<int> calls{0};
    FakeGateway gateway([&](const Seen& r) {
      if (is_list(r) && calls == 0) return json_answer(result_for(r, R"({"tools":[{"name":"sql","inputSchema":{}}]})"));
      if (is_list(r)) return tool_gateway(r);
      ++calls;
      if (mends && r.has("Mcp-Param-Region: eu")) return tool_gateway(r);
      return json_answer(R"({"jsonrpc":"2.0","id":1)" + mismatch, "", 400);
    });
    Client client(gateway.url());
    client.say(modern("1", "tools/call", R"("name":"sql","arguments":{"region":"eu"})"));
    EXPECT_EQ(client.end(), 0);
    const auto lines = client.lines(1);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], mends ? R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}})"
                              : R"({"jsonrpc":"2.0","id":1)" + mismatch);
    EXPECT_EQ(calls, 2);
  }
}

TEST(StdioModern, ErrorsOfTheGatewayPassAsTheyAre) {
  const std::string no =
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"m","data":{"requiredCapabilities":{"x":1.50}}}})";
  FakeGateway gateway([&](const Seen&) { return json_answer(no, "", 400); });
  Client client(gateway.url());
  client.say(modern("1", "prompts/list"));
  EXPECT_EQ(client.lines(1)[0], no);
}

TEST(StdioModern, CancelClosesTheStreamAndIsNotPosted) {
  for (const bool headed : {true, false}) {  // before and after the head of the answer
    std::promise<void> closed;
    FakeGateway gateway([&](const Seen& r) {
      if (!r.says("prompts/get")) return tool_gateway(r);
      if (headed) r.send(open_events(event(R"({"jsonrpc":"2.0","method":"notifications/progress"})")));
      r.wait_closed();
      closed.set_value();
      return std::string();
    });
    Client client(gateway.url());
    client.say(modern("\"1\"", "prompts/get", R"("name":"slow")"));
    client.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");  // another id
    (void)gateway.wait_for([](const Seen& r) { return r.says("prompts/get"); });
    const std::size_t before = headed ? 1 : 0;
    (void)client.lines(before);
    client.say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1"}})");
    EXPECT_EQ(closed.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    client.say(modern("2", "ping"));
    EXPECT_EQ(client.lines(before + 1).back(), R"({"jsonrpc":"2.0","id":2,"result":{"resultType":"complete"}})");
    EXPECT_EQ(client.end(), 0);
    EXPECT_EQ(client.lines(before + 1).size(), before + 1) << "a cancelled request has no answer";
    EXPECT_TRUE(gateway.seen([](const Seen& r) { return r.says("cancelled"); }).empty());
  }
}

TEST(StdioModern, ListenGoesOnUntilTheInputEnds) {
  const std::string updated = R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}})";
  FakeGateway gateway([&](const Seen& r) {
    if (!r.says("subscriptions/listen")) return tool_gateway(r);
    r.send(open_events(": keep-alive\n\n" + event(updated)));
    (void)r.gateway->wait_for([](const Seen& other) { return other.says("prompts/list"); });
    r.send(event(updated));
    r.wait_closed();
    return std::string();
  });
  Client client(gateway.url());
  client.say(modern("1", "subscriptions/listen", R"("notifications":{})"));
  EXPECT_EQ(client.lines(1)[0], updated);
  client.say(modern("2", "prompts/list"));
  const auto lines = client.lines(3);
  EXPECT_EQ(std::ranges::count(lines, updated), 2);
  EXPECT_EQ(client.end(), 0) << "at once, not after the longest call";
  EXPECT_EQ(client.lines(3).size(), 3U);
}

TEST(StdioModern, ABrokenAnswerIsAnErrorAndIsNotResumed) {
  FakeGateway gateway([](const Seen&) {
    return events(event(R"({"jsonrpc":"2.0","method":"notifications/progress"})", "e-1") + "data: {\"jsonrpc");
  });
  Client client(gateway.url());
  client.say(modern("1", "prompts/list"));
  EXPECT_TRUE(client.lines(2)[1].starts_with(R"({"jsonrpc":"2.0","id":1,"error":{)"));
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(gateway.seen().size(), 1U);
}

TEST(StdioModern, AServersRequestNeverReachesAModernClient) {
  FakeGateway gateway([](const Seen& r) {
    return events(event(R"({"jsonrpc":"2.0","id":7,"method":"roots/list"})") + event(result_for(r)));
  });
  Client client(gateway.url());
  client.say(modern("1", "prompts/list"));
  EXPECT_EQ(client.lines(1)[0], R"({"jsonrpc":"2.0","id":1,"result":{}})");
  client.say(R"({"jsonrpc":"2.0","id":7,"result":{}})");
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(gateway.seen().size(), 1U) << "nor has a modern connection anywhere to send a response";
}

}  // namespace
}  // namespace sallyport::cli
