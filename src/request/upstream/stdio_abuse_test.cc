// What hostile or broken servers print (issue 2, done-when 4).
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::run;
using testing::text_of;
using testing::Worker;

TEST(UpstreamAbuse, GarbageBetweenMessagesIsPassedOver) {
  Worker w;
  const auto session = w.open(w.stdio());
  const auto reply =
      w.call(*session, "garbage",
             R"({"lines":["hello","","[]","{}","{\"jsonrpc\":","\u00ff\u00fe","[{\"jsonrpc\":\"2.0\"}]"]})");
  // The fifth looks like the answer of the one call that waits, so that call fails, the session goes on.
  EXPECT_EQ(error_of(reply).substr(0, 18), "upstream_protocol:") << text_of(reply);
  EXPECT_EQ(text_of(w.call(*session, "garbage", R"({"lines":["hello","[]","{}","\u00ff"]})")), "after garbage");
  EXPECT_TRUE(w.logged("refused_line", "hello"));
}

// mcp-spec.md, 10, trap 14: what is printed that is no message, as are the next ones.
TEST(UpstreamAbuse, AFloodOfGarbageEndsTheProcess) {
  Worker w;
  const auto server = w.stdio();
  const auto session = w.open(server);
  EXPECT_EQ(error_of(w.call(*session, "flood")),
            "upstream_protocol: the server printed 101 lines that are no messages");
  EXPECT_LE(w.log.size(), 20U);
  EXPECT_EQ(text_of(w.call(*w.open(server), "count")), "1");
}

TEST(UpstreamAbuse, HalfALineAtTheEndAnswersNothing) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_FALSE(w.call(*session, "half"));
  EXPECT_TRUE(w.logged("refused_line", "half a line"));
}

TEST(UpstreamAbuse, ForeignAndSecondAnswersAreDropped) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_EQ(text_of(w.call(*session, "foreign")), "first");
  EXPECT_EQ(text_of(w.call(*session, "count")), "2");
  EXPECT_TRUE(w.logged("foreign_id", "987654321"));
}

TEST(UpstreamAbuse, AResultOverTheLimitFailsAndTheProcessIsReplaced) {
  Worker w;
  const auto server = w.stdio();
  const auto session = w.open(server);
  EXPECT_EQ(text_of(w.call(*session, "big", R"({"bytes":1000000})")).size(), 1'000'000U);
  EXPECT_EQ(error_of(w.call(*session, "big", R"({"bytes":67108864})")).substr(0, 19), "upstream_too_large:");
  EXPECT_EQ(text_of(w.call(*w.open(server), "count")), "1");
}

TEST(UpstreamAbuse, ALineWithoutEndFailsAllThatWait) {
  Worker w;
  const auto session = w.open(w.stdio());
  EXPECT_EQ(error_of(w.call(*session, "endless")).substr(0, 19), "upstream_too_large:");
  EXPECT_FALSE(session->alive());
}

TEST(UpstreamAbuse, AnswersThatCannotBeReadFailTheCall) {
  Worker w;
  const auto session = w.open(w.stdio());
  for (const auto* tool : {"invalid_utf8", "duplicate_key"})
    EXPECT_EQ(error_of(w.call(*session, tool)).substr(0, 18), "upstream_protocol:") << tool;
  EXPECT_TRUE(session->alive());
}

// mcp-spec.md, 10, trap 14: stdin blocked while stdout pends.
TEST(UpstreamAbuse, AServerThatWritesBeforeItReadsDoesNotDeadlock) {
  Worker w;
  const auto session = w.open(w.stdio());
  std::vector<std::string> answers;
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  const std::string big(300'000, 'q');
  for (int i = 0; i < 8; ++i)
    group.spawn([](SessionPtr s, Call call, std::vector<std::string>& out) -> Task<void> {
      out.push_back(text_of(co_await s->call(std::move(call), nullptr)));
    }(session, i == 0 ? w.make_call("deaf") : w.make_call("echo", "{\"q\":\"" + big + "\"}"), answers));
  run(w.context, group.join());
  ASSERT_EQ(answers.size(), 8U);
  EXPECT_EQ(answers[0], "spoke");
  EXPECT_GT(answers[7].size(), big.size());
}

TEST(UpstreamAbuse, AServerThatNeverReadsFillsABoundedQueue) {
  auto settings = testing::quick_settings();
  settings.queue_bytes_max = 1U << 20;
  Worker w(settings);
  const auto server = w.stdio();
  const auto session = w.open(server);
  TaskGroup group(w.context.get_executor(), [](const char*) {});
  std::vector<std::string> outcomes;
  const std::string big(500'000, 'q');
  group.spawn([](SessionPtr s, Call call) -> Task<void> { co_await s->call(std::move(call), nullptr); }(
                                              session, w.make_call("endless")));
  for (int i = 0; i < 4; ++i)
    group.spawn([](SessionPtr s, Call call, std::vector<std::string>& out) -> Task<void> {
      out.push_back(error_of(co_await s->call(std::move(call), nullptr)));
    }(session, w.make_call("echo", "{\"q\":\"" + big + "\"}"), outcomes));
  run(w.context, group.join());
  ASSERT_EQ(outcomes.size(), 4U);
  EXPECT_EQ(std::ranges::count(outcomes, "limit: the server does not read its input"), 2) << outcomes[0] << outcomes[3];
}

}  // namespace
}  // namespace sallyport::upstream
