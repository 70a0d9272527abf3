#include "request/listener/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/egress_client.h"
#include "request/listener/stamp.h"

namespace sallyport {
namespace {

using net::ServerExchange;

class ListenerTest : public testing::Test {
 protected:
  asio::io_context io_;
  SystemClock clock_;
  net::DeadlineSweep sweep_{io_.get_executor(), clock_, std::chrono::milliseconds{2}};
  ConnectionLimits limits_{100, 50};
  net::EgressClient client_{io_.get_executor(), sweep_};
  std::string socket_ = testing::TempDir() + "sp_listener_" + std::to_string(::getpid()) + ".sock";

  std::unique_ptr<Listener> make(ListenerSettings settings, net::Handler handler) {
    settings.port = settings.port == 8000 ? 0 : settings.port;
    return std::make_unique<Listener>(io_.get_executor(), std::move(settings), std::move(handler), limits_, sweep_);
  }
  static net::Handler hello() {
    return [](ServerExchange& exchange) -> Task<void> {
      co_await exchange.respond({.body = exchange.peer().ip + " " + std::to_string(exchange.peer().uid)});
    };
  }
  [[nodiscard]] SteadyTime in(int ms) const { return clock_.steady() + std::chrono::milliseconds{ms}; }

  Task<Result<net::EgressResponse>> get(std::shared_ptr<const net::EgressTarget> target) {
    net::EgressRequest request{.target = std::move(target), .method = "GET", .deadline = in(5000)};
    co_return co_await client_.fetch(std::move(request));
  }
  std::shared_ptr<const net::EgressTarget> tcp(const Listener& listener) {
    return *net::EgressTarget::make("http://127.0.0.1:" + std::to_string(listener.port()) + "/",
                                    {.allow_private = true});
  }
  void run(Listener& listener, Task<void> test) {
    sweep_.start();
    bool done = false;
    asio::co_spawn(io_, all(listener, std::move(test)), [&](const std::exception_ptr& error) { done = !error; });
    io_.run_for(std::chrono::seconds{20});
    EXPECT_TRUE(done);
    EXPECT_EQ(limits_.open(), 0U);
  }
  Task<void> all(Listener& listener, Task<void> test) {
    co_await std::move(test);
    client_.drop_idle();
    co_await listener.drain(in(1000));
    sweep_.stop();
  }
};

TEST_F(ListenerTest, ServesTcpAndTheAdminSocket) {
  auto listener = make({.admin_socket = socket_}, hello());
  ASSERT_TRUE(listener->bind());
  struct stat found{};
  ASSERT_EQ(::stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  listener->start();
  run(*listener, [](auto& self, auto& l) -> Task<void> {
    EXPECT_EQ((co_await self.get(self.tcp(l))).value().body, "127.0.0.1 0");
    const auto local = co_await self.get(*net::EgressTarget::make_unix(self.socket_));
    EXPECT_TRUE(local && local->body == "local " + std::to_string(::getuid()));
    EXPECT_EQ(l.counters().accepted.load(), 2U);
  }(*this, *listener));
  EXPECT_NE(::stat(socket_.c_str(), &found), 0) << "the socket file goes with the server";
}

TEST_F(ListenerTest, SaysWhoHasThePort) {
  auto first = make({}, hello());
  ASSERT_TRUE(first->bind());
  auto second = make({.port = first->port()}, hello());
  const auto taken = second->bind();
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().detail.find("port " + std::to_string(first->port())), std::string::npos);
  EXPECT_NE(taken.error().detail.find("--port"), std::string::npos);
  auto worker = make({.port = first->port(), .first = false}, hello());
  EXPECT_TRUE(worker->bind()) << "a second worker of the same server shares it";
  auto nonsense = make({.address = "not an address"}, hello());
  EXPECT_FALSE(nonsense->bind());
}

TEST_F(ListenerTest, TakesOverADeadSocketFileOnly) {
  auto first = make({.admin_socket = socket_}, hello());
  ASSERT_TRUE(first->bind());
  auto second = make({.admin_socket = socket_}, hello());
  const auto taken = second->bind();
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().detail.find("another server answers"), std::string::npos);
  first.reset();  // as after kill -9: the file stays
  auto third = make({.admin_socket = socket_}, hello());
  EXPECT_TRUE(third->bind());
  third->stop_accepting();
  third.reset();
}

TEST_F(ListenerTest, LimitsConnectionsInAllAndByAddress) {
  ConnectionLimits limits(3, 2);
  const auto a = *IpAddress::parse("10.0.0.1");
  EXPECT_TRUE(limits.admit(a));
  EXPECT_TRUE(limits.admit(a));
  EXPECT_FALSE(limits.admit(a)) << "by address";
  limits.release(a);
  EXPECT_TRUE(limits.admit(a));
  ConnectionLimits all(2, 2);
  EXPECT_TRUE(all.admit(*IpAddress::parse("10.0.0.2")));
  EXPECT_TRUE(all.admit(*IpAddress::parse("10.0.0.3")));
  EXPECT_FALSE(all.admit(*IpAddress::parse("10.0.0.4"))) << "in all";
  EXPECT_EQ(all.open(), 2U);
  EXPECT_EQ(all.refused(), 1U);
}

TEST_F(ListenerTest, DrainCancelsWhatDoesNotFinish) {
  bool started = false, unwound = false;
  auto listener = make({}, [&](ServerExchange&) -> Task<void> {
    struct Unwound {
      bool& flag;
      ~Unwound() { flag = true; }
    } const guard{unwound};
    started = true;
    SteadyTimer never(io_, SteadyTimer::time_point::max());
    co_await never.async_wait(use_task);
  });
  ASSERT_TRUE(listener->bind());
  listener->start();
  run(*listener, [](auto& self, auto& l, auto& on) -> Task<void> {
    TaskGroup group(self.io_.get_executor(), [](const char*) {});
    group.spawn([](auto& me, auto& li) -> Task<void> { EXPECT_FALSE(co_await me.get(me.tcp(li))); }(self, l));
    while (!on) co_await asio::post(self.io_.get_executor(), use_task);
    co_await l.drain(self.in(10));
    EXPECT_EQ(l.connections(), 0U);
    co_await group.join();
  }(*this, *listener, started));
  EXPECT_TRUE(unwound);
}

TEST_F(ListenerTest, S1_4_EveryAnswerCarriesTheSecurityHeadersAndARequestId) {
  const auto edge = Edge::make({.hosts = {"127.0.0.1:1", "localhost"}});
  ASSERT_TRUE(edge);
  ListenerSettings settings;
  settings.server.refuse = [&](ServerExchange& exchange, const Error& error) {
    stamp(exchange, *edge, "refused-1");
    return net::Response{.status = info(error.code).http_status};
  };
  auto listener = make(settings, [&](ServerExchange& exchange) -> Task<void> {
    const auto verdict = edge->inspect(exchange.head(), exchange.peer());
    stamp(exchange, verdict, "id-1");
    co_await exchange.respond(verdict.decision.allow ? net::Response{} : Edge::refusal(verdict));
  });
  ASSERT_TRUE(listener->bind());
  listener->start();
  run(*listener, [](auto& self, auto& l) -> Task<void> {
    const auto wrong_host = co_await self.get(self.tcp(l));
    EXPECT_EQ(wrong_host.value().head.status, 403);
    EXPECT_EQ(wrong_host.value().head.find("x-frame-options"), "DENY");
    EXPECT_EQ(wrong_host.value().head.find("x-request-id"), "id-1");
    net::EgressRequest request{.target = self.tcp(l), .method = "TRACE", .deadline = self.in(5000)};
    const auto refused = co_await self.client_.fetch(std::move(request));
    EXPECT_EQ(refused.value().head.find("x-content-type-options"), "nosniff");
    EXPECT_EQ(refused.value().head.find("x-request-id"), "refused-1");
  }(*this, *listener));
}

}  // namespace
}  // namespace sallyport
