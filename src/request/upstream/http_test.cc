// Sessions with tool servers over Streamable HTTP, good ones and others.
#include "request/upstream/http_test_server.h"
#include "request/upstream/listing.h"
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

constexpr const char* kInitialized =
    R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"h"}})";
constexpr const char* kSession = "Mcp-Session-Id: s-1\r\n";

using CallHandler = std::function<Task<void>(Exchange&)>;

// A well-behaved server whose tools/call is up to the test.
TestHttpServer::Handler server_with(CallHandler on_call, std::string headers = kSession) {
  return [on_call = std::move(on_call), headers = std::move(headers)](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") co_await e.result(kInitialized, headers);
    else if (method == "tools/call") co_await on_call(e);
    else if (method == "GET") co_await e.status(405);
    else if (method == "DELETE") co_await e.status(200);
    else co_await e.status(202);
  };
}

Task<void> say_hello(Exchange& e) { return e.result(R"({ "content": [ {"type":"text","text":"hello"} ] })"); }

std::string notification(std::string_view method, std::string_view params) {
  return "{\"jsonrpc\":\"2.0\",\"method\":\"" + std::string(method) + "\",\"params\":" + std::string(params) + "}";
}

std::string answer_text(const Exchange& e, std::string_view text) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + e.request.id() + ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" +
         std::string(text) + "\"}]}}";
}

TEST(UpstreamHttp, InitializesCallsAndSaysGoodbye) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  const auto session = w.open(w.http(http.url()));
  EXPECT_EQ(session->info().protocol_version, "2025-06-18");
  const auto reply = w.call(*session, "t");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_EQ(reply->body, R"({"content":[{"type":"text","text":"hello"}]})");
  run(w.context, w.upstreams.stop());
  const auto call = http.of("tools/call").at(0);
  EXPECT_TRUE(call.has("mcp-session-id: s-1\r\n"));
  EXPECT_TRUE(call.has("mcp-protocol-version: 2025-06-18\r\n"));
  EXPECT_TRUE(call.has("accept: application/json, text/event-stream\r\n"));
  EXPECT_TRUE(call.has("content-type: application/json\r\n"));
  EXPECT_FALSE(http.of("initialize").at(0).has("mcp-protocol-version"));
  EXPECT_TRUE(http.of("DELETE").at(0).has("mcp-session-id: s-1\r\n"));
  EXPECT_EQ(http.of("notifications/initialized").size(), 1U);
}

TEST(UpstreamHttp, ConfiguredHeadersAreResolvedAndOursCannotBeSet) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  auto server = std::make_shared<ServerRecord>(*w.http(http.url()));
  server->headers["Authorization"] = "${env:TOKEN}";
  EXPECT_EQ(text_of(w.call(*w.open(server), "t")), "hello");
  for (const auto& request : http.seen) EXPECT_TRUE(request.has("authorization: hush\r\n")) << request.head;
  server = std::make_shared<ServerRecord>(*w.http(http.url(), "other"));
  server->headers["MCP-Session-ID"] = "forged";
  EXPECT_EQ(w.try_open(server).error().code, Code::config);
  server->headers.clear();
  server->headers["X"] = "${vault:none}";
  EXPECT_EQ(w.try_open(std::make_shared<ServerRecord>(*server)).error().code, Code::config);
}

TEST(UpstreamHttp, TheGuardHoldsWithoutAllowPrivate) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello));
  auto server = std::make_shared<ServerRecord>(*w.http(http.url()));
  server->allow_private = false;
  EXPECT_EQ(w.try_open(server).error().code, Code::egress_refused);
  EXPECT_TRUE(http.seen.empty());
}

TEST(UpstreamHttp, AStreamCarriesProgressAndLogsOfItsCall) {
  Worker w;
  TestHttpServer http(
      w.context, server_with([](Exchange& e) -> Task<void> {
        co_await e.begin_sse();
        co_await e.event(
            notification("notifications/progress", R"({"progressToken":)" + e.request.id() + R"(,"progress":1})"));
        co_await e.event(notification("notifications/progress", R"({"progressToken":9999,"progress":2})"));
        co_await e.event(notification("notifications/message", R"({"level":"info","data":1})"));
        co_await e.event(R"({"jsonrpc":"2.0","id":9999,"result":{}})");
        co_await e.event(answer_text(e, "streamed"));
        co_await e.event(notification("notifications/message", R"({"level":"info","data":2})"));
        co_await e.end_sse();
      }));
  const auto session = w.open(w.http(http.url()));
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "t", "{}", &events)), "streamed");
  EXPECT_EQ(events.progresses, std::vector<std::string>{R"({"progress":1})"});
  EXPECT_EQ(events.notifications, std::vector<std::string>{R"(notifications/message {"level":"info","data":1})"});
  EXPECT_EQ(text_of(w.call(*session, "t")), "streamed");
}

TEST(UpstreamHttp, RequestsInAStreamAreAnsweredByUs) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) -> Task<void> {
                        co_await e.begin_sse();
                        co_await e.event(R"({"jsonrpc":"2.0","id":"p","method":"ping"})");
                        co_await e.event(R"({"jsonrpc":"2.0","id":"r","method":"roots/list"})");
                        co_await e.event(answer_text(e, "asked"));
                        co_await e.end_sse();
                      }));
  const auto session = w.open(w.http(http.url()));
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "t", "{}", &events)), "asked");
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return http.of("answer").size() == 2; }));
  EXPECT_EQ(http.of("answer")[0].body, R"({"jsonrpc":"2.0","id":"p","result":{}})");
  EXPECT_NE(http.of("answer")[1].body.find("-32601"), std::string::npos);
}

TEST(UpstreamHttp, AForgottenSessionIsOpenedAgainOnce) {
  Worker w;
  int initialized = 0;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") {
      ++initialized;
      co_await e.result(kInitialized, "Mcp-Session-Id: s-" + std::to_string(initialized) + "\r\n");
    } else if (method == "tools/call") {
      if (e.request.has("mcp-session-id: s-2\r\n")) co_await say_hello(e);
      else co_await e.status(404);
    } else {
      co_await e.status(method == "GET" ? 405 : 202);
    }
  });
  const auto session = w.open(w.http(http.url()));
  EXPECT_EQ(text_of(w.call(*session, "t")), "hello");
  EXPECT_EQ(initialized, 2);
  EXPECT_FALSE(http.of("initialize")[1].has("mcp-session-id"));
  EXPECT_EQ(text_of(w.call(*session, "t")), "hello");
  EXPECT_EQ(initialized, 2);
}

TEST(UpstreamHttp, AServerThatForgetsEverySessionIsNotAskedForEver) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) { return e.status(404); }));
  const auto session = w.open(w.http(http.url()));
  EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_protocol);
  EXPECT_EQ(http.of("tools/call").size(), 2U);
}

TEST(UpstreamHttp, ABrokenStreamIsResumedByItsEventId) {
  Worker w;
  std::string id;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") {
      co_await e.result(kInitialized, kSession);
    } else if (method == "tools/call") {
      id = e.request.id();
      co_await e.begin_sse();
      co_await e.event("\nretry: 1", "ev-1");
      e.cut();
    } else if (method == "GET" && e.request.has("last-event-id: ev-1\r\n")) {
      co_await e.begin_sse();
      co_await e.event(
          "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"resumed\"}]}}",
          "ev-2");
      co_await e.end_sse();
    } else {
      co_await e.status(method == "GET" ? 405 : 202);
    }
  });
  const auto session = w.open(w.http(http.url()));
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "t", "{}", &events)), "resumed");
  EXPECT_EQ(http.of("tools/call").size(), 1U);
}

TEST(UpstreamHttp, AStreamThatBreaksWithoutAnIdFailsAndIsNotRetried) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) -> Task<void> {
                        co_await e.begin_sse();
                        co_await e.event(notification("notifications/message", R"({"level":"info","data":1})"));
                        e.cut();
                      }));
  const auto session = w.open(w.http(http.url()));
  Recorder events;
  EXPECT_EQ(w.call(*session, "t", "{}", &events).error().code, Code::upstream_unavailable);
  EXPECT_EQ(http.of("tools/call").size(), 1U);
}

TEST(UpstreamHttp, ADeadlineTellsTheServer) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) -> Task<void> {
                        co_await e.begin_sse();  // and nothing more
                      }));
  const auto session = w.open(w.http(http.url()));
  EXPECT_EQ(w.call(*session, "t", "{}", nullptr, std::chrono::milliseconds{150}).error().code, Code::upstream_timeout);
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !http.of("notifications/cancelled").empty(); }));
  ASSERT_FALSE(http.of("tools/call").empty());
  const std::string its = "\"requestId\":" + http.of("tools/call")[0].id() + ",";
  EXPECT_NE(http.of("notifications/cancelled")[0].body.find(its), std::string::npos);
}

TEST(UpstreamHttp, CancellingTellsTheServer) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) { return e.begin_sse(); }));
  const auto session = w.open(w.http(http.url()));
  std::string outcome;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](SessionPtr s, Call call, std::string& out) -> Task<void> {
    out = error_of(co_await s->call(std::move(call), nullptr));
  }(session, w.make_call("t"), outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !http.of("tools/call").empty(); }));
  testing::cancel(w.context, group);
  EXPECT_EQ(outcome, "cancelled: the caller cancelled");
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return !http.of("notifications/cancelled").empty(); }));
}

TEST(UpstreamHttp, RevocationEndsAnOpenStream) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) { return e.begin_sse(); }));
  const auto session = w.open(w.http(http.url()));
  std::string outcome;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  Call call = w.make_call("t");
  call.wants_progress = true;
  group.spawn([](SessionPtr s, Call c, std::string& out) -> Task<void> {
    out = error_of(co_await s->call(std::move(c), nullptr));
  }(session, std::move(call), outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !http.of("tools/call").empty(); }));
  for (int i = 0; i < 20; ++i) w.context.poll();
  w.upstreams.end_principal("user:1");
  run(w.context, group.join());
  EXPECT_EQ(outcome, "cancelled: the principal was revoked");
}

TEST(UpstreamHttp, TheGetStreamBringsWhatIsSaidUnasked) {
  Worker w;
  int gets = 0;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") {
      co_await e.result(kInitialized, kSession);
    } else if (method == "GET") {
      ++gets;
      co_await e.begin_sse();
      co_await e.event(notification("notifications/tools/list_changed", "{}"), "g-1");
      co_await e.event(notification("notifications/unknown", "{}"));
      co_await e.event(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
    } else {
      co_await e.status(202);
    }
  });
  const auto session = w.open(w.http(http.url()));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !w.notices.empty() && !http.of("answer").empty(); }));
  EXPECT_EQ(w.notices, std::vector<std::string>{"remote|user:1|notifications/tools/list_changed|{}"});
  EXPECT_EQ(gets, 1);
}

TEST(UpstreamHttp, StatusesBecomeErrorsWithoutTheServersWords) {
  Worker w;
  int status = 0;
  TestHttpServer http(w.context, server_with([&](Exchange& e) {
                        return e.status(status, "WWW-Authenticate: Bearer resource_metadata=\"http://evil\"\r\n");
                      }));
  const auto session = w.open(w.http(http.url()));
  const std::vector<std::pair<int, Code>> table{{401, Code::upstream_refused},     {403, Code::upstream_refused},
                                                {302, Code::upstream_refused},     {400, Code::upstream_refused},
                                                {500, Code::upstream_unavailable}, {503, Code::upstream_unavailable},
                                                {429, Code::upstream_unavailable}, {202, Code::upstream_protocol}};
  for (const auto& [answered, code] : table) {
    status = answered;
    const auto reply = w.call(*session, "t");
    ASSERT_FALSE(reply) << answered;
    EXPECT_EQ(reply.error().code, code) << answered;
    EXPECT_EQ(reply.error().detail.find("evil"), std::string::npos);
  }
}

TEST(UpstreamHttp, AJsonRpcErrorBehindAStatusIsAReply) {
  Worker w;
  TestHttpServer http(w.context, server_with([](Exchange& e) {
                        return e.json(
                            R"({"jsonrpc":"2.0","id":)" + e.request.id() + R"(,"error":{"code":-32602,"message":"m"}})",
                            {}, 400);
                      }));
  const auto reply = w.call(*w.open(w.http(http.url())), "t");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_TRUE(reply->is_error);
}

TEST(UpstreamHttp, BadAnswersAreRefused) {
  Worker w;
  std::string body;
  TestHttpServer http(w.context, server_with([&](Exchange& e) {
                        if (const auto at = body.find("ID"); at != std::string::npos)
                          body.replace(at, 2, e.request.id());
                        return e.json(body);
                      }));
  const auto session = w.open(w.http(http.url()));
  for (const auto* bad :
       {"", "{", "[]", R"({"jsonrpc":"2.0","id":99999,"result":{}})", R"({"jsonrpc":"2.0","id":"ID","result":{}})",
        R"({"jsonrpc":"2.0","method":"x"})", "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"a\":\"\xff\"}}"}) {
    body = bad;
    EXPECT_EQ(error_of(w.call(*session, "t")).substr(0, 18), "upstream_protocol:") << bad;
  }
}

TEST(UpstreamHttp, AnAnswerOverTheLimitIsRefused) {
  Worker w;
  TestHttpServer http(
      w.context, server_with([&](Exchange& e) { return e.result("{\"a\":\"" + std::string(2U << 20, 'x') + "\"}"); }));
  const auto session = w.open(w.http(http.url()));
  EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_too_large);
  Recorder events;
  EXPECT_EQ(w.call(*session, "t", "{}", &events).error().code, Code::upstream_too_large);
}

TEST(UpstreamHttp, AHostileSessionIdIsRefused) {
  Worker w;
  TestHttpServer http(w.context, server_with(say_hello, "Mcp-Session-Id: a b\r\n"));
  EXPECT_EQ(w.try_open(w.http(http.url())).error().code, Code::upstream_protocol);
}

TEST(UpstreamHttp, NobodyListens) {
  Worker w;
  std::string url;
  {
    url = TestHttpServer(w.context, server_with(say_hello)).url();
  }
  EXPECT_EQ(w.try_open(w.http(url)).error().code, Code::upstream_unavailable);
}

}  // namespace
}  // namespace sallyport::upstream
