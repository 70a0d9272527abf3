// What legacy servers are told to log: the least strict of what their callers want, before the call that wants it.
#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Exchange;
using testing::run;
using testing::TestHttpServer;
using testing::text_of;
using testing::Worker;

// The levels that a server of testing/server.py was told, in order, comma-separated.
std::string told(Worker& w, Session& session) {
  const std::string all = text_of(w.call(session, "messages")), word = R"({"level": ")";
  std::string out;
  for (auto at = all.find(word); at != std::string::npos; at = all.find(word, at + 1)) {
    const auto from = at + word.size();
    out += (out.empty() ? "" : ",") + all.substr(from, all.find('"', from) - from);
  }
  return out;
}

Result<Reply> call_with(Worker& w, Session& session, std::string level) {
  Call call = w.make_call("count");
  call.log_level = std::move(level);
  return run(w.context, session.call(std::move(call), nullptr));
}

TEST(LogLevel, GoesBeforeTheCallThatWantsMore) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_EQ(told(w, *session), "");  // a call without one says nothing
  for (const auto* level : {"warning", "error", "warning", "debug", "info", "no level"}) {
    EXPECT_TRUE(call_with(w, *session, level)) << level;
  }
  EXPECT_EQ(told(w, *session), "warning,debug");
}

TEST(LogLevel, IsRaisedWhereNobodyWantsMoreAnyLonger) {
  Worker w;
  const auto session = w.open(w.stdio());
  session->want_log_level("debug");
  session->want_log_level("debug");
  session->want_log_level("emergency");
  std::string levels;
  for (int i = 0; i < 1'000 && levels != "debug,emergency"; ++i) levels = told(w, *session);
  EXPECT_EQ(levels, "debug,emergency");
}

TEST(LogLevel, ARefusalFailsNoCallAndIsNotTriedAgain) {
  Worker w;
  const auto session = w.open(w.stdio("refuses_levels"));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(call_with(w, *session, "info"));
  EXPECT_EQ(told(w, *session), "info");
  EXPECT_TRUE(w.logged("log_level_refused"));
}

TEST(LogLevel, IsNotSaidToWhoDoesNotLogOrServesMany) {
  Worker w;
  const auto silent = w.open(w.stdio("logs_nothing", "silent"));
  auto record = std::make_shared<ServerRecord>(*w.stdio("plain", "many"));
  record->shared = true;
  for (const auto& session : {silent, w.open(record)}) {
    session->want_log_level("debug");
    EXPECT_TRUE(call_with(w, *session, "debug"));
    EXPECT_EQ(told(w, *session), "");
  }
}

TEST(LogLevel, IsSaidAgainAfterANewHandshake) {
  Worker w;
  int initialized = 0;
  TestHttpServer http(w.context, [&](Exchange& e) -> Task<void> {
    const std::string method = e.request.method();
    if (method == "initialize")
      co_return co_await e.result(R"({"protocolVersion":"2025-11-25","capabilities":{"logging":{}}})",
                                  "Mcp-Session-Id: s-" + std::to_string(++initialized) + "\r\n");
    const bool good = e.request.has("mcp-session-id: s-" + std::to_string(initialized) + "\r\n");
    if (method == "GET") co_await e.status(405);
    else if (!good) co_await e.status(404);
    else if (method.starts_with("notifications/")) co_await e.status(202);
    else co_await e.result("{}");
  });
  const auto session = w.open(w.http(http.url()));
  EXPECT_TRUE(call_with(w, *session, "info"));
  EXPECT_EQ(http.of("logging/setLevel").size(), 1U);
  ++initialized;  // the server forgets
  EXPECT_TRUE(call_with(w, *session, "info"));
  EXPECT_EQ(http.of("logging/setLevel").size(), 2U);
}

}  // namespace
}  // namespace sallyport::upstream
