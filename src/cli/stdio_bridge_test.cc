// The legacy half: one session, from a client that speaks stdio.
#include "cli/stdio_bridge.h"

#include <algorithm>
#include <atomic>

#include "cli/bridge_test_support.h"

namespace sallyport::cli {
namespace {

using namespace testing;

constexpr const char* kCall = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}})";
constexpr const char* kAnswer = R"({"jsonrpc":"2.0","id":1,"result":{}})";
constexpr const char* kAsk = R"({"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{}})";
constexpr const char* kSaid = R"({"jsonrpc":"2.0","id":7,"result":{"action":"accept"}})";

bool is_call(const Seen& r) { return r.says("tools/call"); }
bool is_said(const Seen& r) { return r.body == kSaid; }

TEST(StdioBridge, CarriesASessionFromBeginToEnd) {
  FakeGateway gateway([](const Seen& r) {
    if (!r.says("tools/list")) return ordinary(r);
    return json_answer("{\"jsonrpc\": \"2.0\",\n \"id\": 1, \"result\": {}}");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialized);
  client.say(R"({"jsonrpc":"2.0", "id":1, "method":"tools/list"})");
  const auto lines = client.lines(2);
  EXPECT_EQ(lines[0], kInitializeResult);
  EXPECT_EQ(lines[1], kAnswer);  // one line, whatever the gateway sent
  EXPECT_EQ(client.end(), 0);
  const auto seen = gateway.seen();
  ASSERT_GE(seen.size(), 4U);
  EXPECT_TRUE(seen[0].has("Authorization: Bearer mcp_test"));
  EXPECT_FALSE(seen[0].has("Mcp-Session-Id"));
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_TRUE(seen[i].has("Mcp-Session-Id: s1")) << seen[i].head;
    EXPECT_TRUE(seen[i].has("MCP-Protocol-Version: 2025-06-18")) << seen[i].head;
    EXPECT_FALSE(seen[i].has("Mcp-Method")) << seen[i].head;
  }
  EXPECT_EQ(seen.back().method, "DELETE");
}

TEST(StdioBridge, PrintsEachEventOfAnAnswerOnALine) {
  FakeGateway gateway([](const Seen& r) {
    if (!is_call(r)) return ordinary(r);
    return events(
        ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nevent: other\ndata: "
        "{\"jsonrpc\":\"2.0\",\"method\":\"no/message\"}\n\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":1,\"result\":{}}"
        "\n\n");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kCall);
  const auto lines = client.lines(3);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","method":"notifications/progress"})");
  EXPECT_EQ(lines[2], kAnswer);
}

TEST(StdioBridge, PrintsWhatTheGetStreamBrings) {
  FakeGateway gateway([](const Seen& r) {
    if (r.method != "GET") return ordinary(r);
    return open_events(event(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})") + event(kAsk));
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialized);
  const auto lines = client.lines(3);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  EXPECT_EQ(lines[2], kAsk);
  client.say(kSaid);
  EXPECT_TRUE(gateway.wait_for(is_said).has("Mcp-Session-Id: s1"));
  EXPECT_EQ(client.end(), 0);
}

TEST(StdioBridge, TheGetStreamIsOpenedAgainWhereItStopped) {
  std::atomic<int> gets{0};
  FakeGateway gateway([&](const Seen& r) {
    if (r.method != "GET") return ordinary(r);
    if (gets++ == 0) return events("retry: 10\n" + event(R"({"jsonrpc":"2.0","method":"notifications/a"})", "g-1"));
    return open_events(event(R"({"jsonrpc":"2.0","method":"notifications/b"})"));
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialized);
  EXPECT_EQ(client.lines(3)[2], R"({"jsonrpc":"2.0","method":"notifications/b"})");
  EXPECT_TRUE(gateway.wait_for([](const Seen& r) { return r.has("Last-Event-ID"); }).has("Last-Event-ID: g-1"));
}

TEST(StdioBridge, ARunningRequestIsAnsweredByWhatTheClientSaysToItsQuestion) {
  FakeGateway gateway([](const Seen& r) {
    if (!is_call(r)) return ordinary(r);
    r.send(open_events(event(kAsk)));
    (void)r.gateway->wait_for(is_said);
    return event(kAnswer);
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kCall);
  EXPECT_EQ(client.lines(2)[1], kAsk);
  client.say(kSaid);
  EXPECT_EQ(client.lines(3)[2], kAnswer);
}

TEST(StdioBridge, AResponseWaitsNeitherForInitializeNorForANotification) {
  for (const char* slow : {"\"initialize\"", "notifications/slow"}) {
    FakeGateway gateway([slow](const Seen& r) {
      if (r.says("notifications/slow") || (r.says("\"initialize\"") && r.says(slow))) {
        if (r.says("\"initialize\"")) r.send(open_events(event(kAsk)));
        (void)r.gateway->wait_for(is_said);
        return r.says("\"initialize\"") ? event(kInitializeResult) : empty_answer(202);
      }
      return ordinary(r);
    });
    Client client(gateway.url());
    client.say(kInitialize);
    client.say(R"({"jsonrpc":"2.0","method":"notifications/slow"})");
    (void)gateway.wait_for([slow](const Seen& r) { return r.says(slow); });
    client.say(kSaid);
    client.say(kCall);
    const auto lines = client.lines(slow[0] == '"' ? 3 : 2);
    EXPECT_EQ(lines.back(), kAnswer) << slow;
  }
}

TEST(StdioBridge, PassesBatchesAndAnswersEachOfTheirRequests) {
  FakeGateway gateway([](const Seen& r) {
    if (!r.body.starts_with("[")) return ordinary(r);
    if (!r.says("\"method\"")) return empty_answer(202);
    return json_answer(R"([ {"jsonrpc":"2.0","id":"b","result":{}}, {"jsonrpc":"2.0","id":9,"result":{}} ])");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  (void)client.lines(1);
  client.say(R"([{"jsonrpc":"2.0","id":"a","method":"ping"}, {"jsonrpc":"2.0","method":"notifications/x"},)"
             R"({"jsonrpc":"2.0","id":"b","method":"ping"}])");
  client.say(R"([{"jsonrpc":"2.0","id":7,"result":{}}])");
  const auto lines = client.lines(3);
  EXPECT_EQ(lines[1], R"([{"jsonrpc":"2.0","id":"b","result":{}}])");  // nobody asked 9
  EXPECT_TRUE(lines[2].starts_with(R"({"jsonrpc":"2.0","id":"a","error":{)")) << lines[2];
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(gateway.seen([](const Seen& r) { return r.body.starts_with("["); }).size(), 2U);
}

TEST(StdioBridge, ABrokenStreamIsResumedWhereItStopped) {
  FakeGateway gateway([](const Seen& r) {
    if (r.has("Last-Event-ID: p-2")) return events(event(kAnswer, "p-3"));
    if (r.has("Last-Event-ID: p-1")) return events(event(R"({"jsonrpc":"2.0","method":"notifications/b"})", "p-2"));
    if (!is_call(r)) return ordinary(r);
    return events("id: p-1\nretry: 20\ndata:\n\n" + event(R"({"jsonrpc":"2.0","method":"notifications/a"})") +
                  "data: {\"half");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  const auto began = std::chrono::steady_clock::now();
  client.say(kCall);
  const auto lines = client.lines(4);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","method":"notifications/a"})");
  EXPECT_EQ(lines[2], R"({"jsonrpc":"2.0","method":"notifications/b"})");
  EXPECT_EQ(lines[3], kAnswer);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(40)) << "retry is honoured, twice";
  EXPECT_EQ(client.end(), 0);
  for (const Seen& r : gateway.seen([](const Seen& one) { return one.method == "GET"; })) {
    EXPECT_TRUE(r.has("Mcp-Session-Id: s1")) << r.head;
  }
}

TEST(StdioBridge, ResumingEndsWithAnError) {
  struct Case {
    const char* what;
    std::string stream, resumed;
    std::size_t gets;
  };
  const std::string first = "retry: 1\nid: p\ndata:\n\n";
  for (const Case& c :
       {Case{"no ids", events(event(R"({"jsonrpc":"2.0","method":"notifications/a"})")), "", 0},
        Case{"no such stream", events(first), empty_answer(404), 1},
        Case{"never anything", events(first), events(""), 7}, Case{"closed at once", events(first), "", 7}}) {
    FakeGateway gateway([&](const Seen& r) {
      if (r.has("Last-Event-ID")) return c.resumed;
      return is_call(r) ? c.stream : ordinary(r);
    });
    Client client(gateway.url());
    client.say(kInitialize);
    client.say(kCall);
    EXPECT_EQ(client.end(), 0);
    EXPECT_TRUE(client.lines(2).back().starts_with(R"({"jsonrpc":"2.0","id":1,"error":{"code":)")) << c.what;
    // A GET on a pooled connection that closes without a word is sent once more by the HTTP client.
    EXPECT_GE(gateway.seen([](const Seen& r) { return r.has("Last-Event-ID"); }).size(), c.gets) << c.what;
    EXPECT_LE(gateway.seen([](const Seen& r) { return r.has("Last-Event-ID"); }).size(), 2 * c.gets) << c.what;
  }
}

TEST(StdioBridge, BeginsAgainOnceWhenTheGatewayForgotTheSession) {
  std::atomic<int> sessions{0};
  FakeGateway gateway([&](const Seen& r) {
    if (r.says("\"initialize\"")) {
      return json_answer(kInitializeResult, "Mcp-Session-Id: s" + std::to_string(++sessions) + "\r\n");
    }
    if (r.says("tools/list") && r.has("Mcp-Session-Id: s1")) return empty_answer(404);
    return ordinary(r);
  });
  Client client(gateway.url());
  client.say(kInitialize);
  for (int i = 0; i < 20; ++i) client.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  const auto lines = client.lines(21);
  EXPECT_EQ(std::ranges::count(lines, kAnswer), 20);
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(sessions, 2);
  EXPECT_EQ(client.lines(21).size(), 21U);  // the second initialize was not the client's
}

TEST(StdioBridge, AResponseIsNotSentToASessionThatNeverAsked) {
  FakeGateway gateway([](const Seen& r) { return is_said(r) ? empty_answer(404) : ordinary(r); });
  Client client(gateway.url());
  client.say(kInitialize);
  (void)client.lines(1);
  client.say(kSaid);
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(gateway.seen(is_said).size(), 1U);
  EXPECT_EQ(gateway.seen([](const Seen& r) { return r.says("\"initialize\""); }).size(), 1U);
}

TEST(StdioBridge, ASecondInitializeEndsTheFirstSession) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialize);
  (void)client.lines(2);
  const auto seen = gateway.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].method, "DELETE");
  EXPECT_FALSE(seen[2].has("Mcp-Session-Id"));
}

TEST(StdioBridge, TurnsRefusalsIntoAnswersOfTheRequest) {
  FakeGateway gateway([](const Seen&) {
    return json_answer(R"({"error":{"code":"authentication_failed","message":"The credential is not valid"}})", "",
                       401);
  });
  Client client(gateway.url());
  client.say(kInitialize);
  const auto lines = client.lines(1);
  EXPECT_NE(lines[0].find(R"("id":0,"error":{"code":)"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("The credential is not valid"), std::string::npos);
}

TEST(StdioBridge, AnErrorWithoutAnIdGetsTheRequestsOwn) {
  FakeGateway gateway([](const Seen&) {
    return json_answer(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no","data":[1.50]}})", "", 400);
  });
  Client client(gateway.url());
  client.say(R"({"jsonrpc":"2.0","id":"q","method":"ping"})");
  client.say(R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}])");
  auto lines = client.lines(3);
  std::ranges::sort(lines);
  EXPECT_EQ(lines[0], R"({"jsonrpc":"2.0","id":"q","error":{"code":-32000,"message":"no","data":[1.50]}})");
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no","data":[1.50]}})");
  EXPECT_EQ(lines[2], R"({"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"no","data":[1.50]}})");
}

TEST(StdioBridge, AnswersWhenNobodyListens) {
  Client client("http://127.0.0.1:1/mcp");
  client.say(R"({"jsonrpc":"2.0","id":"a","method":"ping"})");
  EXPECT_NE(client.lines(1)[0].find(R"("id":"a","error":{)"), std::string::npos);
  EXPECT_EQ(client.end(), 0);
}

TEST(StdioBridge, AnswersWhatIsInFlightWhenTheInputEnds) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  client.say(kInitialize);
  for (int i = 0; i < 600; ++i) client.say(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  EXPECT_EQ(client.end(), 0);
  const auto lines = client.lines(601);
  EXPECT_EQ(std::ranges::count(lines, kAnswer), 600);
}

}  // namespace
}  // namespace sallyport::cli
