// Sessions with real processes.
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Recorder;
using testing::run;
using testing::text_of;
using testing::Worker;

TEST(UpstreamStdio, InitializesAndCalls) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_EQ(session->info().protocol_version, "2025-11-25");
  EXPECT_EQ(session->info().instructions, "be \"kind\"");
  EXPECT_EQ(text_of(w.call(*session, "echo", R"({"a":1})")), R"({"arguments": {"a": 1}, "name": "echo"})");
}

TEST(UpstreamStdio, SpeaksOlderVersions) {
  Worker w;
  EXPECT_EQ(w.open(w.stdio("version=2024-11-05"))->info().protocol_version, "2024-11-05");
  const auto refused = w.try_open(w.stdio("version=1999-01-01", "odd"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::upstream_protocol);
}

TEST(UpstreamStdio, AnErrorOfTheServerIsAReply) {
  Worker w;
  const auto session = w.open(w.stdio());
  const auto reply = w.call(*session, "fail");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->is_error);
  EXPECT_EQ(reply->body, R"({"code":-32602,"message":"no"})");
}

TEST(UpstreamStdio, MinifiesAndKeepsNumbersAsTheyCame) {
  Worker w;
  const auto session = w.open(w.stdio());
  const auto reply = w.call(*session, "spaced");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_EQ(reply->body, R"({"n":12345678901234567890123.50})");
}

TEST(UpstreamStdio, ProgressComesBeforeTheAnswerAndNeverAfter) {
  Worker w;
  const auto session = w.open(w.stdio());
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "progress", "{}", &events)), "done");
  ASSERT_EQ(events.progresses.size(), 3U);
  EXPECT_EQ(events.progresses[0], R"({"progress":1,"message":"step"})");
  EXPECT_EQ(text_of(w.call(*session, "count")), "2");  // the fourth has been read by now
  EXPECT_EQ(events.progresses.size(), 3U);
}

TEST(UpstreamStdio, ALogGoesToTheOnlyCallElseToTheListener) {
  Worker w;
  const auto session = w.open(w.stdio());
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "log", "{}", &events)), "logged");
  EXPECT_EQ(events.notifications, std::vector<std::string>{R"(notifications/message {"level":"info","data":"hello"})"});
  TaskGroup others(w.context.get_executor(), [](const char*) {});
  others.spawn([](SessionPtr s, Call call) -> Task<void> { co_await s->call(std::move(call), nullptr); }(
                                               session, w.make_call("never", "{}", std::chrono::milliseconds{300})));
  EXPECT_EQ(text_of(w.call(*session, "log", "{}", &events)), "logged");
  EXPECT_EQ(events.notifications.size(), 1U);
  EXPECT_EQ(w.notices,
            std::vector<std::string>{R"(rogue|user:1|notifications/message|{"level":"info","data":"hello"})"});
  run(w.context, others.join());
}

TEST(UpstreamStdio, ADeadlineEndsACallAndTellsTheServer) {
  Worker w;
  const auto session = w.open(w.stdio());
  const auto late = w.call(*session, "never", "{}", nullptr, std::chrono::milliseconds{30});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::upstream_timeout);
  EXPECT_EQ(text_of(w.call(*session, "cancelled")), "[3]");
}

// mcp-spec.md, 10, trap 13.
TEST(UpstreamStdio, AHardEndHoldsWhateverTheDeadline) {
  auto settings = testing::quick_settings();
  settings.call_max = std::chrono::milliseconds{30};
  Worker w(settings);
  const auto session = w.open(w.stdio());
  EXPECT_EQ(w.call(*session, "never", "{}", nullptr, std::chrono::hours{1}).error().code, Code::upstream_timeout);
}

TEST(UpstreamStdio, CancellingTellsTheServerAndFreesThePlace) {
  Worker w;
  const auto session = w.open(w.stdio());
  std::optional<Result<Reply>> outcome;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](SessionPtr s, Call call, std::optional<Result<Reply>>& out) -> Task<void> {
    out = co_await s->call(std::move(call), nullptr);
  }(session, w.make_call("never"), outcome));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return session->in_flight() == 1; }));
  w.context.poll();
  testing::cancel(w.context, group);
  ASSERT_TRUE(outcome && !*outcome);
  EXPECT_EQ(outcome->error().code, Code::cancelled);
  EXPECT_EQ(session->in_flight(), 0U);
  EXPECT_EQ(text_of(w.call(*session, "cancelled")), "[3]");
}

TEST(UpstreamStdio, AnswersPingAndRefusesOtherRequests) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_EQ(text_of(w.call(*session, "ask", R"({"method":"ping"})")),
            R"({"jsonrpc": "2.0", "id": "srv-1", "result": {}})");
  for (const auto* method : {"roots/list", "sampling/createMessage", "elicitation/create"})
    EXPECT_NE(text_of(w.call(*session, "ask", std::string(R"({"method":")") + method + "\"}")).find("-32601"),
              std::string::npos);
}

TEST(UpstreamStdio, StderrIsLoggedWithLimits) {
  auto settings = testing::quick_settings();
  settings.stderr_lines_per_minute = 5;
  settings.stderr_line_max = 20;
  Worker w(settings);
  const auto session = w.open(w.stdio());
  EXPECT_EQ(text_of(w.call(*session, "stderr", R"({"lines":50,"width":1000})")), "grumbled");
  const auto lines = [&] {
    return std::ranges::count(w.log, std::string("stderr"), [](const auto& l) { return l.first; });
  };
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return lines() == 5; }));
  for (const auto& [event, text] : w.log) EXPECT_LE(text.size(), 20U) << event;
}

// Issue 2, done-when 3: only the calls in flight are lost, each with a clear error.
TEST(UpstreamStdio, DeathLosesOnlyTheCallsInFlight) {
  Worker w;
  const auto server = w.stdio();
  const auto session = w.open(server);
  const auto before = text_of(w.call(*session, "pid"));
  std::vector<Result<Reply>> lost;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  for (int i = 0; i < 20; ++i)
    group.spawn([](SessionPtr s, Call call, std::vector<Result<Reply>>& out) -> Task<void> {
      out.push_back(co_await s->call(std::move(call), nullptr));
    }(session, w.make_call(i == 19 ? "die" : "never"), lost));
  run(w.context, group.join());
  ASSERT_EQ(lost.size(), 20U);
  for (const auto& reply : lost)
    EXPECT_EQ(error_of(reply), "upstream_unavailable: the server exited with status 3 during the call");
  const auto again = w.open(server);
  EXPECT_NE(again, session);
  EXPECT_NE(text_of(w.call(*again, "pid")), before);
  EXPECT_EQ(w.upstreams.restarts(), 1U);
}

TEST(UpstreamStdio, AServerThatEndsAtOnceRestsLongerEachTime) {
  auto settings = testing::quick_settings();
  settings.backoff_min = std::chrono::milliseconds{20'000};
  Worker w(settings);
  const auto server = w.stdio("exit");
  EXPECT_EQ(w.try_open(server).error().detail, "the server exited with status 7 during the call");
  EXPECT_EQ(w.try_open(server).error().detail, "the server exited with status 7 during the call");
  const auto resting = w.try_open(server);
  EXPECT_EQ(resting.error().code, Code::upstream_unavailable);
  EXPECT_NE(resting.error().detail.find("rests after 2 failures"), std::string::npos) << resting.error().detail;
  w.upstreams.end_server("rogue");  // an operator's restart forgets it
  EXPECT_EQ(w.try_open(server).error().detail, "the server exited with status 7 during the call");
}

TEST(UpstreamStdio, ASilentServerRunsIntoTheStartTimeout) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio("silent"));
  server->start_timeout = std::chrono::milliseconds{50};
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_timeout);
}

TEST(UpstreamStdio, AProgramThatIsMissingIsSaidSo) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio());
  server->command = {"/nonexistent/server"};
  EXPECT_FALSE(w.try_open(server));
}

TEST(UpstreamStdio, AReferenceThatCannotBeResolvedStartsNothing) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio());
  server->env["KEY"] = "${vault:nothing}";
  EXPECT_EQ(w.try_open(server).error().code, Code::config);
}

TEST(UpstreamStdio, AServerThatIgnoresEofAndSigtermIsKilled) {
  Worker w;
  w.open(w.stdio("ignore_eof"));
  run(w.context, w.upstreams.stop());
  EXPECT_EQ(w.upstreams.size(), 0U);
}

}  // namespace
}  // namespace sallyport::upstream
