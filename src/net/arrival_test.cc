// The way to the first request over real sockets: PROXY header, handshake, deadline, and HTTP over TLS behind them.
#include "net/arrival_fixture.h"
#include "net/tls_test_ocsp.h"

namespace sallyport::net {
namespace {

TEST_F(ArrivalTest, S0_29_ServesHttpOverTls) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.ask({}, kLast);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n127.0.0.1 tls")) << answer;
  }(*this));
  EXPECT_TRUE(refused_.empty());
}

// A client in memory whose first key share is of a group that we do not take, so that it says hello twice (RFC 8446 4.1.4).
class HelloTwice {
 public:
  HelloTwice() {
    SSL_set_bio(ssl_.get(), in_, out_);
    EXPECT_EQ(SSL_set1_groups_list(ssl_.get(), "P-521:X25519"), 1);
    SSL_set_tlsext_status_type(ssl_.get(), TLSEXT_STATUSTYPE_ocsp);
  }
  // What it says to what it heard.
  std::string next(std::string_view heard) {
    if (!heard.empty()) BIO_write(in_, heard.data(), static_cast<int>(heard.size()));
    (void)SSL_connect(ssl_.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    std::string said(data, static_cast<std::size_t>(size));
    BIO_reset(out_);
    return said;
  }
  [[nodiscard]] bool done() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  [[nodiscard]] bool stapled() const {
    const unsigned char* response = nullptr;
    return SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &response) > 0;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  SslPtr ssl_{SSL_new(context_.get())};
  BIO* in_ = BIO_new(BIO_s_mem());  // ssl_'s, as the next
  BIO* out_ = BIO_new(BIO_s_mem());
};

// Found by a reviewer: OpenSSL's callback for the OCSP response points into what the handshake began with.
TEST_F(ArrivalTest, AHandshakeOutlivesTheMaterialThatItBeganWith) {
  TlsMaterial material;
  material.ocsp = ocsp_response(ca_, server_);
  arrive(tls(std::move(material)), hello());
  run([](auto& self) -> Task<void> {
    HelloTwice client;
    Stream stream(Socket(co_await self.connect()));
    std::string said = client.next({});
    for (int hellos = 0; !client.done();) {
      if (!said.empty() && ++hellos == 2)
        self.arrivals_->use(self.tls());  // as a reload does; nobody else holds the former
      (void)stream.try_write(said);
      std::array<char, 4096> part{};
      const auto got = co_await stream.read_some(part);
      EXPECT_FALSE(got.error) << "after hello " << hellos;
      if (got.error) co_return;
      said = client.next({part.data(), got.bytes});
    }
    EXPECT_TRUE(client.stapled()) << "by what it began with";
  }(*this));
}

TEST_F(ArrivalTest, BodiesOfAMegabyteGoBothWays) {
  arrive(tls(), [](ServerExchange& exchange) -> Task<void> {
    const auto body = co_await exchange.read_body();
    co_await exchange.respond({.body = body ? std::string(*body) : "none"});
  });
  run([](auto& self) -> Task<void> {
    std::string body(1'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>('a' + i % 26);
    EgressClient client(self.io_.get_executor(), self.sweep_, {.ca_file = self.ca_file_});
    const auto target =
        EgressTarget::make("https://127.0.0.1:" + std::to_string(self.port()) + "/", {.allow_private = true});
    for (int round = 0; round < 3; ++round) {
      EgressRequest request{.target = *target, .method = "POST", .body = body, .deadline = self.soon()};
      const auto answer = co_await client.fetch(std::move(request));
      EXPECT_TRUE(answer && answer->body == body) << (answer ? "another body" : answer.error().detail);
    }
    client.drop_idle();
  }(*this));
  EXPECT_EQ(served_.size(), 1U) << "one connection for all three";
}

TEST_F(ArrivalTest, AStreamOfChunksComesAsItIsWritten) {
  arrive(tls(), [](ServerExchange& exchange) -> Task<void> {
    (void)co_await exchange.start_stream(200, {});
    for (int i = 0; i < 100; ++i) (void)co_await exchange.write(std::string(3000, static_cast<char>('a' + i % 26)));
    (void)co_await exchange.end_stream();
  });
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.ask({}, kLast);
    EXPECT_EQ(occurrences(answer, std::string(3000, 'c')), 4U);
    EXPECT_TRUE(answer.ends_with("0\r\n\r\n"));
  }(*this));
}

TEST_F(ArrivalTest, NoticesOverTlsThatTheClientIsGone) {
  bool gone = false;
  arrive(tls(), [&](ServerExchange& exchange) -> Task<void> {
    SteadyTimer until(io_.get_executor(), SteadyTimer::time_point::max());
    exchange.watch_gone([&] {
      gone = true;
      until.cancel();
    });
    (void)co_await exchange.read_body();
    co_await until.async_wait(use_task_ec);
  });
  run([](auto& self, auto& flag) -> Task<void> {
    auto [stream, done] = co_await self.tls_client();
    EXPECT_TRUE(done);
    (void)stream->try_write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(co_await self.eventually([&] { return self.context_->requests() == 1; }));
    (void)stream->try_write("GET /next HTTP/1.1\r\n");  // bytes ahead are no end
    co_await self.yield();
    EXPECT_FALSE(flag);
    stream->close();
    EXPECT_TRUE(co_await self.eventually([&] { return flag; }));
  }(*this, gone));
}

TEST_F(ArrivalTest, RequestsAheadAreServedInOrder) {
  arrive(tls(), [](ServerExchange& exchange) -> Task<void> {
    exchange.watch_gone([] {});
    (void)co_await exchange.read_body();
    co_await exchange.respond({.body = std::string(exchange.head().path)});
  });
  run([](auto& self) -> Task<void> {
    const auto answer =
        co_await self.ask({}, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"s + kLast);
    EXPECT_EQ(occurrences(answer, "HTTP/1.1 200"), 3U);
    EXPECT_LT(answer.find("\r\n\r\n/1"), answer.find("\r\n\r\n/2"));
  }(*this));
}

TEST_F(ArrivalTest, PlainHttpIsToldSo) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.talk(kLast);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_NE(answer.find("HTTPS"), std::string::npos);
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "plain_http");
}

TEST_F(ArrivalTest, NonsenseGetsAnAlertAndIsNamed) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.talk("\x17\x03\x03\x00\x05hello"s);  // data before a hello
    EXPECT_TRUE(answer.empty() || answer.front() == '\x15') << "an alert or nothing";
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "handshake");
}

TEST_F(ArrivalTest, WhoStallsIsCutAtTheDeadline) {
  arrival_.timeout = std::chrono::milliseconds{20};
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    auto silent = co_await self.connect(), slow = co_await self.connect();
    co_await asio::async_write(slow, asio::buffer("\x16\x03\x01\x02\x00\x01"s), use_task_ec);
    EXPECT_EQ(co_await self.read_all(silent), "");
    (void)co_await self.read_all(slow);
  }(*this));
  ASSERT_EQ(refused_.size(), 2U);
  for (const auto& [fault, detail] : refused_) EXPECT_EQ(fault, "timeout") << detail;
}

TEST_F(ArrivalTest, AHealthCheckThatSaysNothingIsNoFault) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    (co_await self.connect()).close();
    EXPECT_TRUE(co_await self.eventually([&] { return !self.refused_.empty(); }));
  }(*this));
  EXPECT_EQ(refused_[0].first, "closed");
}

TEST_F(ArrivalTest, ADrainEndsThoseOnTheirWay) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    auto silent = co_await self.connect();
    EXPECT_TRUE(co_await self.eventually([&] { return self.accepted_ == 0 && self.group_.size() > 1; }));
    co_await self.yield();
    self.arrivals_->cancel();
    EXPECT_EQ(co_await self.read_all(silent), "");
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "draining");
}

TEST_F(ArrivalTest, NewConnectionsMeetTheNewCertificateOldOnesGoOn) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    auto [old, done] = co_await self.tls_client();
    EXPECT_TRUE(done);
    const TestCertificate stranger{CertificateWish{}};  // signed by itself: our client does not trust it
    TlsMaterial other;
    other.chain = stranger.pem();
    other.key = Secret(stranger.key_pem());
    self.arrivals_->use(*TlsServer::make(other, TicketKeys::fresh(self.random_), self.clock_));
    EXPECT_EQ(co_await self.ask({}, kLast), "no handshake");
    (void)old->try_write(kLast);
    EXPECT_TRUE((co_await self.rest_of(*old)).ends_with("127.0.0.1 tls"));
  }(*this));
}

TEST_F(ArrivalTest, AlertsReachAClientThatHasSentMore) {
  TlsMaterial mutual;
  mutual.client_ca = ca_.pem();
  mutual.client_certificates = ClientCertificates::required;
  arrive(tls(std::move(mutual)), hello());
  run([](auto& self) -> Task<void> {
    auto [stream, done] = co_await self.tls_client();
    EXPECT_TRUE(done) << "of TLS 1.3 the client is done before its certificate was looked at";
    (void)stream->try_write(kLast);
    EXPECT_EQ(co_await self.rest_of(*stream), "");
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "certificate");
}

TEST_F(ArrivalTest, S1_31_TheProxyHeaderNamesTheClient) {
  arrival_.proxy_protocol = true;
  arrival_.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    const std::string line = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 443\r\n";
    EXPECT_TRUE((co_await self.ask(line, kLast)).ends_with("192.0.2.7 tls"));
    EXPECT_EQ(co_await self.ask({}, kLast), "no handshake") << "without a header nobody is served";
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "proxy_header");
}

TEST_F(ArrivalTest, TheProxyHeaderWorksWithoutTlsOfOurOwn) {
  arrival_.proxy_protocol = true;
  arrival_.trusted_proxies = {*Cidr::parse("127.0.0.1")};
  arrive(nullptr, hello());
  run([](auto& self) -> Task<void> {
    const std::string v2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x01\x0A\x00\x00\x01\xDC\x04\x01\xBB"s;
    EXPECT_TRUE((co_await self.talk(v2 + kLast)).ends_with("192.0.2.1 plain"));
    const std::string own = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s;
    EXPECT_TRUE((co_await self.talk(own + kLast)).ends_with("127.0.0.1 plain")) << "the proxy's own health check";
    const std::string tls = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14\xC0\x00\x02\x01\x0A\x00\x00\x01\xDC\x04\x01\xBB"s +
                            "\x20\x00\x05\x01\x00\x00\x00\x00"s;
    EXPECT_TRUE((co_await self.talk(tls + kLast)).ends_with("192.0.2.1 tls")) << "TLS ended at the proxy";
  }(*this));
}

TEST_F(ArrivalTest, S1_31_NobodyElseMayNameAClient) {
  arrival_.proxy_protocol = true;
  arrival_.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  arrive(nullptr, hello());
  run([](auto& self) -> Task<void> {
    EXPECT_EQ(co_await self.talk("PROXY TCP4 10.0.0.1 127.0.0.1 4711 443\r\n"s + kLast), "");
  }(*this));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].first, "untrusted_proxy");
}

}  // namespace
}  // namespace sallyport::net
