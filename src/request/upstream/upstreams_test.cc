// The table of sessions: who shares what, caps, revocation, breaker, end.
#include "request/upstream/listing.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::run;
using testing::text_of;
using testing::Worker;

TEST(Upstreams, APrincipalHasItsOwnProcess) {
  Worker w;
  const auto server = w.stdio();
  const auto one = w.open(server, "user:1");
  const auto two = w.open(server, "user:2");
  EXPECT_NE(one, two);
  EXPECT_NE(text_of(w.call(*one, "pid")), text_of(w.call(*two, "pid")));
  EXPECT_EQ(w.open(server, "user:1"), one);
}

TEST(Upstreams, ASharedServerHasOneForAll) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio());
  server->shared = true;
  const auto one = w.open(server, "user:1");
  EXPECT_EQ(one, w.open(server, "user:2"));
  EXPECT_EQ(one->principal(), "");
  w.upstreams.end_principal("user:1");
  EXPECT_TRUE(one->alive());
}

TEST(Upstreams, ThoseWhoAskAtOnceWaitForTheSameOne) {
  Worker w;
  const auto server = w.stdio();
  std::vector<SessionPtr> got;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  for (int i = 0; i < 5; ++i)
    group.spawn([](Upstreams& u, ServerPtr s, std::vector<SessionPtr>& out) -> Task<void> {
      auto session = co_await u.session(s, "user:1");
      if (session) out.push_back(*session);
    }(w.upstreams, server, got));
  run(w.context, group.join());
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(std::ranges::count(got, got[0]), 5);
}

TEST(Upstreams, OneWhoLeavesDoesNotStopTheOpening) {
  Worker w;
  const auto server = w.stdio();
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](Upstreams& u, ServerPtr s) -> Task<void> { co_await u.session(s, "user:1"); }(w.upstreams, server));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return w.upstreams.size() == 1; }));
  testing::cancel(w.context, group);
  EXPECT_EQ(text_of(w.call(*w.open(server), "count")), "1");
}

// A call has its own time, shorter than the server has to start: its references may be slow.
TEST(Upstreams, ACallWaitsForAnOpeningUntilItsOwnDeadlineAndTheOpeningGoesOn) {
  Worker w;
  const auto server = w.stdio();
  const auto late = run(w.context, w.upstreams.session(server, "user:1", w.clock.steady()));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Code::upstream_timeout);
  EXPECT_EQ(text_of(w.call(*w.open(server), "count")), "1");
}

// A secret of the server changed: who is at work ends first, the next use opens another.
TEST(Upstreams, ARenewedSessionGivesWayToAnother) {
  Worker w;
  const auto server = w.stdio();
  const auto one = w.open(server, "user:1");
  const auto two = w.open(server, "user:2");
  w.upstreams.renew(server->name, false, [](const std::string& principal) { return principal == "user:1"; });
  EXPECT_NE(w.open(server, "user:1"), one);
  EXPECT_EQ(w.open(server, "user:2"), two) << "another principal's is not touched";
  EXPECT_FALSE(one->alive());
}

TEST(Upstreams, RevocationEndsCallsAndProcess) {
  Worker w;
  const auto session = w.open(w.stdio(), "user:1");
  const auto other = w.open(w.stdio(), "user:2");
  Result<Reply> reply = fail(Code::internal);
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](SessionPtr s, Call call, Result<Reply>& out) -> Task<void> {
    out = co_await s->call(std::move(call), nullptr);
  }(session, w.make_call("never"), reply));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return session->in_flight() == 1; }));
  w.upstreams.end_principal("user:1");
  run(w.context, group.join());
  EXPECT_EQ(error_of(reply), "cancelled: the principal was revoked");
  EXPECT_FALSE(w.call(*session, "count"));
  EXPECT_TRUE(other->alive());
  EXPECT_EQ(w.upstreams.size(), 1U);
}

// Between the end of a server's output and the end of its process nobody is sent to it.
TEST(Upstreams, WhoCallsWhileADyingServerEndsGetsAnother) {
  Settings patient = testing::quick_settings();
  patient.stop_grace = std::chrono::seconds(2);
  Worker w(patient);
  const auto server = w.stdio();
  const auto session = w.open(server);
  Result<Reply> reply = fail(Code::internal);
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](SessionPtr s, Call call, Result<Reply>& out) -> Task<void> {
    out = co_await s->call(std::move(call), nullptr);
  }(session, w.make_call("falls_silent"), reply));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !session->alive(); }));
  const auto other = w.open(server);
  EXPECT_NE(other, session);
  EXPECT_EQ(text_of(w.call(*other, "count")), "1");
  EXPECT_EQ(session->in_flight(), 1U) << "its process has not ended yet";
  run(w.context, group.join());
  EXPECT_EQ(error_of(reply).substr(0, 21), "upstream_unavailable:");
}

TEST(Upstreams, AChangedRecordReplacesTheSession) {
  Worker w;
  const auto server = w.stdio();
  const auto session = w.open(server);
  EXPECT_EQ(w.open(std::make_shared<ServerRecord>(*server)), session);  // the same words in another object
  auto changed = std::make_shared<ServerRecord>(*server);
  changed->env["A"] = "1";
  const auto second = w.open(changed);
  EXPECT_NE(second, session);
  EXPECT_FALSE(session->alive());
  auto asks_less = std::make_shared<ServerRecord>(*changed);
  asks_less->forwards.clear();  // said to the server at initialize
  EXPECT_NE(w.open(asks_less), second);
  EXPECT_FALSE(second->alive());
}

TEST(Upstreams, CapsHoldAndTheLongestIdleMakesRoom) {
  auto settings = testing::quick_settings();
  settings.sessions_per_server = 2;
  Worker w(settings);
  const auto server = w.stdio();
  const auto one = w.open(server, "user:1");
  const auto two = w.open(server, "user:2");
  EXPECT_EQ(text_of(w.call(*one, "count")), "1");
  const auto three = w.open(server, "user:3");
  EXPECT_FALSE(two->alive());
  EXPECT_TRUE(one->alive());
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  for (const auto& s : {one, three})
    group.spawn([](SessionPtr session, Call call) -> Task<void> { co_await session->call(std::move(call), nullptr); }(
                                                      s, w.make_call("never")));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return one->in_flight() + three->in_flight() == 2; }));
  EXPECT_EQ(w.try_open(server, "user:4").error().code, Code::limit);
  testing::cancel(w.context, group);
}

TEST(Upstreams, AnIdleSessionEnds) {
  auto settings = testing::quick_settings();
  settings.idle_after = std::chrono::milliseconds{20};
  Worker w(settings);
  const auto session = w.open(w.stdio());
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return w.upstreams.size() == 0; }));
  EXPECT_FALSE(session->alive());
}

// S2-17: ten failures in a row open the breaker, which refuses without touching the server.
TEST(Upstreams, TheBreakerOpensAfterTenFailures) {
  Worker w;
  const auto server = w.stdio();
  const auto session = w.open(server);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(w.call(*session, "never", "{}", nullptr, std::chrono::milliseconds{1}).error().code,
              Code::upstream_timeout);
  EXPECT_EQ(w.call(*session, "count").error().code, Code::breaker_open);
  EXPECT_EQ(w.try_open(server, "user:2").error().code, Code::breaker_open);
  w.upstreams.end_server(server->name);
  EXPECT_EQ(text_of(w.call(*w.open(server), "count")), "1");
}

TEST(Upstreams, AnErrorAnswerDoesNotOpenTheBreaker) {
  Worker w;
  const auto session = w.open(w.stdio());
  for (int i = 0; i < 15; ++i) EXPECT_TRUE(w.call(*session, "fail"));
}

TEST(Upstreams, AfterStopNothingOpens) {
  Worker w;
  const auto session = w.open(w.stdio());
  run(w.context, w.upstreams.stop());
  EXPECT_FALSE(session->alive());
  EXPECT_EQ(w.try_open(w.stdio()).error().code, Code::draining);
}

TEST(Upstreams, StopWhileAServerStarts) {
  Worker w;
  Result<SessionPtr> got = fail(Code::internal);
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  group.spawn([](Upstreams& u, ServerPtr s, Result<SessionPtr>& out) -> Task<void> {
    out = co_await u.session(s, "user:1");
  }(w.upstreams, w.stdio("silent"), got));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return w.upstreams.size() == 1; }));
  run(w.context, w.upstreams.stop());
  run(w.context, group.join());
  EXPECT_EQ(got.error().code, Code::draining);
}

TEST(UpstreamListing, DrainsPagesInOrder) {
  Worker w;
  const auto session = w.open(w.stdio());
  const auto items = run(w.context, list_all(*session, ListKind::tools, w.clock.steady() + std::chrono::seconds{10}));
  ASSERT_TRUE(items) << items.error().detail;
  ASSERT_EQ(items->size(), 3U);
  EXPECT_EQ((*items)[1].key, "b\xc3\xa9");
  EXPECT_EQ((*items)[2].raw, R"({"name":"c","inputSchema":{"n":1}})");
  EXPECT_TRUE(
      run(w.context, list_all(*session, ListKind::prompts, w.clock.steady() + std::chrono::seconds{10}))->empty());
}

// Who takes the pages says when it has had enough.
TEST(UpstreamListing, GivesEachPageAsItComesUntilItIsRefused) {
  Worker w;
  const auto session = w.open(w.stdio("endless_pages"));
  const SteadyTime deadline = w.clock.steady() + std::chrono::seconds{10};
  int pages = 0;
  const auto stopped = run(w.context, list_pages(*session, ListKind::tools, deadline, [&](std::string) -> Result<void> {
                             if (++pages == 3) return fail(Code::conflict, "enough");
                             return {};
                           }));
  EXPECT_EQ(stopped.error().code, Code::conflict);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(session->in_flight(), 0U) << "no page was asked for after the last one that was wanted";
}

TEST(UpstreamListing, FindsTheItemsOfAPage) {
  const std::string page = R"({"tools":[{"name":"a","x":1},{"name":"b\u0063"}],"nextCursor":""})";
  const auto items = items_of(ListKind::tools, page, 2).value();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].raw, R"({"name":"a","x":1})");
  EXPECT_EQ(items[1].key, "bc");
  EXPECT_EQ(items_of(ListKind::tools, page, 1).error().code, Code::limit);
  for (const char* odd :
       {"{}", R"({"tools":{}})", R"({"tools":[{}]})", R"({"tools":[1]})", R"({"tools":[{"name":1}]})"})
    EXPECT_EQ(items_of(ListKind::tools, odd, 9).error().code, Code::upstream_protocol) << odd;
}

TEST(UpstreamListing, PagesWithoutEndAreCut) {
  Worker w;
  const auto session = w.open(w.stdio("endless_pages"));
  const auto items = run(w.context, list_all(*session, ListKind::tools, w.clock.steady() + std::chrono::seconds{10}));
  ASSERT_FALSE(items);
  EXPECT_EQ(items.error().code, Code::limit);
}

// mcp-spec.md, 10, trap 11: server-everything registers tools after initialized.
TEST(UpstreamListing, TheProbeWaitsForLateTools) {
  Worker w;
  const auto late = run(w.context, probe(w.upstreams, w.stdio("late"), w.clock, std::chrono::seconds{10}));
  ASSERT_TRUE(late) << late.error().detail;
  EXPECT_EQ(late->tools.size(), 3U);
  EXPECT_EQ(w.upstreams.size(), 0U);
  const auto plain = run(w.context, probe(w.upstreams, w.stdio(), w.clock, std::chrono::milliseconds{10}));
  ASSERT_TRUE(plain) << plain.error().detail;
  EXPECT_EQ(plain->tools.size(), 3U);
  EXPECT_EQ(plain->info.protocol_version, "2025-11-25");
  EXPECT_FALSE(run(w.context, probe(w.upstreams, w.stdio("exit"), w.clock)));
}

}  // namespace
}  // namespace sallyport::upstream
