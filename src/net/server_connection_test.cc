#include "net/server_connection.h"

#include "net/loopback_fixture.h"

namespace sallyport::net {
namespace {

using std::chrono::milliseconds;

class ServerConnectionTest : public Loopback {
 protected:
  static Handler echo() {
    return [](ServerExchange& exchange) -> Task<void> {
      const auto body = co_await exchange.read_body();
      Response response{.content_type = "text/plain"};
      if (body)
        response.body =
            std::string(exchange.head().method) + " " + std::string(exchange.head().path) + " " + std::string(*body);
      if (!body) response.status = info(body.error().code).http_status;
      co_await exchange.respond(std::move(response));
    };
  }
};

TEST_F(ServerConnectionTest, AnswersAndKeepsAlive) {
  settings_.common_headers = "X-Frame-Options: DENY\r\n";
  serve(echo());
  run([this]() -> Task<void> {
    const auto all = co_await talk("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
                                   "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(occurrences(all, "HTTP/1.1 200 OK\r\n"), 2U) << all;
    EXPECT_EQ(occurrences(all, "X-Frame-Options: DENY\r\n"), 2U);
    EXPECT_EQ(occurrences(all, "Connection: close\r\n"), 1U);
    EXPECT_LT(all.find("POST /a hi"), all.find("GET /b "));
  }());
  EXPECT_EQ(context_->requests(), 2U);
  EXPECT_EQ(accepted_, 1U);
}

TEST_F(ServerConnectionTest, AnswersAHundredPipelinedInOrder) {
  serve(echo());
  run([this]() -> Task<void> {
    std::string bytes, want;
    for (int i = 0; i < 100; ++i) {
      const auto body = std::string(static_cast<std::size_t>(i * 7), 'x');
      bytes += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
      if (i > 0) {
        char size[16];
        std::snprintf(size, sizeof size, "%x\r\n", static_cast<unsigned>(body.size()));
        bytes += size + body + "\r\n";
      }
      bytes += "0\r\n\r\n";
    }
    bytes += "GET /last HTTP/1.0\r\nHost: h\r\n\r\n";
    const auto all = co_await talk(bytes);
    EXPECT_EQ(occurrences(all, "HTTP/1.1 200 OK"), 101U);
    std::size_t at = 0;
    for (int i = 0; i < 100; ++i) {
      const auto found = all.find("POST /" + std::to_string(i) + " ");
      EXPECT_GE(found, at);
      at = found;
    }
  }());
}

TEST_F(ServerConnectionTest, RefusesBadFramingWithTheSecurityHeadersAndCloses) {
  settings_.common_headers = "X-Frame-Options: DENY\r\n";
  serve(echo());
  run([this]() -> Task<void> {
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
    EXPECT_EQ(occurrences(all, "HTTP/1.1"), 1U) << "nothing after it is answered";
    EXPECT_NE(all.find("X-Frame-Options: DENY"), std::string::npos);
    EXPECT_NE(all.find("bad_framing"), std::string::npos);
  }());
  EXPECT_EQ(context_->requests(), 0U);
}

TEST_F(ServerConnectionTest, ContinuesOnlyWhenTheBodyIsWanted) {
  serve([](ServerExchange& exchange) -> Task<void> {
    if (exchange.head().path == "/no") {
      co_await exchange.respond({.status = 401});
      co_return;
    }
    const auto body = co_await exchange.read_body();
    co_await exchange.respond({.status = body ? 200 : 400, .body = body ? std::string(*body) : ""});
  });
  run([this]() -> Task<void> {
    auto socket = co_await connect();
    const std::string head = "POST /yes HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(head), use_task);
    EXPECT_EQ(co_await read_until(socket, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await asio::async_write(socket, asio::buffer("abc", 3), use_task);
    EXPECT_NE((co_await read_until(socket, "abc")).find("200 OK"), std::string::npos);
    const auto refused =
        co_await talk("POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 401 ")) << refused;
    EXPECT_NE(refused.find("Connection: close"), std::string::npos) << "the body may come or not";
  }());
}

TEST_F(ServerConnectionTest, ReadsALargeBodyAndSendsOneBack) {
  serve(echo());
  run([this]() -> Task<void> {
    const std::string body(9U << 20, 'b');
    const auto all = co_await talk("PUT /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
                                   std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(all.ends_with("PUT /big " + body));
  }());
}

TEST_F(ServerConnectionTest, AnswersThatAnUnreadBodyIsTooLarge) {
  settings_.limits.body_bytes = 1000;
  serve(echo());
  run([this]() -> Task<void> {
    const auto all =
        co_await talk("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'));
    EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all.substr(0, 200);
  }());
}

TEST_F(ServerConnectionTest, StreamsInChunks) {
  serve([](ServerExchange& exchange) -> Task<void> {
    EXPECT_TRUE(co_await exchange.start_stream(200, {{"Content-Type", "text/event-stream"}}));
    EXPECT_TRUE(co_await exchange.write("data: 1\n\n"));
    EXPECT_TRUE(co_await exchange.write(""));
    EXPECT_TRUE(co_await exchange.write(std::string(300'000, 'y')));
    EXPECT_TRUE(co_await exchange.end_stream());
    EXPECT_FALSE(co_await exchange.write("more"));
    EXPECT_FALSE(co_await exchange.respond({}));
  });
  run([this]() -> Task<void> {
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\nHost: h\r\n\r\n");
    EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n493e0\r\nyyy"), std::string::npos);
    EXPECT_NE(all.find("yyy\r\n0\r\n\r\nHTTP/1.1 200 OK"), std::string::npos);
    EXPECT_TRUE(all.ends_with("yyy")) << "to HTTP/1.0 the end of the connection is the end";
  }());
}

TEST_F(ServerConnectionTest, AHandlerThatThrowsAnswers500AndCloses) {
  std::string reported;
  settings_.on_exception = [&](const char* what) { reported = what; };
  serve([](ServerExchange&) -> Task<void> {
    throw std::runtime_error("broken");
    co_return;
  });
  run([this]() -> Task<void> {
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 500 "));
    EXPECT_EQ(all.find("broken"), std::string::npos);
  }());
  EXPECT_EQ(reported, "broken");
}

TEST_F(ServerConnectionTest, RefusesHeadersThatBreakTheFraming) {
  serve([](ServerExchange& exchange) -> Task<void> {
    EXPECT_FALSE(exchange.add_header("X", "a\r\nSet-Cookie: b"));
    EXPECT_FALSE(exchange.add_header("Content-Length", "1"));
    EXPECT_TRUE(exchange.add_header("X-Request-Id", "r1"));
    EXPECT_FALSE(co_await exchange.respond({.headers = {{"X", "a\nb"}}}));
    EXPECT_FALSE(exchange.answered());
    EXPECT_TRUE(co_await exchange.respond({.body = "ok"}));
  });
  run([this]() -> Task<void> {
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(all.find("Set-Cookie"), std::string::npos);
    EXPECT_NE(all.find("X-Request-Id: r1\r\n"), std::string::npos);
  }());
}

TEST_F(ServerConnectionTest, SlowHeadAnswers408) {
  settings_.timeouts.head = milliseconds{10};
  serve(echo());
  run([this]() -> Task<void> {
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: h\r\nX: slow");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 408 ")) << all;
  }());
}

TEST_F(ServerConnectionTest, ADrippingHeadGetsNoMoreTime) {
  settings_.timeouts.head = milliseconds{20};
  serve(echo());
  run([this]() -> Task<void> {
    auto socket = co_await connect();
    const auto start = clock_.steady();
    const bool cut = co_await eventually([&] {
      boost::system::error_code error;
      socket.non_blocking(true);
      socket.write_some(asio::buffer("G", 1), error);
      char byte{};
      boost::system::error_code read_error;
      socket.read_some(asio::buffer(&byte, 1), read_error);
      return !read_error || read_error == asio::error::eof || read_error == asio::error::connection_reset;
    });
    EXPECT_TRUE(cut);
    EXPECT_LT(clock_.steady() - start, std::chrono::seconds{1});
  }());
}

TEST_F(ServerConnectionTest, SlowBodyIsATimeout) {
  settings_.timeouts.body = milliseconds{10};
  serve(echo());
  run([this]() -> Task<void> {
    const auto all = co_await talk("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 408 ")) << all;
    EXPECT_NE(all.find("Connection: close"), std::string::npos);
  }());
}

TEST_F(ServerConnectionTest, IdleConnectionsAreClosedWithoutAWord) {
  settings_.timeouts.idle = milliseconds{10};
  serve(echo());
  run([this]() -> Task<void> {
    EXPECT_EQ(co_await talk(""), "");
    const auto all = co_await talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(occurrences(all, "HTTP/1.1"), 1U);
  }());
}

TEST_F(ServerConnectionTest, AClientThatTakesNothingIsCutOff) {
  settings_.timeouts.write = milliseconds{20};
  bool failed = false;
  serve([&](ServerExchange& exchange) -> Task<void> {
    const auto sent = co_await exchange.respond({.body = std::string(64U << 20, 'z')});
    failed = !sent && sent.error().code == Code::cancelled;
  });
  run([&]() -> Task<void> {
    auto socket = co_await connect();
    co_await asio::async_write(socket, asio::buffer(std::string_view("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), use_task);
    EXPECT_TRUE(co_await eventually([&] { return failed; }));
  }());
}

TEST_F(ServerConnectionTest, WatchesForTheClientThatGoes) {
  bool gone = false, write_failed = false;
  serve([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.read_body();
    exchange.watch_gone([&] { gone = true; });
    EXPECT_TRUE(co_await eventually([&] { return gone; }));
    EXPECT_TRUE(exchange.gone());
    write_failed = !co_await exchange.start_stream(200, {});
  });
  run([&]() -> Task<void> {
    {
      auto socket = co_await connect();
      co_await asio::async_write(socket, asio::buffer(std::string_view("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), use_task);
      co_await yield();
    }
    EXPECT_TRUE(co_await eventually([&] { return write_failed; }));
  }());
}

TEST_F(ServerConnectionTest, KeepsWhatArrivesWhileItWatches) {
  int requests = 0;
  serve([&](ServerExchange& exchange) -> Task<void> {
    const int mine = ++requests;
    exchange.watch_gone([] { ADD_FAILURE() << "nobody is gone"; });
    if (mine == 1) co_await yield(200);
    co_await exchange.respond({.body = std::string(exchange.head().path)});
  });
  run([&]() -> Task<void> {
    auto socket = co_await connect();
    for (const std::string_view part : {"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /2 HTTP/1.1\r\n", "Host: h\r\n\r\n",
                                        "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
      co_await asio::async_write(socket, asio::buffer(part), use_task);
      co_await yield(30);
    }
    const auto all = co_await read_all(socket);
    EXPECT_EQ(occurrences(all, "HTTP/1.1 200 OK"), 3U) << all;
    EXPECT_LT(all.find("/2"), all.find("/3"));
  }());
}

TEST_F(ServerConnectionTest, DrainClosesTheIdleAndFinishesTheBusy) {
  bool started = false, release = false;
  serve([&](ServerExchange& exchange) -> Task<void> {
    exchange.watch_gone([] {});
    if (exchange.head().path == "/slow") {
      started = true;
      co_await eventually([&] { return release; });
    }
    co_await exchange.respond({.body = "done"});
  });
  run([&]() -> Task<void> {
    auto idle = co_await connect();
    co_await asio::async_write(idle, asio::buffer(std::string_view("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), use_task);
    co_await read_until(idle, "done");
    auto busy = co_await connect();
    co_await asio::async_write(busy, asio::buffer(std::string_view("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")), use_task);
    EXPECT_TRUE(co_await eventually([&] { return started; }));
    context_->begin_drain();
    EXPECT_EQ(co_await read_all(idle), "") << "closed at once";
    release = true;
    const auto all = co_await read_all(busy);
    EXPECT_TRUE(all.ends_with("done")) << all;
    EXPECT_NE(all.find("Connection: close"), std::string::npos);
  }());
}

// Beast's fail_loop turned round: the client stops after n bytes, for every n.
TEST_F(ServerConnectionTest, SurvivesAClientThatStopsAfterAnyByte) {
  serve(echo());
  run([this]() -> Task<void> {
    const std::string first = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    const auto whole = first + "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      auto socket = co_await connect();
      co_await asio::async_write(socket, asio::buffer(whole.data(), n), use_task);
      socket.shutdown(TcpSocket::shutdown_send);
      const auto all = co_await read_all(socket);
      EXPECT_EQ(occurrences(all, "200 OK"), n == whole.size() ? 2U : (n >= first.size() ? 1U : 0U)) << n << " " << all;
    }
    EXPECT_TRUE(co_await eventually([&] { return context_->connections() == 0; }));
  }());
}

}  // namespace
}  // namespace sallyport::net
