// What legacy servers ask of us, over both transports: who is asked, how many at once, and when nothing is said.
#include "request/upstream/server_requests.h"

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

constexpr const char* kInitialized = R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{}}})";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

ServerPtr forwarding(ServerPtr server, std::vector<std::string> forwards) {
  auto changed = std::make_shared<ServerRecord>(*server);
  changed->forwards = std::move(forwards);
  return changed;
}

Task<Reply> says(std::string method, std::string /*params*/) { co_return Reply{false, "{\"to\":\"" + method + "\"}"}; }

// Waits until cancelled; tells when it began and when its frame is gone.
struct Waiting {
  int begun = 0, gone = 0;
  Answering::Answer answer(Executor executor) {
    return [this, executor](std::string, std::string) { return wait(executor); };
  }
  Task<Reply> wait(Executor executor) {
    struct Gone {
      int& count;
      ~Gone() { ++count; }
    } const leaving{gone};
    ++begun;
    SteadyTimer timer(executor, SteadyTimer::time_point::max());
    co_await timer.async_wait(use_task_ec);
    co_return Reply{false, "{}"};
  }
};

// A server over HTTP that asks in the stream of tools/call; `after` goes on with the exchange.
TestHttpServer::Handler asking_server(std::vector<std::string> requests, TestHttpServer::Handler after) {
  return [requests = std::move(requests), after = std::move(after)](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") co_return co_await e.result(kInitialized, "Mcp-Session-Id: s-1\r\n");
    if (method != "tools/call") co_return co_await e.status(method == "GET" ? 405 : 202);
    co_await e.begin_sse();
    for (const auto& request : requests) co_await e.event(request);
    co_await after(e);
  };
}

std::string request(std::string_view id, std::string_view method) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + std::string(id) + ",\"method\":\"" + std::string(method) +
         "\",\"params\":{}}";
}

Task<void> answer_call(Exchange& e) {
  co_await e.event("{\"jsonrpc\":\"2.0\",\"id\":" + e.request.id() +
                   ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]}}");
  co_await e.end_sse();
}

TEST(ServerRequests, TheCallersClientIsAskedWhileTheConnectionReadsOn) {
  Worker w;
  const auto session = w.open(w.stdio());
  SteadyTimer second(w.context.get_executor(), SteadyTimer::time_point::max());
  Answering events([&](std::string method, std::string params) -> Task<Reply> {
    if (method == "elicitation/create") co_await second.async_wait(use_task_ec);  // until the other one was asked
    else second.cancel();
    co_return Reply{method == "elicitation/create", params};
  });
  const auto reply = text_of(w.call(
      *session, "ask_all", R"({"requests":[["a","elicitation/create"],[7,"sampling/createMessage"]]})", &events));
  EXPECT_EQ(
      reply,
      R"([{"jsonrpc": "2.0", "id": 7, "result": {"of": 7}}, {"jsonrpc": "2.0", "id": "a", "error": {"of": "a"}}])");
}

TEST(ServerRequests, WhatIsNotForwardedIsRefusedWithoutAsking) {
  Worker w;
  const auto session = w.open(forwarding(w.stdio(), {"sampling"}));
  Answering events(says);
  for (const auto* method : {"elicitation/create", "roots/list", "tools/call", "resources/list", "x"}) {
    const auto reply = text_of(w.call(*session, "ask", std::string(R"({"method":")") + method + "\"}", &events));
    EXPECT_TRUE(contains(reply, "-32601")) << reply;
  }
  EXPECT_TRUE(contains(text_of(w.call(*session, "ask", R"({"method":"ping"})", &events)), R"("result": {})"));
  EXPECT_TRUE(events.asked.empty());
  EXPECT_TRUE(contains(text_of(w.call(*session, "ask", R"({"method":"sampling/createMessage"})", &events)),
                       R"("to": "sampling/createMessage")"));
}

TEST(ServerRequests, OutsideACallRootsAreNoneOrUnknown) {
  Worker w;
  for (const bool declared : {true, false}) {
    const auto server = forwarding(
        w.stdio("early_roots"), declared ? std::vector<std::string>{"roots", "sampling"} : std::vector<std::string>{});
    const auto session = w.open(server, declared ? "user:1" : "user:2");
    std::string messages;  // our answers may follow the call that asks for them
    for (int i = 0; i < 1'000 && !contains(messages, "early-2"); ++i) messages = text_of(w.call(*session, "messages"));
    EXPECT_EQ(contains(messages, R"("id": "early", "result": {"roots": []})"), declared) << messages;
    EXPECT_EQ(contains(messages, R"("id": "early", "error": {"code": -32601)"), !declared) << messages;
    EXPECT_TRUE(contains(messages, R"("id": "early-2", "error": {"code": -32601)")) << messages;
  }
}

TEST(ServerRequests, OfASharedSessionNobodyIsAsked) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio());
  server->shared = true;
  Answering events(says);
  const auto reply = text_of(w.call(*w.open(server), "ask", R"({"method":"elicitation/create"})", &events));
  EXPECT_TRUE(contains(reply, "-32601")) << reply;
  EXPECT_TRUE(events.asked.empty());
}

TEST(ServerRequests, OfSeveralCallsTheYoungestWithSomebodyToAskIsAsked) {
  Worker w;
  const auto session = w.open(w.stdio());
  Answering older(says), younger(says);
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  const auto begin = [&](CallEvents* events) {
    group.spawn([](SessionPtr s, Call call, CallEvents* to) -> Task<void> { co_await s->call(std::move(call), to); }(
                                                                session, w.make_call("never"), events));
  };
  begin(&older);
  begin(&younger);
  begin(nullptr);
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return session->in_flight() == 3; }));
  EXPECT_TRUE(
      contains(text_of(w.call(*session, "ask", R"({"method":"elicitation/create"})")), R"("to": "elicitation)"));
  EXPECT_EQ(older.asked.size(), 0U);
  EXPECT_EQ(younger.asked.size(), 1U);
  testing::cancel(w.context, group);
}

TEST(ServerRequests, AnAnsweredCallTakesItsQuestionsWithIt) {
  Worker w;
  const auto session = w.open(w.stdio());
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  EXPECT_EQ(text_of(w.call(*session, "ask_and_answer",
                           R"({"requests":[["a","elicitation/create"],["b","elicitation/create"]]})", &events)),
            "did not wait");
  EXPECT_EQ(waiting.begun, 2);
  EXPECT_EQ(waiting.gone, 2);
  const auto messages = text_of(w.call(*session, "messages"));
  EXPECT_FALSE(contains(messages, R"("id": "a")") || contains(messages, R"("id": "b")")) << messages;
}

TEST(ServerRequests, ACallThatIsCancelledOrLateAnswersNothingMore) {
  for (const bool late : {true, false}) {
    Worker w;
    const auto session = w.open(w.stdio());
    Waiting waiting;
    Answering events(waiting.answer(w.context.get_executor()));
    TaskGroup group(w.context.get_executor(), [](const char*) {});
    std::string outcome;
    group.spawn([](SessionPtr s, Call call, CallEvents* to,
                   std::string& out) -> Task<void> {
      out = error_of(co_await s->call(std::move(call), to));
    }(session,
                                     w.make_call("ask_and_wait", R"({"requests":[["a","elicitation/create"]]})",
                                                 std::chrono::milliseconds{late ? 500 : 15'000}),
                                     &events, outcome));
    ASSERT_TRUE(testing::becomes_true(w.context, [&] { return waiting.begun == 1; }));
    if (late) run(w.context, group.join());
    else testing::cancel(w.context, group);
    EXPECT_TRUE(outcome.starts_with(late ? "upstream_timeout" : "cancelled")) << outcome;
    EXPECT_EQ(waiting.gone, 1);
    const auto messages = text_of(w.call(*session, "messages"));
    EXPECT_FALSE(contains(messages, R"("id": "a")")) << messages;
    EXPECT_TRUE(contains(messages, "notifications/cancelled")) << messages;
  }
}

TEST(ServerRequests, WhatTheServerTakesBackIsNotAnswered) {
  Worker w;
  const auto session = w.open(w.stdio());
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  EXPECT_EQ(text_of(w.call(*session, "take_back", "{}", &events)), "took it back");
  EXPECT_EQ(waiting.begun, 1);
  EXPECT_EQ(waiting.gone, 1);
  EXPECT_FALSE(contains(text_of(w.call(*session, "messages")), "srv-1"));
}

TEST(ServerRequests, ASecondRequestUnderAnIdThatWaitsIsDropped) {
  Worker w;
  const auto session = w.open(w.stdio());
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  w.call(*session, "ask_and_answer", R"({"requests":[["a","elicitation/create"],["a","elicitation/create"]]})",
         &events);
  EXPECT_EQ(waiting.begun, 1);
}

TEST(ServerRequests, AFloodOfThemIsRefusedBeyondAMeasure) {
  Worker w;
  const auto session = w.open(w.stdio());
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += (i > 0 ? ",[" : "[") + std::to_string(i) + R"(,"elicitation/create"])";
  EXPECT_EQ(text_of(w.call(*session, "ask_and_answer", R"({"requests":[)" + requests + "]}", &events)), "did not wait");
  EXPECT_EQ(waiting.begun, static_cast<int>(CallRequests::kWaitingMax));
  EXPECT_EQ(waiting.gone, waiting.begun);
  const auto messages = text_of(w.call(*session, "messages"));
  EXPECT_TRUE(contains(messages, R"("id": 99, "error": {"code": -32603)")) << messages;
}

TEST(ServerRequests, AnAnswerThatIsNoMessageIsNeverSent) {
  Worker w;
  const auto session = w.open(w.stdio());
  for (const auto* body : {"", "[]", "{\"a\":\n1}", "{}\r"}) {
    Answering events([&](std::string, std::string) -> Task<Reply> { co_return Reply{false, body}; });
    const auto reply = text_of(w.call(*session, "ask", R"({"method":"elicitation/create"})", &events));
    EXPECT_TRUE(contains(reply, "-32603")) << reply;
  }
  Answering throws([](std::string, std::string) -> Task<Reply> {
    throw std::runtime_error("inner words");
    co_return Reply{};
  });
  const auto reply = text_of(w.call(*session, "ask", R"({"method":"elicitation/create"})", &throws));
  EXPECT_TRUE(contains(reply, "-32603") && !contains(reply, "inner words")) << reply;
}

TEST(ServerRequests, OverHttpSeveralWaitAtOnceAndTheStreamIsReadOn) {
  Worker w;
  SteadyTimer answered(w.context.get_executor(), SteadyTimer::time_point::max());
  TestHttpServer* server = nullptr;
  TestHttpServer http(w.context,
                      asking_server({request("\"a\"", "elicitation/create"), request("2", "sampling/createMessage")},
                                    [&](Exchange& e) -> Task<void> {
                                      while (server->of("answer").size() < 2) {
                                        answered.expires_after(std::chrono::milliseconds{2});
                                        co_await answered.async_wait(use_task_ec);
                                      }
                                      co_await answer_call(e);
                                    }));
  server = &http;
  const auto session = w.open(w.http(http.url()));
  SteadyTimer second(w.context.get_executor(), SteadyTimer::time_point::max());
  Answering events([&](std::string method, std::string) -> Task<Reply> {
    if (method == "elicitation/create") co_await second.async_wait(use_task_ec);
    else second.cancel();
    co_return Reply{false, "{}"};
  });
  EXPECT_EQ(text_of(w.call(*session, "t", "{}", &events)), "done");
  const auto answers = http.of("answer");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].body, R"({"jsonrpc":"2.0","id":2,"result":{}})");
  EXPECT_EQ(answers[1].body, R"({"jsonrpc":"2.0","id":"a","result":{}})");
  EXPECT_TRUE(answers[0].has("mcp-session-id: s-1\r\n"));
}

TEST(ServerRequests, OverHttpTheyEndWithTheirCall) {
  Worker w;
  TestHttpServer http(w.context, asking_server({request("1", "elicitation/create")}, answer_call));
  const auto session = w.open(w.http(http.url()));
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  EXPECT_EQ(text_of(w.call(*session, "t", "{}", &events)), "done");
  EXPECT_EQ(waiting.begun, 1);
  EXPECT_EQ(waiting.gone, 1);
  run(w.context, w.upstreams.stop());
  EXPECT_TRUE(http.of("answer").empty());
}

TEST(ServerRequests, OverHttpACancelledCallEndsThem) {
  Worker w;
  TestHttpServer http(w.context,
                      asking_server({request("1", "elicitation/create")}, [](Exchange&) -> Task<void> { co_return; }));
  const auto session = w.open(w.http(http.url()));
  Waiting waiting;
  Answering events(waiting.answer(w.context.get_executor()));
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  std::string outcome;
  group.spawn([](SessionPtr s, Call call, CallEvents* to, std::string& out) -> Task<void> {
    out = error_of(co_await s->call(std::move(call), to));
  }(session, w.make_call("t"), &events, outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return waiting.begun == 1; }));
  testing::cancel(w.context, group);
  EXPECT_EQ(outcome, "cancelled: the caller cancelled");
  EXPECT_EQ(waiting.gone, 1);
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !http.of("notifications/cancelled").empty(); }));
  EXPECT_TRUE(http.of("answer").empty());
}

TEST(ServerRequests, TheGetStreamIsAnsweredWithoutAskingAnybody) {
  Worker w;
  TestHttpServer http(w.context, [](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize") co_return co_await e.result(kInitialized, "Mcp-Session-Id: s-1\r\n");
    if (method != "GET") co_return co_await e.status(202);
    co_await e.begin_sse();
    co_await e.event(request("1", "ping"));
    co_await e.event(request("2", "roots/list"));
    co_await e.event(request("3", "elicitation/create"));
  });
  w.open(forwarding(w.http(http.url()), {"roots", "elicitation"}));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return http.of("answer").size() == 3; }));
  std::string all;
  for (const auto& answer : http.of("answer")) all += answer.body;
  EXPECT_TRUE(contains(all, R"("id":1,"result":{})")) << all;
  EXPECT_TRUE(contains(all, R"("id":2,"result":{"roots":[]})")) << all;
  EXPECT_TRUE(contains(all, R"("id":3,"error":{"code":-32601)")) << all;
}

}  // namespace
}  // namespace sallyport::upstream
