// Session::watch: one listen stream on modern servers, subscriptions on legacy ones, the same words out of both.
#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::Exchange;
using testing::TestHttpServer;
using testing::text_of;
using testing::Worker;

constexpr const char* kToolsChanged = "notifications/tools/list_changed";
constexpr const char* kUpdated = "notifications/resources/updated";

// The messages of one method that a stdio server says it saw, in order.
std::vector<std::string> saw(Worker& w, Session& session, std::string_view method, std::string_view tool = "seen") {
  const std::string all = text_of(w.call(session, std::string(tool)));
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = all.find("{\"jsonrpc\"", at)) != std::string::npos; ++at) {
    const std::string message = all.substr(at, all.find("{\"jsonrpc\"", at + 1) - at);
    if (message.find("\"" + std::string(method) + "\"") != std::string::npos) out.push_back(message);
  }
  return out;
}

// The same, until there are `count`: what we send needs a turn of the loop.
std::vector<std::string> saw(Worker& w, Session& session, std::string_view method, std::size_t count,
                             std::string_view tool = "seen") {
  std::vector<std::string> out;
  for (int i = 0; i < 1'000 && out.size() < count; ++i) out = saw(w, session, method, tool);
  return out;
}

std::string publish(std::string_view method, std::string_view subscription = "\"mine\"",
                    std::string_view params = "{}") {
  return R"({"messages":[[")" + std::string(method) + "\"," + std::string(subscription) + "," + std::string(params) +
         "]]}";
}

TEST(Watch, AModernServerIsListenedToAndSpeaksAsALegacyOne) {
  Worker w;
  const auto session = w.open(w.modern());
  session->watch({.tools = true, .uris = {"test://a"}});
  EXPECT_TRUE(session->watching());
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  session->watch({.tools = true, .uris = {"test://a"}});  // the same again
  w.call(*session, "publish", publish(kToolsChanged));
  w.call(*session, "publish", publish(kUpdated, "\"mine\"", R"({"uri":"test://a/part","x":1})"));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return w.notices.size() == 2; }));
  EXPECT_EQ(w.notices[0], "modern|user:1|notifications/tools/list_changed|{}");
  EXPECT_EQ(w.notices[1], R"(modern|user:1|notifications/resources/updated|{"uri":"test://a/part","x":1})");
  EXPECT_EQ(saw(w, *session, "subscriptions/listen").size(), 1U);
}

TEST(Watch, AChangedWishOpensAnotherStreamInPlaceOfTheFirst) {
  Worker w;
  const auto session = w.open(w.modern());
  session->watch({.tools = true});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  session->watch({.prompts = true});
  const auto listens = saw(w, *session, "subscriptions/listen", 2);
  ASSERT_EQ(listens.size(), 2U);
  EXPECT_NE(listens[1].find(R"({"notifications": {"promptsListChanged": true})"), std::string::npos) << listens[1];
  EXPECT_EQ(saw(w, *session, "notifications/cancelled", 1).size(), 1U);
  session->watch({});
  EXPECT_EQ(saw(w, *session, "notifications/cancelled", 2).size(), 2U);
  EXPECT_EQ(saw(w, *session, "subscriptions/listen").size(), 2U);
  EXPECT_FALSE(session->watching());
}

// Whoever tells a client that it is subscribed waits for this.
TEST(Watch, SettlesWhenTheServerAcknowledgedAndNotBefore) {
  Worker w;
  const auto session = w.open(w.modern());
  session->watch({.tools = true});
  testing::run(w.context, session->watched(w.clock.steady() + std::chrono::seconds{10}));
  EXPECT_EQ(text_of(w.call(*session, "publish", publish(kToolsChanged))), "published");
  EXPECT_EQ(w.notices.size(), 1U);
  testing::run(w.context, session->watched(SteadyTime::max()));  // nothing new is wanted
  const auto silent = w.open(w.modern("no_ack", "silent"));
  silent->watch({.tools = true});
  const auto began = w.clock.steady();
  testing::run(w.context, silent->watched(began + std::chrono::milliseconds{30}));
  EXPECT_GE(w.clock.steady() - began, std::chrono::milliseconds{30});
  for (const auto& other : {w.open(w.modern("no_listen", "without")), w.open(w.stdio("subscribes"))}) {
    other->watch({.tools = true, .uris = {"refused:"}});
    testing::run(w.context, other->watched(SteadyTime::max()));
  }
}

TEST(Watch, AChangedWishLeavesNoGap) {
  Worker w;
  const auto session = w.open(w.modern("late_ack"));
  session->watch({.tools = true});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  ASSERT_EQ(text_of(w.call(*session, "acknowledge")), "acknowledged");
  session->watch({.tools = true, .prompts = true});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 2).size(), 2U);
  w.call(*session, "publish", publish(kToolsChanged, "\"first\""));
  EXPECT_EQ(w.notices.size(), 1U);
  EXPECT_EQ(saw(w, *session, "notifications/cancelled").size(), 0U);
  ASSERT_EQ(text_of(w.call(*session, "acknowledge")), "acknowledged");
  w.call(*session, "publish", publish(kToolsChanged, "\"first\""));  // late
  w.call(*session, "publish", publish(kToolsChanged));
  EXPECT_EQ(w.notices.size(), 2U);
  EXPECT_EQ(saw(w, *session, "notifications/cancelled", 1).size(), 1U);
  EXPECT_FALSE(w.logged("foreign_subscription"));
}

TEST(Watch, AStreamThatEndsIsOpenedAgain) {
  Worker w;
  const auto session = w.open(w.modern());
  session->watch({.tools = true});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  EXPECT_EQ(text_of(w.call(*session, "end_listen")), "ended");
  EXPECT_EQ(saw(w, *session, "subscriptions/listen", 2).size(), 2U);
  w.call(*session, "publish", publish(kToolsChanged));
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return w.notices.size() == 1; }));
}

TEST(Watch, AServerWithoutSuchAStreamIsAskedOnce) {
  Worker w;
  const auto session = w.open(w.modern("no_listen"));
  session->watch({.tools = true});
  w.linger(std::chrono::milliseconds{300});
  EXPECT_EQ(saw(w, *session, "subscriptions/listen").size(), 1U);
  EXPECT_TRUE(w.logged("listen_refused"));
  EXPECT_TRUE(session->alive());
}

TEST(WatchAbuse, WhatWasNotAskedForOrIsNotOursIsDropped) {
  Worker w;
  const auto session = w.open(w.modern());
  session->watch({.tools = true, .uris = {"test://a"}});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  w.call(*session, "publish", publish("notifications/prompts/list_changed"));
  w.call(*session, "publish", publish("notifications/resources/list_changed"));
  w.call(*session, "publish", publish("notifications/message"));
  w.call(*session, "publish", publish("notifications/anything"));
  w.call(*session, "publish", publish(kUpdated, "\"mine\"", R"({"uri":"test://b"})"));
  w.call(*session, "publish", publish(kUpdated, "\"mine\"", R"({"uri":7})"));
  for (const auto* id : {"99999", "\"1\"", "1", "-1", "null", "1.5"})
    w.call(*session, "publish", publish(kToolsChanged, id));
  EXPECT_TRUE(w.notices.empty()) << w.notices[0];
  EXPECT_TRUE(w.logged("foreign_subscription"));
  EXPECT_TRUE(session->alive());
}

TEST(WatchAbuse, NothingIsBelievedBeforeTheAcknowledgement) {
  Worker w;
  const auto session = w.open(w.modern("no_ack"));
  session->watch({.tools = true});
  ASSERT_EQ(saw(w, *session, "subscriptions/listen", 1).size(), 1U);
  w.call(*session, "publish", publish(kToolsChanged));
  w.call(*session, "publish", publish("notifications/subscriptions/acknowledged"));
  w.call(*session, "publish", publish(kToolsChanged));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return !w.notices.empty(); }));
  EXPECT_EQ(w.notices.size(), 1U);
}

TEST(Watch, AWatchedSessionIsNotIdle) {
  auto settings = testing::quick_settings();
  settings.idle_after = std::chrono::milliseconds{20};
  Worker w(settings);
  const auto session = w.open(w.modern());
  session->watch({.tools = true});
  w.linger(std::chrono::milliseconds{100});
  EXPECT_TRUE(session->alive());
  session->watch({});
  EXPECT_TRUE(testing::becomes_true(w.context, [&] { return !session->alive(); }));
}

TEST(Watch, ALegacyServerIsToldTheDifference) {
  Worker w;
  const auto session = w.open(w.stdio("subscribes"));
  session->watch({.tools = true, .uris = {"a:", "b:"}});
  ASSERT_EQ(saw(w, *session, "resources/subscribe", 2, "messages").size(), 2U);
  session->watch({.uris = {"b:", "c:", "refused:"}});
  const auto subscribed = saw(w, *session, "resources/subscribe", 4, "messages");
  ASSERT_EQ(subscribed.size(), 4U);
  EXPECT_NE(subscribed[2].find("\"c:\""), std::string::npos);
  ASSERT_EQ(saw(w, *session, "resources/unsubscribe", "messages").size(), 1U);
  EXPECT_NE(saw(w, *session, "resources/unsubscribe", "messages")[0].find("\"a:\""), std::string::npos);
  EXPECT_TRUE(w.logged("subscribe_refused"));
  w.linger(std::chrono::milliseconds{200});  // and is not asked again
  EXPECT_EQ(saw(w, *session, "resources/subscribe", "messages").size(), 4U);
}

TEST(Watch, ALegacyServerThatLetsNobodySubscribeIsNotAsked) {
  Worker w;
  const auto session = w.open(w.stdio());
  session->watch({.uris = {"a:"}});
  w.linger(std::chrono::milliseconds{20});
  EXPECT_TRUE(saw(w, *session, "resources/subscribe", "messages").empty());
}

TEST(Watch, OverHttpTheStreamIsClosedWhenTheWishChangesAndOpenedWhenItBreaks) {
  Worker w;
  int opened = 0;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "server/discover")
      co_return co_await e.result(R"({"supportedVersions":["2026-07-28"],"capabilities":{},"resultType":"complete"})");
    if (method != "subscriptions/listen") co_return co_await e.status(404);
    const std::string mark = R"({"_meta":{"io.modelcontextprotocol/subscriptionId":)" + e.request.id() + "}}";
    const auto note = [&](std::string_view name) {
      return e.event(R"({"jsonrpc":"2.0","method":")" + std::string(name) + R"(","params":)" + mark + "}");
    };
    co_await e.begin_sse();
    co_await note("notifications/subscriptions/acknowledged");
    co_await note(kToolsChanged);
    if (++opened == 1) e.cut();
  });
  const auto session = w.open(w.http(http.url()));
  session->watch({.tools = true});
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return w.notices.size() == 2; }));
  EXPECT_EQ(opened, 2);
  EXPECT_TRUE(http.of("subscriptions/listen")[0].has("mcp-method: subscriptions/listen\r\n"));
  EXPECT_TRUE(session->alive());
  session->watch({.prompts = true});
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return opened == 3; }));
  EXPECT_TRUE(http.of("notifications/cancelled").empty());
}

TEST(Watch, ALegacySessionThatIsOpenedAnewIsSubscribedAnew) {
  Worker w;
  int initialized = 0, subscribed = 0;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    const bool good = e.request.has("mcp-session-id: s-" + std::to_string(initialized) + "\r\n");
    if (method == "server/discover") co_await e.status(404);
    else if (method == "initialize")
      co_await e.result(R"({"protocolVersion":"2025-11-25","capabilities":{"resources":{"subscribe":true}}})",
                        "Mcp-Session-Id: s-" + std::to_string(++initialized) + "\r\n");
    else if (method == "GET") co_await e.status(405);
    else if (method.starts_with("notifications/")) co_await e.status(202);
    else if (good) co_await e.result("{}"), subscribed += method == "resources/subscribe";
    else co_await e.status(404);
  });
  const auto session = w.open(w.http(http.url()));
  session->watch({.uris = {"a:"}});
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return subscribed == 1; }));
  ++initialized;  // the server forgets
  EXPECT_TRUE(w.call(*session, "t"));
  ASSERT_TRUE(testing::becomes_true(w.context, [&] { return subscribed == 2; }));
}

}  // namespace
}  // namespace sallyport::upstream
