// Which era a server over HTTP speaks, and what is no evidence of it (mcp-spec.md, 3, and 10, trap 19).
#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Exchange;
using testing::TestHttpServer;
using testing::text_of;
using testing::Worker;

using Handler = TestHttpServer::Handler;

constexpr const char* kDiscovered =
    R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete","ttlMs":0,"cacheScope":"private"})";
constexpr const char* kInitialized =
    R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"h"}})";

std::string error_body(std::string_view id, int code, std::string_view data = {}) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + std::string(id) + ",\"error\":{\"code\":" + std::to_string(code) +
         ",\"message\":\"m\"" + (data.empty() ? "" : ",\"data\":" + std::string(data)) + "}}";
}

Task<void> modern(Exchange& e) {
  const std::string method = e.request.method();
  if (method == "server/discover") co_await e.result(kDiscovered);
  else if (method == "tools/call")
    co_await e.result(R"({"content":[{"type":"text","text":"m"}],"resultType":"complete"})");
  else co_await e.json(error_body(e.request.id(), -32601), {}, 404);
}

// As the SDK's servers answer what they do not know: without an id.
Task<void> legacy(Exchange& e) {
  const std::string method = e.request.method();
  if (method == "initialize") co_await e.result(kInitialized, "Mcp-Session-Id: s-1\r\n");
  else if (method == "GET") co_await e.status(405);
  else if (method == "DELETE") co_await e.status(200);
  else if (!e.request.has("mcp-session-id")) co_await e.json(error_body("null", -32000), {}, 400);
  else if (method == "tools/call") co_await e.result(R"({"content":[{"type":"text","text":"l"}]})");
  else co_await e.status(202);
}

// What answers server/discover is the test's; the rest is a legacy server's.
Handler legacy_but(Handler on_discover) {
  return [on_discover = std::move(on_discover)](Exchange& e) -> Task<void> {
    if (e.request.method() == "server/discover") co_await on_discover(e);
    else co_await legacy(e);
  };
}

TEST(EraHttp, AModernServerIsNeverInitialized) {
  Worker w;
  TestHttpServer http(w.context, modern);
  const auto server = w.http(http.url());
  const auto session = w.open(server);
  EXPECT_EQ(session->info().revision, kModern);
  EXPECT_TRUE(session->stateless());
  EXPECT_EQ(text_of(w.call(*session, "t")), "m");
  EXPECT_EQ(http.seen.size(), 2U);
  EXPECT_TRUE(http.seen[0].has("mcp-protocol-version: 2026-07-28\r\n"));
  EXPECT_TRUE(http.seen[0].has("mcp-method: server/discover\r\n"));
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
  w.open(server, "user:2");
  EXPECT_EQ(http.of("server/discover").size(), 2U);  // a DiscoverResult is one principal's
}

TEST(EraHttp, ALegacyServerIsProbedOnceForAll) {
  Worker w;
  TestHttpServer http(w.context, legacy);
  const auto server = w.http(http.url());
  EXPECT_EQ(text_of(w.call(*w.open(server), "t")), "l");
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
  w.open(server, "user:2");
  EXPECT_EQ(http.of("server/discover").size(), 1U);
  EXPECT_FALSE(http.of("initialize")[0].has("mcp-method"));
  EXPECT_FALSE(http.of("initialize")[0].has("mcp-protocol-version"));
}

TEST(EraHttp, AnyOtherAnswerToTheProbeIsALegacyServers) {
  const std::vector<Handler> answers{
      [](Exchange& e) { return e.status(404); },
      [](Exchange& e) { return e.status(405); },
      [](Exchange& e) { return e.status(406); },
      [](Exchange& e) { return e.status(202); },
      [](Exchange& e) { return e.raw("HTTP/1.1 400 X\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>"); },
      [](Exchange& e) { return e.raw("HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>"); },
      [](Exchange& e) { return e.json("{"); },
      [](Exchange& e) { return e.json(error_body(e.request.id(), -32601)); },
      [](Exchange& e) { return e.json(error_body(e.request.id(), -32021), {}, 400); },
      [](Exchange& e) { return e.json(error_body("null", -32600), {}, 400); },
      [](Exchange& e) { return e.result(R"({"supportedVersions":["2099-01-01"],"capabilities":{}})"); },
      [](Exchange& e) {
        return e.json(error_body(e.request.id(), -32022, R"({"supported":["2025-11-25","2099-01-01"]})"), {}, 400);
      }};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Worker w;
    TestHttpServer http(w.context, legacy_but(answers[i]));
    const auto session = w.try_open(w.http(http.url()));
    ASSERT_TRUE(session) << i << ": " << session.error().detail;
    EXPECT_EQ((*session)->info().revision, Revision::r2025_06_18) << i;
  }
}

TEST(EraHttp, WhatIsNoEvidenceFailsTheOpeningWithItsOwnErrorAndIsNotRemembered) {
  const std::vector<std::pair<int, Code>> table{{401, Code::upstream_refused},     {403, Code::upstream_refused},
                                                {302, Code::upstream_refused},     {429, Code::upstream_unavailable},
                                                {500, Code::upstream_unavailable}, {503, Code::upstream_unavailable}};
  for (const auto& [status, code] : table) {
    Worker w;
    const int answered = status;
    TestHttpServer http(w.context, legacy_but([answered](Exchange& e) { return e.status(answered); }));
    const auto server = w.http(http.url());
    EXPECT_EQ(w.try_open(server).error().code, code) << status;
    EXPECT_TRUE(http.of("initialize").empty()) << status;
    EXPECT_FALSE(w.eras.of(*server)) << status;
  }
}

TEST(EraHttp, AWallWithJsonInItIsAWall) {
  Worker w;
  TestHttpServer http(w.context, legacy_but([](Exchange& e) {
                        return e.json(error_body(e.request.id(), -32022, R"({"supported":["2025-11-25"]})"), {}, 401);
                      }));
  const auto opened = w.try_open(w.http(http.url()));
  EXPECT_EQ(opened.error().code, Code::upstream_refused);
  EXPECT_TRUE(http.of("initialize").empty());
}

TEST(EraHttp, SilenceIsNoEvidenceOverHttp) {
  Worker w;
  TestHttpServer http(w.context, legacy_but([](Exchange& e) { return e.begin_sse(); }));
  auto server = std::make_shared<ServerRecord>(*w.http(http.url()));
  server->start_timeout = std::chrono::milliseconds{50};
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_timeout);
  EXPECT_TRUE(http.of("initialize").empty());
  EXPECT_FALSE(w.eras.of(*server));
}

TEST(EraHttp, AServerThatSpeaksNothingOfOursIsSaidSo) {
  Worker w;
  TestHttpServer http(w.context, legacy_but([](Exchange& e) {
                        return e.json(error_body(e.request.id(), -32022, R"({"supported":["2099-01-01"]})"), {}, 400);
                      }));
  EXPECT_EQ(w.try_open(w.http(http.url())).error().code, Code::upstream_protocol);
  EXPECT_TRUE(http.of("initialize").empty());
}

TEST(EraHttp, AnOldVerdictThatIsWrongIsCorrected) {
  Worker w;
  TestHttpServer http(w.context, modern);
  const auto server = w.http(http.url());
  w.eras.learn(*server, Speech::legacy);
  EXPECT_EQ(w.open(server)->info().revision, kModern);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
}

TEST(EraHttp, AVerdictIsNotUnlearnedFromAWall) {
  Worker w;
  TestHttpServer http(w.context, [](Exchange& e) { return e.status(401); });
  const auto server = w.http(http.url());
  w.eras.learn(*server, Speech::legacy);
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_refused);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
}

// The place behind one URL is replaced while a session is open: the call that finds out is not lost.
TEST(EraHttp, AnOpenSessionFollowsAServerThatChangesItsEra) {
  Worker w;
  Handler now = modern;
  TestHttpServer http(w.context, [&](Exchange& e) { return now(e); });
  const auto server = w.http(http.url());
  const auto session = w.open(server);
  EXPECT_EQ(text_of(w.call(*session, "t")), "m");
  now = legacy;
  EXPECT_EQ(text_of(w.call(*session, "t")), "l");
  EXPECT_EQ(session->info().revision, Revision::r2025_06_18);
  EXPECT_FALSE(session->stateless());
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
  now = [](Exchange& e) -> Task<void> {  // and knows no session any more
    if (e.request.has("mcp-session-id")) co_await e.status(404);
    else co_await modern(e);
  };
  EXPECT_EQ(text_of(w.call(*session, "t")), "m");
  EXPECT_EQ(session->info().revision, kModern);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
}

TEST(EraHttp, AHandshakeThatFailsIsTriedAgainByTheNextCall) {
  Worker w;
  Handler now = modern;
  TestHttpServer http(w.context, [&](Exchange& e) { return now(e); });
  const auto session = w.open(w.http(http.url()));
  now = legacy_but([](Exchange& e) { return e.status(503); });
  EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_unavailable);
  now = legacy;
  EXPECT_EQ(text_of(w.call(*session, "t")), "l");
}

TEST(EraHttp, RefusalsOfTheEnvelopeAreTriedAgainOnce) {
  for (const int code : {-32020, -32022}) {
    Worker w;
    int refusals = 1;
    TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
      if (e.request.method() == "tools/call" && refusals-- > 0)
        co_await e.json(error_body(e.request.id(), code, R"({"supported":["2026-07-28"]})"), {}, 400);
      else co_await modern(e);
    });
    const auto session = w.open(w.http(http.url()));
    EXPECT_EQ(text_of(w.call(*session, "t")), "m") << code;
    EXPECT_EQ(http.of("server/discover").size(), 2U);
    refusals = 2;
    EXPECT_EQ(w.call(*session, "t").error().code, Code::upstream_protocol) << code;
    EXPECT_EQ(http.of("tools/call").size(), 4U);
  }
}

// -32021 speaks of our envelope, but says what the client lacks: its side translates.
TEST(EraHttp, AMissingCapabilityIsAReply) {
  Worker w;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    if (e.request.method() == "tools/call")
      co_await e.json(error_body(e.request.id(), -32021, R"({"requiredCapabilities":{"roots":{}}})"), {}, 400);
    else co_await modern(e);
  });
  const auto reply = w.call(*w.open(w.http(http.url())), "t");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_EQ(reply->body, R"({"code":-32021,"message":"m","data":{"requiredCapabilities":{"roots":{}}}})");
}

}  // namespace
}  // namespace sallyport::upstream
