// Registered tools that stand for an HTTP endpoint, good ones and others.
#include "request/upstream/tool_endpoint.h"

#include "request/upstream/http_test_server.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Exchange;
using testing::run;
using testing::TestHttpServer;
using testing::Worker;

struct World {
  explicit World(TestHttpServer::Handler handler) : http(w.context, std::move(handler)) {
    endpoint.name = endpoint_name("t");
    endpoint.transport = Transport::http;
    endpoint.url = http.url();
    endpoint.allow_private = true;
  }
  Task<Result<Reply>> begin(std::string arguments = "{}",
                            std::chrono::milliseconds timeout = std::chrono::seconds(15)) {
    auto registration = std::make_shared<Registration>();
    registration->endpoint = std::make_shared<const ServerRecord>(endpoint);
    auto tool = std::make_shared<ToolRecord>();
    tool->name = "t";
    tool->registration = std::move(registration);
    return post_to_endpoint(w.upstreams.deps(), tool, std::move(arguments), w.clock.steady() + timeout);
  }
  Result<Reply> call(std::string arguments = "{}", std::chrono::milliseconds timeout = std::chrono::seconds(15)) {
    return run(w.context, begin(std::move(arguments), timeout));
  }
  Code refused() {
    const auto reply = call();
    EXPECT_FALSE(reply.has_value());
    return reply ? Code::internal : reply.error().code;
  }
  Worker w;
  TestHttpServer http;
  ServerRecord endpoint;
};

TestHttpServer::Handler answers(std::string body, std::string type = "application/json") {
  return [body = std::move(body), type = std::move(type)](Exchange& e) -> Task<void> {
    co_await e.raw("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body);
  };
}

TestHttpServer::Handler answers_status(int status, std::string headers = {}) {
  return [status, headers = std::move(headers)](Exchange& e) -> Task<void> { co_await e.status(status, headers); };
}

TEST(ToolEndpoint, PostsTheArgumentsAndTakesAnObject) {
  World world(answers(R"({ "sum": 3 })"));
  const auto reply = world.call(R"({"a":1,"b":2})");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_FALSE(reply->is_error);
  EXPECT_EQ(reply->body, R"({"content":[{"type":"text","text":"{\"sum\":3}"}],"structuredContent":{"sum":3}})");
  const auto& seen = world.http.seen.at(0);
  EXPECT_EQ(seen.body, R"({"a":1,"b":2})");
  EXPECT_TRUE(seen.has("post / ") || seen.has("post /mcp ")) << seen.head;
  EXPECT_TRUE(seen.has("content-type: application/json\r\n"));
  for (const char* never : {"authorization", "cookie", "mcp-", "x-api-key"}) EXPECT_FALSE(seen.has(never)) << seen.head;
}

TEST(ToolEndpoint, TakesTextAndOtherJson) {
  EXPECT_EQ(World(answers("[1, 2]")).call()->body, R"({"content":[{"type":"text","text":"[1,2]"}]})");
  EXPECT_EQ(World(answers("a\n\"b\"", "text/plain")).call()->body,
            R"({"content":[{"type":"text","text":"a\n\"b\""}]})");
  EXPECT_EQ(World(answers("", "image/png")).call()->body, R"({"content":[]})");
}

TEST(ToolEndpoint, SendsTheHeadersThatWereApprovedAlone) {
  World world(answers("{}"));
  world.endpoint.headers["Authorization"] = "${env:TOKEN}";
  ASSERT_TRUE(world.call());
  EXPECT_TRUE(world.http.seen.at(0).has("authorization: hush\r\n"));
  world.endpoint.headers = {{"X", "${vault:none}"}};
  EXPECT_EQ(world.refused(), Code::config);
}

TEST(ToolEndpointAbuse, TheGuardHoldsWithoutAllowPrivate) {
  World world(answers("{}"));
  world.endpoint.allow_private = false;
  EXPECT_EQ(world.refused(), Code::egress_refused);
  world.endpoint.url = "http://169.254.169.254/latest/meta-data";
  world.endpoint.allow_private = true;
  EXPECT_EQ(world.refused(), Code::egress_refused);
  EXPECT_TRUE(world.http.seen.empty());
}

TEST(ToolEndpointAbuse, TellsTheNumberOfARefusalAndFollowsNoRedirect) {
  World world(answers_status(302, "Location: /elsewhere\r\n"));
  const auto reply = world.call();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::upstream_refused);
  EXPECT_EQ(world.http.seen.size(), 1U);
  EXPECT_EQ(World(answers_status(401, "WWW-Authenticate: Basic\r\n")).refused(), Code::upstream_refused);
  EXPECT_EQ(World(answers_status(500)).refused(), Code::upstream_unavailable);
}

TEST(ToolEndpointAbuse, RefusesWhatCannotBeRead) {
  for (const char* body : {"{", R"({"a":1,"a":2})", "{} {}", "\xff"}) {
    EXPECT_EQ(World(answers(body)).refused(), Code::upstream_protocol) << body;
  }
  EXPECT_EQ(World(answers("GIF89a", "image/gif")).refused(), Code::upstream_protocol);
  World large(answers(std::string(5000, 'a'), "text/plain"));
  large.endpoint.result_bytes_max = 4096;
  EXPECT_EQ(large.refused(), Code::upstream_too_large);
}

TEST(ToolEndpointAbuse, ASilentOneEndsInItsTime) {
  World world([](Exchange& e) -> Task<void> { co_await e.until_closed(); });
  const auto reply = world.call("{}", std::chrono::milliseconds(50));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::upstream_timeout);
}

TEST(ToolEndpointAbuse, ABrokenOneIsLeftAloneForAWhile) {
  World world(answers_status(500));
  Code last = Code::internal;
  for (int i = 0; i < 50 && last != Code::breaker_open; ++i) last = world.refused();
  EXPECT_EQ(last, Code::breaker_open);
}

// A caller who hangs up says nothing of the endpoint.
TEST(ToolEndpointAbuse, CallersWhoLeaveDoNotShutItForOthers) {
  World world([](Exchange& e) -> Task<void> { co_await e.until_closed(); });
  for (std::size_t i = 0; i < 20; ++i) {
    asio::cancellation_signal signal;
    std::optional<Result<Reply>> reply;
    asio::co_spawn(world.w.context, world.begin(),
                   asio::bind_cancellation_slot(signal.slot(), [&](auto, auto got) { reply = std::move(got); }));
    ASSERT_TRUE(testing::becomes_true(world.w.context, [&] { return world.http.seen.size() == i + 1; }));
    asio::post(world.w.context, [&] { signal.emit(asio::cancellation_type::terminal); });
    ASSERT_TRUE(testing::becomes_true(world.w.context, [&] { return reply.has_value(); }));
    ASSERT_FALSE(reply->has_value());
    EXPECT_EQ(reply->error().code, Code::cancelled);
  }
  EXPECT_FALSE(world.w.breakers.of("registry/t")->open(world.w.clock.steady()));
}

}  // namespace
}  // namespace sallyport::upstream
