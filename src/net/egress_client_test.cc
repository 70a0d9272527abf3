#include "net/egress_client.h"

#include <unistd.h>

#include "net/loopback_fixture.h"

namespace sallyport::net {
namespace {

using std::chrono::milliseconds;

class EgressClientTest : public Loopback {
 protected:
  EgressClient client_{io_.get_executor(), sweep_};

  std::shared_ptr<const EgressTarget> target(const std::string& path = "/mcp") {
    auto made = EgressTarget::make("http://127.0.0.1:" + std::to_string(port()) + path, {.allow_private = true},
                                   {{"Authorization", "Bearer t"}});
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }
  EgressRequest request(std::string body = "{}") {
    return {.target = target(),
            .headers = {{"Content-Type", "application/json"}},
            .body = std::move(body),
            .deadline = soon()};
  }
  // Answers each connection with what `script` says for it, after a request head has come; then closes.
  Task<void> scripted(std::vector<std::string> script) {
    for (const auto& answer : script) {
      auto [error, socket] = co_await acceptor_.async_accept(use_task_ec);
      if (error) co_return;
      ++accepted_;
      co_await read_until(socket, "\r\n\r\n");
      co_await asio::async_write(socket, asio::buffer(answer), use_task_ec);
    }
  }
};

TEST_F(EgressClientTest, FetchesAndReusesTheConnection) {
  std::string seen;
  serve([&](ServerExchange& exchange) -> Task<void> {
    const auto body = co_await exchange.read_body();
    seen = std::string(exchange.head().method) + std::string(exchange.head().target) + std::string(*body) +
           std::string(exchange.head().find("authorization").value_or("")) +
           std::string(exchange.head().find("host").value_or(""));
    co_await exchange.respond(
        {.headers = {{"Mcp-Session-Id", "s"}}, .content_type = "application/json", .body = "[1]"});
  });
  run([&]() -> Task<void> {
    for (int i = 0; i < 5; ++i) {
      const auto answer = co_await client_.fetch(request(R"({"a":1})"));
      EXPECT_TRUE(answer) << answer.error().detail;
      if (!answer) co_return;
      EXPECT_EQ(answer->head.status, 200);
      EXPECT_EQ(answer->head.find("mcp-session-id"), "s");
      EXPECT_EQ(answer->body, "[1]");
    }
    EXPECT_EQ(accepted_, 1U);
    EXPECT_EQ(client_.idle(), 1U);
    client_.drop_idle();
  }());
  EXPECT_EQ(seen, "POST/mcp{\"a\":1}Bearer t127.0.0.1:" + std::to_string(port()));
}

TEST_F(EgressClientTest, SendsAndReceivesLargeBodies) {
  serve([&](ServerExchange& exchange) -> Task<void> {
    const auto body = co_await exchange.read_body();
    co_await exchange.respond({.body = std::string(*body)});
  });
  run([&]() -> Task<void> {
    const std::string body(8U << 20, 'q');
    const auto answer = co_await client_.fetch(request(body));
    EXPECT_TRUE(answer && answer->body == body);
    auto small = request(body);
    small.limits.body_bytes = 1000;
    const auto refused = co_await client_.fetch(std::move(small));
    EXPECT_TRUE(!refused && refused.error().code == Code::upstream_too_large);
  }());
}

TEST_F(EgressClientTest, StreamsABodyAsItComes) {
  bool first_read = false;
  serve([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start_stream(200, {{"Content-Type", "text/event-stream"}});
    co_await exchange.write("data: 1\n\n");
    co_await eventually([&] { return first_read; });
    co_await exchange.write("data: 2\n\n");
    co_await exchange.end_stream();
  });
  run([&]() -> Task<void> {
    auto stream = co_await client_.open(request());
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    EXPECT_EQ((*stream)->head().find("content-type"), "text/event-stream");
    EXPECT_EQ(co_await (*stream)->read_some(), "data: 1\n\n");
    first_read = true;
    EXPECT_EQ(co_await (*stream)->read_some(), "data: 2\n\n");
    EXPECT_EQ(co_await (*stream)->read_some(), "");
    EXPECT_EQ(client_.idle(), 1U) << "read to its end, the connection is reused";
    client_.drop_idle();
  }());
}

TEST_F(EgressClientTest, ClosingAStreamEndsItsReader) {
  serve([&](ServerExchange& exchange) -> Task<void> {
    bool gone = false;
    co_await exchange.start_stream(200, {});
    exchange.watch_gone([&] { gone = true; });
    EXPECT_TRUE(co_await eventually([&] { return gone; }));
  });
  run([&]() -> Task<void> {
    auto stream = co_await client_.open(request());
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    asio::post(io_, [&] { (*stream)->close(); });
    const auto read = co_await (*stream)->read_some();
    EXPECT_TRUE(!read && read.error().code == Code::cancelled);
    stream->reset();
    EXPECT_TRUE(co_await eventually([&] { return context_->connections() == 0; }));
  }());
}

TEST_F(EgressClientTest, KeepsTheDeadline) {
  serve([&](ServerExchange& exchange) -> Task<void> {
    bool gone = false;
    exchange.watch_gone([&] { gone = true; });
    co_await eventually([&] { return gone; });
  });
  run([&]() -> Task<void> {
    auto late = request();
    late.deadline = clock_.steady() + milliseconds{20};
    const auto answer = co_await client_.fetch(std::move(late));
    EXPECT_TRUE(!answer && answer.error().code == Code::upstream_timeout) << (answer ? "" : answer.error().detail);
    auto none = request();
    none.deadline = SteadyTime::max();
    EXPECT_FALSE(co_await client_.fetch(std::move(none)));
  }());
}

TEST_F(EgressClientTest, APooledConnectionThatWentStaleIsReplaced) {
  group_.spawn(
      scripted({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"}));
  run([&]() -> Task<void> {
    EXPECT_EQ((co_await client_.fetch(request())).value().body, "a");
    const auto tick = sweep_.tick();  // within an interval it is trusted unasked
    EXPECT_TRUE(co_await eventually([&] { return sweep_.tick() != tick; }));
    EXPECT_EQ((co_await client_.fetch(request())).value().body, "b") << "a POST too: nothing of it was sent";
    EXPECT_EQ(accepted_, 2U);
    client_.drop_idle();
  }());
}

TEST_F(EgressClientTest, OldIdleConnectionsGoByThemselves) {
  serve([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}); });
  EgressClient young{io_.get_executor(), sweep_, {.idle_age = milliseconds{5}}};
  run([&]() -> Task<void> {
    EXPECT_TRUE(co_await young.fetch(request("")));
    EXPECT_TRUE(co_await eventually([&] { return young.idle() == 0 && context_->connections() == 0; }));
  }());
}

TEST_F(EgressClientTest, DoesNotRepeatAPostThatWasSent) {
  int requests = 0;
  group_.spawn([](auto& self, int& count) -> Task<void> {
    for (;;) {
      auto [error, socket] = co_await self.acceptor_.async_accept(use_task_ec);
      if (error) co_return;
      ++self.accepted_;
      co_await self.read_until(socket, "\r\n\r\n");
      ++count;
      co_await asio::async_write(socket, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
                                 use_task_ec);
      co_await self.read_until(socket, "\r\n\r\n");  // the second request on this connection: cut without an answer
      ++count;
    }
  }(*this, requests));
  run([&]() -> Task<void> {
    EXPECT_TRUE(co_await client_.fetch(request()));
    const auto cut = co_await client_.fetch(request());
    EXPECT_TRUE(!cut && cut.error().code == Code::upstream_unavailable);
    EXPECT_EQ(requests, 2);
    EXPECT_TRUE(co_await client_.fetch(request()));
    auto get = request("");
    get.method = "GET";
    EXPECT_TRUE(co_await client_.fetch(std::move(get))) << "an idempotent one is tried again";
    EXPECT_EQ(requests, 5);
    client_.drop_idle();
  }());
}

TEST_F(EgressClientTest, AnAnswerCutAnywhereIsAnErrorNotAHang) {
  const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  std::vector<std::string> script;
  for (std::size_t n = 0; n <= whole.size(); ++n) script.push_back(whole.substr(0, n));
  group_.spawn(scripted(script));
  run([&]() -> Task<void> {
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      const auto answer = co_await client_.fetch(request());
      EXPECT_EQ(answer.has_value(), n == whole.size()) << n;
      client_.drop_idle();
    }
  }());
}

TEST_F(EgressClientTest, GarbageAndRedirects) {
  group_.spawn(scripted(
      {"garbage\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"}));
  run([&]() -> Task<void> {
    const auto garbage = co_await client_.fetch(request());
    EXPECT_TRUE(!garbage && garbage.error().code == Code::upstream_protocol);
    const auto redirect = co_await client_.fetch(request());
    EXPECT_TRUE(redirect && redirect->head.status == 302) << "handed to the caller, never followed";
    client_.drop_idle();
  }());
}

TEST_F(EgressClientTest, TheGuardChecksWhatANameResolvesTo) {
  serve([](ServerExchange& exchange) -> Task<void> {
    ADD_FAILURE() << "reached";
    co_await exchange.respond({});
  });
  run([&]() -> Task<void> {
    auto made = EgressTarget::make("http://localhost:" + std::to_string(port()) + "/", {});
    EXPECT_TRUE(made);
    auto guarded = request();
    guarded.target = *made;
    const auto answer = co_await client_.fetch(std::move(guarded));
    EXPECT_TRUE(!answer && answer.error().code == Code::egress_refused) << (answer ? "" : answer.error().detail);
    EXPECT_EQ(accepted_, 0U);
  }());
}

TEST_F(EgressClientTest, APooledConnectionIsJudgedByThePolicyOfEachRequest) {
  serve([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}); });
  run([&]() -> Task<void> {
    const auto url = "http://localhost:" + std::to_string(port()) + "/";
    auto open = request("");
    open.target = *EgressTarget::make(url, {.allowed_hosts = {"localhost"}});
    EXPECT_TRUE(co_await client_.fetch(std::move(open)));
    auto closed = request("");
    closed.target = *EgressTarget::make(url, {});
    EXPECT_FALSE(co_await client_.fetch(std::move(closed)));
    client_.drop_idle();
  }());
}

TEST_F(EgressClientTest, RefusesHeadersThatBreakTheFraming) {
  run([&]() -> Task<void> {
    for (const Header& header :
         {Header{"X", "a\r\nB: c"}, Header{"Host", "b"}, Header{"Content-Length", "9"}, Header{"X Y", "z"}}) {
      auto bad = request();
      bad.headers = {header};
      const auto answer = co_await client_.fetch(std::move(bad));
      EXPECT_TRUE(!answer && answer.error().code == Code::invalid_request) << header.first;
    }
    auto path = request();
    path.path = "/a b";
    EXPECT_FALSE(co_await client_.fetch(std::move(path)));
    EXPECT_FALSE(EgressTarget::make("http://a.example/", {}, {{"X", "a\nb"}}));
  }());
}

TEST_F(EgressClientTest, NobodyListens) {
  const auto closed = EgressTarget::make("http://127.0.0.1:1/", {.allow_private = true});
  run([&]() -> Task<void> {
    auto nobody = request();
    nobody.target = *closed;
    const auto answer = co_await client_.fetch(std::move(nobody));
    EXPECT_TRUE(!answer && answer.error().code == Code::upstream_unavailable);
  }());
}

TEST_F(EgressClientTest, SpeaksOverAUnixSocket) {
  const std::string path = testing::TempDir() + "sp_net_" + std::to_string(::getpid()) + ".sock";
  ::unlink(path.c_str());
  asio::basic_socket_acceptor<asio::local::stream_protocol, Executor> local(
      io_.get_executor(), asio::local::stream_protocol::endpoint(path));
  context_ = std::make_unique<ServerContext>(
      settings_, [](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({.body = "local"}); }, sweep_);
  run([&]() -> Task<void> {
    auto connected = [](auto& acceptor, auto& group, auto& context) -> Task<void> {
      auto [error, socket] = co_await acceptor.async_accept(use_task_ec);
      if (!error)
        group.spawn(serve_connection(Stream(Socket(std::move(socket))), Peer{.is_local_socket = true}, context));
    };
    group_.spawn(connected(local, group_, *context_));
    auto ask = request("");
    ask.target = *EgressTarget::make_unix(path);
    ask.path = "/api/v1/status";
    const auto answer = co_await client_.fetch(std::move(ask));
    EXPECT_TRUE(answer && answer->body == "local") << (answer ? "" : answer.error().detail);
    client_.drop_idle();
  }());
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace sallyport::net
