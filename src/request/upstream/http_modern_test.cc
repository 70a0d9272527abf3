// MCP 2026-07-28 over HTTP: what is sent, what is read, what is dropped.
#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Exchange;
using testing::Recorder;
using testing::run;
using testing::TestHttpServer;
using testing::text_of;
using testing::Worker;

using CallHandler = std::function<Task<void>(Exchange&)>;

TestHttpServer::Handler server_with(CallHandler on_call) {
  return [on_call = std::move(on_call)](Exchange& e) -> Task<void> {
    if (e.request.method() == "server/discover")
      co_await e.result(R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete"})");
    else co_await on_call(e);
  };
}

Task<void> say_hello(Exchange& e) {
  return e.result(R"({ "content": [ {"type":"text","text":"hello"} ], "resultType":"complete" })",
                  "Mcp-Session-Id: not-in-this-revision\r\n");
}

std::string error_body(std::string_view id, int code) {
  return "{\"jsonrpc\":\"2.0\"" + (id.empty() ? "" : ",\"id\":" + std::string(id)) +
         ",\"error\":{\"code\":" + std::to_string(code) + ",\"message\":\"m\"}}";
}

std::string notification(std::string_view method, std::string_view params) {
  return "{\"jsonrpc\":\"2.0\",\"method\":\"" + std::string(method) + "\",\"params\":" + std::string(params) + "}";
}

TEST(ModernHttp, ARequestIsWholeInItselfAndNothingIsKept) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  const auto session = w.open(w.http(http.url()));
  Call call = w.make_call("t\xc3\xa9", R"({"region":"eu","level":3})");
  call.header_params = std::make_shared<mcp_header::Params>(mcp_header::read_schema(
      R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}})"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(text_of(run(w.context, session->call(call, nullptr))), "hello");
  run(w.context, w.upstreams.stop());
  ASSERT_EQ(http.seen.size(), 3U);  // and no GET, no DELETE
  for (std::size_t i = 1; i < 3; ++i) {
    const auto& seen = http.seen[i];
    EXPECT_TRUE(seen.has("mcp-protocol-version: 2026-07-28\r\n"));
    EXPECT_TRUE(seen.has("mcp-method: tools/call\r\n"));
    EXPECT_TRUE(seen.has("mcp-name: =?base64?")) << seen.head;
    EXPECT_TRUE(seen.has("mcp-param-region: eu\r\n"));
    EXPECT_TRUE(seen.has("accept: application/json, text/event-stream\r\n"));
    EXPECT_FALSE(seen.has("mcp-session-id"));
    EXPECT_NE(seen.body.find(R"("io.modelcontextprotocol/protocolVersion":"2026-07-28")"), std::string::npos);
  }
}

TEST(ModernHttp, NotificationsOfOursAreNotSent) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  const auto session = w.open(w.http(http.url()));
  EXPECT_TRUE(run(w.context, session->notify("notifications/roots/list_changed", {})));
  EXPECT_EQ(http.seen.size(), 1U);
}

TEST(ModernHttp, HeadersOfOursCannotBeConfigured) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  for (const auto* name : {"Mcp-Method", "mcp-name", "Mcp-Param-Region", "MCP-Protocol-Version"}) {
    auto server = std::make_shared<ServerRecord>(*w.http(http.url(), "s" + std::to_string(name[4])));
    server->headers[name] = "forged";
    EXPECT_EQ(w.try_open(server).error().code, Code::config) << name;
  }
  EXPECT_TRUE(http.seen.empty());
}

TEST(ModernHttp, AStreamCarriesProgressAndLogsOfItsCallAndNothingElse) {
  Worker w;
  TestHttpServer http(
      w.context, server_with([](Exchange& e) -> Task<void> {
        co_await e.begin_sse();
        co_await e.event(
            notification("notifications/progress", R"({"progressToken":)" + e.request.id() + R"(,"progress":1})"));
        co_await e.event(notification("notifications/message", R"({"level":"info","data":1})"));
        co_await e.event(notification("notifications/tools/list_changed", "{}"));
        co_await e.event(R"({"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}})");
        co_await e.event(R"({"jsonrpc":"2.0","id":9999,"result":{}})");
        co_await e.event("{\"jsonrpc\":\"2.0\",\"id\":" + e.request.id() + R"(,"result":{"resultType":"complete"}})");
        co_await e.end_sse();
      }));
  const auto session = w.open(w.http(http.url()));
  testing::Answering events([](std::string, std::string) -> Task<Reply> { co_return Reply{false, "{}"}; });
  const auto reply = w.call(*session, "t", "{}", &events);
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_EQ(reply->body, R"({"resultType":"complete"})");
  EXPECT_EQ(events.progresses, std::vector<std::string>{R"({"progress":1})"});
  EXPECT_EQ(events.notifications, std::vector<std::string>{R"(notifications/message {"level":"info","data":1})"});
  EXPECT_TRUE(events.asked.empty());
  EXPECT_TRUE(w.notices.empty());
  EXPECT_EQ(http.seen.size(), 2U);  // nobody answered it
}

// MCP 2026-07-28, Streamable HTTP: closing the stream is the cancel.
TEST(ModernHttp, ACancelledOrLateCallClosesItsStreamAndSaysNothing) {
  for (const bool late : {true, false}) {
    Worker w;
    int closed = 0;
    TestHttpServer http(w.context, server_with([&](Exchange& e) -> Task<void> {
                          co_await e.begin_sse();
                          co_await e.until_closed();
                          ++closed;
                        }));
    const auto session = w.open(w.http(http.url()));
    TaskGroup group(w.context.get_executor(), [](const char*) {});
    std::string outcome;
    group.spawn([](SessionPtr s, Call call, std::string& out) -> Task<void> {
      out = error_of(co_await s->call(std::move(call), nullptr));
    }(session, w.make_call("t", "{}", std::chrono::milliseconds{late ? 50 : 15'000}), outcome));
    ASSERT_TRUE(testing::becomes_true(w.context, [&] { return http.seen.size() == 2; }));
    if (late) run(w.context, group.join());
    else testing::cancel(w.context, group);
    EXPECT_TRUE(outcome.starts_with(late ? "upstream_timeout" : "cancelled")) << outcome;
    EXPECT_TRUE(testing::becomes_true(w.context, [&] { return closed == 1; }));
    EXPECT_EQ(http.seen.size(), 2U);
  }
}

TEST(ModernHttp, RevocationEndsAnOpenStream) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) { return e.begin_sse(); }));
  const auto session = w.open(w.http(http.url()));
  std::string outcome;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](SessionPtr s, Call c, std::string& out) -> Task<void> {
    out = error_of(co_await s->call(std::move(c), nullptr));
  }(session, w.make_call("t"), outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return http.seen.size() == 2; }));
  for (int i = 0; i < 20; ++i) w.context.poll();
  w.upstreams.end_principal("user:1");
  run(w.context, group.join());
  EXPECT_EQ(outcome, "cancelled: the principal was revoked");
}

TEST(ModernHttp, ErrorsBehind400And404AreReplies) {
  const std::vector<std::pair<int, int>> table{{404, -32601}, {400, -32602}, {400, -32700}, {400, -32600},
                                               {400, -32021}, {200, -32603}, {400, -31999}};
  for (const auto& [status, code] : table) {
    for (const std::string id : {"", "null", "ours"}) {
      if (id != "ours" && (status == 200 || code == -31999)) continue;
      Worker w;
      const int answered = status, said = code;
      TestHttpServer http(w.context, server_with([&](Exchange& e) {
                            return e.json(error_body(id == "ours" ? e.request.id() : id, said), {}, answered);
                          }));
      const auto reply = w.call(*w.open(w.http(http.url())), "t");
      ASSERT_TRUE(reply) << status << " " << code << " " << id << ": " << error_of(reply);
      EXPECT_TRUE(reply->is_error);
      EXPECT_EQ(http.of("tools/call").size(), 1U);
    }
  }
}

TEST(ModernHttp, StatusesBecomeErrorsWithoutTheServersWords) {
  const std::vector<std::pair<int, Code>> table{
      {401, Code::upstream_refused},     {403, Code::upstream_refused},     {302, Code::upstream_refused},
      {500, Code::upstream_unavailable}, {429, Code::upstream_unavailable}, {202, Code::upstream_protocol},
      {400, Code::upstream_protocol},    {404, Code::upstream_protocol}};  // those two after another handshake
  for (const auto& [status, code] : table) {
    Worker w;
    const int answered = status;
    TestHttpServer http(w.context, server_with([&](Exchange& e) {
                          return e.status(answered, "WWW-Authenticate: Bearer resource_metadata=\"http://evil\"\r\n");
                        }));
    const auto reply = w.call(*w.open(w.http(http.url())), "t");
    ASSERT_FALSE(reply) << status;
    EXPECT_EQ(reply.error().code, code) << status;
    EXPECT_EQ(reply.error().detail.find("evil"), std::string::npos);
    EXPECT_EQ(http.of("tools/call").size(), code == Code::upstream_protocol && status >= 400 ? 2U : 1U) << status;
  }
}

TEST(ModernHttpAbuse, BadAnswersAreRefused) {
  Worker w;
  std::string body;
  TestHttpServer http(w.context, server_with([&](Exchange& e) {
                        if (const auto at = body.find("ID"); at != std::string::npos)
                          body.replace(at, 2, e.request.id());
                        return e.json(body);
                      }));
  const auto session = w.open(w.http(http.url()));
  for (
      const auto* bad :
      {"{", R"({"jsonrpc":"2.0","id":99999,"result":{}})", R"({"jsonrpc":"2.0","id":null,"result":{}})",
       R"({"jsonrpc":"2.0","id":"ID","result":{}})", R"({"jsonrpc":"2.0","id":99999,"error":{"code":1}})",
       R"({"jsonrpc":"2.0","id":ID,"method":"x"})", R"({"jsonrpc":"2.0","id":ID,"result":{"resultType":"task"}})",
       R"({"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","resultType":"input_required"}})",
       R"({"jsonrpc":"2.0","id":ID,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}}}})"}) {
    body = bad;
    EXPECT_EQ(error_of(w.call(*session, "t")).substr(0, 18), "upstream_protocol:") << bad;
  }
  EXPECT_TRUE(session->alive());
}

TEST(ModernHttpAbuse, AnAnswerOverTheLimitIsRefused) {
  Worker w;
  TestHttpServer http(
      w.context, server_with([&](Exchange& e) {
        return e.result(R"({"resultType":"input_required","requestState":")" + std::string(2U << 20, 'x') + "\"}");
      }));
  EXPECT_EQ(w.call(*w.open(w.http(http.url())), "t").error().code, Code::upstream_too_large);
}

// mcp-spec.md, 10, trap 18.
TEST(ModernHttpAbuse, AStreamThatBreaksFailsAndTheCallIsNotRepeated) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) -> Task<void> {
                        co_await e.begin_sse();
                        co_await e.event(notification("notifications/message", R"({"level":"info","data":1})"), "ev-1");
                        e.cut();
                      }));
  EXPECT_EQ(w.call(*w.open(w.http(http.url())), "t").error().code, Code::upstream_unavailable);
  EXPECT_EQ(http.seen.size(), 2U);  // no GET with Last-Event-ID: gone in this revision
}

}  // namespace
}  // namespace sallyport::upstream
