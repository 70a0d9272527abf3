// HTTP+SSE of 2024-11-05: when it is tried, what goes where, and what a broken stream does.
#include "request/upstream/sse_connection.h"

#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::Answering;
using testing::error_of;
using testing::Exchange;
using testing::run;
using testing::TestHttpServer;
using testing::text_of;
using testing::Worker;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// A server that knows no POST to its own URL: the stream names /messages, and answers come over it.
struct SseServer {
  using CallHandler = std::function<Task<void>(SseServer&, Exchange&)>;

  explicit SseServer(Worker& w, CallHandler on_call = {})
      : on_call(std::move(on_call)), http(w.context, [this](Exchange& e) { return serve(e); }) {}

  Task<void> serve(Exchange& e) {
    if (e.request.method() == "GET") return open(e);
    if (contains(e.request.head, "post /messages?session=")) return take(e);
    return e.status(refusal);
  }
  Task<void> open(Exchange& e) {
    if (get_status != 200) co_return co_await e.status(get_status);
    ++opened;
    co_await e.begin_sse();
    if (!endpoint.empty()) co_await e.named_event("endpoint", endpoint);
    stream = &e;
    co_await e.until_closed();
    stream = nullptr;
  }
  Task<void> take(Exchange& e) {
    const std::string method = e.request.method();
    if (method == "tools/call" && on_call) co_return co_await on_call(*this, e);
    co_await e.status(202);
    if (method == "initialize")
      co_await result(e, R"({"protocolVersion":"2024-11-05","capabilities":{"tools":{}},"serverInfo":{"name":"old"}})");
    if (method == "tools/call") co_await text(e, "hello");
  }
  Task<void> result(Exchange& e, std::string object) {
    return say("{\"jsonrpc\":\"2.0\",\"id\":" + e.request.id() + ",\"result\":" + object + "}");
  }
  Task<void> text(Exchange& e, std::string_view words) {
    return result(e, R"({"content":[{"type":"text","text":")" + std::string(words) + "\"}]}");
  }
  Task<void> say(std::string message) {
    if (stream != nullptr) co_await stream->event(std::move(message));
  }

  CallHandler on_call;
  int refusal = 404;  // of a POST elsewhere
  int get_status = 200;
  std::string endpoint = "/messages?session=hush";
  int opened = 0;
  Exchange* stream = nullptr;
  TestHttpServer http;
};

TEST(UpstreamSse, IsTriedWhereTheStreamablePostIsRefused) {
  for (const int refusal : {400, 404, 405}) {
    Worker w;
    SseServer old(w);
    old.refusal = refusal;
    const auto server = w.http(old.http.url());
    const auto session = w.open(server);
    EXPECT_EQ(session->info().revision, Revision::r2024_11_05);
    EXPECT_FALSE(session->stateless());
    EXPECT_EQ(text_of(w.call(*session, "t")), "hello");
    std::vector<std::string> order;
    for (const auto& seen : old.http.seen) order.push_back(seen.method());
    EXPECT_EQ(order, (std::vector<std::string>{"server/discover", "initialize", "GET", "initialize",
                                               "notifications/initialized", "tools/call"}));
    EXPECT_TRUE(old.http.of("GET")[0].has("accept: text/event-stream\r\n"));
    EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy_sse);
    w.open(server, "user:2");
    EXPECT_EQ(old.http.of("server/discover").size(), 1U);  // straight to the stream
    EXPECT_EQ(old.opened, 2);
  }
}

TEST(UpstreamSse, IsNotTriedAfterAWallOrAnOverload) {
  for (const int refusal : {401, 403, 429, 500}) {
    Worker w;
    SseServer old(w);
    old.refusal = refusal;
    EXPECT_FALSE(w.try_open(w.http(old.http.url())));
    EXPECT_TRUE(old.http.of("GET").empty()) << refusal;
  }
}

TEST(UpstreamSse, WithoutAStreamTheFirstRefusalIsSaid) {
  Worker w;
  SseServer none(w);
  none.get_status = 405;
  const auto server = w.http(none.http.url());
  EXPECT_TRUE(contains(w.try_open(server).error().detail, "404"));
  EXPECT_FALSE(w.eras.of(*server));
}

TEST(UpstreamSse, ConfiguredHeadersGoToBothPlaces) {
  Worker w;
  SseServer old(w);
  auto server = std::make_shared<ServerRecord>(*w.http(old.http.url()));
  server->headers["Authorization"] = "${env:TOKEN}";
  w.call(*w.open(server), "t");
  for (const auto& seen : old.http.seen) EXPECT_TRUE(seen.has("authorization: hush\r\n")) << seen.head;
}

TEST(UpstreamSseAbuse, AnEndpointOfAnotherOriginGetsNothing) {
  Worker w;
  SseServer old(w);
  TestHttpServer other(w.context, [](Exchange& e) { return e.status(202); });
  old.endpoint = other.url();
  const auto opened = w.try_open(w.http(old.http.url()));
  EXPECT_EQ(opened.error().code, Code::upstream_protocol);
  EXPECT_TRUE(contains(opened.error().detail, "another origin")) << opened.error().detail;
  EXPECT_TRUE(other.seen.empty());
}

TEST(UpstreamSseAbuse, ALaterEndpointIsIgnored) {
  Worker w;
  SseServer old(w);
  const auto session = w.open(w.http(old.http.url()));
  run(w.context, old.stream->named_event("endpoint", "/elsewhere"));
  EXPECT_EQ(text_of(w.call(*session, "t")), "hello");
}

TEST(UpstreamSseAbuse, AStreamThatNamesNoEndpointIsGivenUp) {
  Worker w;
  SseServer old(w);
  old.endpoint.clear();
  auto server = std::make_shared<ServerRecord>(*w.http(old.http.url()));
  server->start_timeout = std::chrono::milliseconds{100};
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_timeout);
  EXPECT_FALSE(w.eras.of(*server));
}

TEST(UpstreamSse, ABrokenStreamFailsTheCallsThatWaitAndTheNextOneOpensAnother) {
  Worker w;
  bool breaks = true;
  SseServer old(w, [&](SseServer& server, Exchange& e) -> Task<void> {
    co_await e.status(202);
    if (breaks) server.stream->cut();
    else co_await server.text(e, "again");
  });
  const auto session = w.open(w.http(old.http.url()));
  EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_unavailable);
  EXPECT_TRUE(session->alive());
  breaks = false;
  EXPECT_EQ(text_of(w.call(*session, "t")), "again");
  EXPECT_EQ(old.opened, 2);
  EXPECT_EQ(old.http.of("tools/call").size(), 2U);  // what may have been executed is not repeated
}

TEST(UpstreamSse, ACallThatTheServerNoLongerKnowsIsSentAgainOverANewStream) {
  Worker w;
  bool forgets = true;
  SseServer old(w, [&](SseServer& server, Exchange& e) -> Task<void> {
    if (std::exchange(forgets, false)) co_return co_await e.status(404);
    co_await e.status(202);
    co_await server.text(e, "again");
  });
  EXPECT_EQ(text_of(w.call(*w.open(w.http(old.http.url())), "t")), "again");
  EXPECT_EQ(old.opened, 2);
}

TEST(UpstreamSse, AServerThatWasUpgradedIsFoundOut) {
  Worker w;
  TestHttpServer http(w.context, [](Exchange& e) -> Task<void> {
    if (e.request.method() == "GET") co_await e.status(405);
    else co_await e.result(R"({"supportedVersions":["2026-07-28"],"capabilities":{},"resultType":"complete"})");
  });
  const auto server = w.http(http.url());
  w.eras.learn(*server, Speech::legacy_sse);
  EXPECT_EQ(w.open(server)->info().revision, kModern);
}

TEST(UpstreamSse, TheStreamCarriesProgressNoticesAndQuestions) {
  Worker w;
  SseServer old(w, [](SseServer& server, Exchange& e) -> Task<void> {
    co_await e.status(202, "Connection: close\r\n");  // the answer comes over another
    co_await server.say(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" +
                        e.request.id() + R"(,"progress":1}})");
    co_await server.say(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
    co_await server.say(R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}})");
    while (server.http.of("answer").empty()) co_await after_this_turn(co_await asio::this_coro::executor);
    co_await server.text(e, "done");
  });
  const auto session = w.open(w.http(old.http.url()));
  Answering events([](std::string, std::string) -> Task<Reply> { co_return Reply{false, R"({"action":"accept"})"}; });
  Call call = w.make_call("t");
  call.wants_progress = true;
  EXPECT_EQ(text_of(run(w.context, session->call(call, &events))), "done");
  EXPECT_EQ(events.progresses, std::vector<std::string>{R"({"progress":1})"});
  EXPECT_EQ(events.asked, std::vector<std::string>{"elicitation/create"});
  EXPECT_EQ(w.notices, std::vector<std::string>{"remote|user:1|notifications/tools/list_changed|"});
  ASSERT_EQ(old.http.of("answer").size(), 1U);
  EXPECT_TRUE(contains(old.http.of("answer")[0].body, R"("id":"q","result":{"action":"accept"})"));
}

TEST(UpstreamSse, AnAnswerMayComeBeforeThatOfThePost) {
  Worker w;
  SseServer old(w, [](SseServer& server, Exchange& e) -> Task<void> {
    co_await server.text(e, "early");
    co_await e.until_closed();  // and no answer to the POST at all
  });
  EXPECT_EQ(text_of(w.call(*w.open(w.http(old.http.url())), "t")), "early");
}

TEST(UpstreamSse, TheServerIsToldOfALateCall) {
  Worker w;
  SseServer old(w, [](SseServer&, Exchange& e) { return e.status(202); });
  const auto session = w.open(w.http(old.http.url()));
  EXPECT_EQ(w.call(*session, "t", "{}", nullptr, std::chrono::milliseconds{30}).error().code, Code::upstream_timeout);
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return old.http.of("notifications/cancelled").size() == 1; }));
}

TEST(UpstreamSse, RevocationClosesTheStream) {
  Worker w;
  SseServer old(w, [](SseServer&, Exchange& e) { return e.status(202); });
  const auto session = w.open(w.http(old.http.url()));
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  std::string outcome;
  group.spawn([](SessionPtr s, Call call, std::string& out) -> Task<void> {
    out = error_of(co_await s->call(std::move(call), nullptr));
  }(session, w.make_call("t"), outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return old.http.of("tools/call").size() == 1; }));
  w.upstreams.end_principal("user:1");
  run(w.context, group.join());
  EXPECT_EQ(outcome, "cancelled: the principal was revoked");
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return old.stream == nullptr; }));
}

TEST(UpstreamSse, ARefusedPostIsTheCallsErrorWithoutTheServersWords) {
  const std::vector<std::pair<int, Code>> table{
      {400, Code::upstream_refused}, {401, Code::upstream_refused}, {500, Code::upstream_unavailable}};
  for (const auto& [status, code] : table) {
    Worker w;
    const int answered = status;
    SseServer old(w, [answered](SseServer&, Exchange& e) { return e.status(answered, "WWW-Authenticate: evil\r\n"); });
    const auto reply = w.call(*w.open(w.http(old.http.url())), "t");
    EXPECT_EQ(reply.error().code, code) << status;
    EXPECT_FALSE(contains(reply.error().detail, "evil"));
  }
}

TEST(UpstreamSseAbuse, WhatIsNoMessageFailsItsCallAndAnEndlessOneTheStream) {
  Worker w;
  std::string event;
  SseServer old(w, [&](SseServer& server, Exchange& e) -> Task<void> {
    co_await e.status(202);
    co_await server.say(event);
  });
  const auto session = w.open(w.http(old.http.url()));
  for (const auto* bad : {"{", "[]", R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", "\xff"}) {
    event = bad;
    EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_protocol) << bad;
  }
  EXPECT_EQ(old.opened, 1);
  event = std::string(2U << 20, 'x');
  EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_too_large);
}

TEST(UpstreamSseAbuse, TheSessionOfTheEndpointIsNeverLogged) {
  Worker w;
  SseServer old(w, [](SseServer&, Exchange& e) { return e.status(400); });
  const auto session = w.open(w.http(old.http.url()));
  const auto refused = w.call(*session, "t");
  old.stream->cut();
  const auto broken = w.call(*session, "t");
  EXPECT_FALSE(contains(error_of(refused) + error_of(broken), "hush"));
  for (const auto& [event, text] : w.log) EXPECT_FALSE(contains(text, "hush")) << event << text;
}

}  // namespace
}  // namespace sallyport::upstream
