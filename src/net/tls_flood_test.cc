// Peers whose TLS has no end: records of anything but application data, as fast as they go. Found by a reviewer: one such
// connection kept its worker in a single call of SSL_read for as long as it liked.
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <thread>

#include "net/arrival_fixture.h"
#include "net/egress_tls_test_support.h"

namespace sallyport::net {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kFloodTime{4};
constexpr std::chrono::seconds kSoon{2};

// KeyUpdates by the thousand, or three before each piece of `between`; until the peer has closed: true, or the time is over.
bool flood(SSL* ssl, int fd, std::string_view between = {}) {
  BIO* const out = BIO_new(BIO_s_mem());
  BIO* const in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set0_rbio(ssl, in);
  SSL_set0_wbio(ssl, out);
  const timeval most{.tv_sec = kFloodTime.count()};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
  for (const auto end = steady_clock::now() + kFloodTime; steady_clock::now() < end;) {
    for (int i = 0; i < (between.empty() ? 512 : 3); ++i) {
      SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(ssl);
    }
    if (!between.empty()) SSL_write(ssl, between.data(), static_cast<int>(between.size()));
    char* bytes = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &bytes));
    for (std::size_t done = 0; done < size;) {
      const auto sent = ::send(fd, bytes + done, size - done, MSG_NOSIGNAL);
      if (sent < 0) return errno != EAGAIN;
      done += static_cast<std::size_t>(sent);
    }
    BIO_reset(out);
  }
  return false;
}

// A client on a thread: its handshake, `first`, then the flood.
class FloodingClient {
 public:
  FloodingClient(std::uint16_t port, std::string first, std::string between)
      : thread_([this, port, first = std::move(first), between = std::move(between)] { run(port, first, between); }) {}
  FloodingClient(const FloodingClient&) = delete;
  FloodingClient& operator=(const FloodingClient&) = delete;
  ~FloodingClient() { (void)was_closed(); }
  bool was_closed() {
    if (thread_.joinable()) thread_.join();
    return closed_;
  }

 private:
  void run(std::uint16_t port, const std::string& first, const std::string& between) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    const SslPtr ssl(SSL_new(context));
    SSL_set_fd(ssl.get(), fd);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0 && SSL_connect(ssl.get()) == 1) {
      if (!first.empty()) SSL_write(ssl.get(), first.data(), static_cast<int>(first.size()));
      closed_ = flood(ssl.get(), fd, between);
    }
    SSL_CTX_free(context);
    ::close(fd);
  }

  bool closed_ = false;
  std::thread thread_;
};

class TlsFlood : public ArrivalTest {
 protected:
  std::vector<std::string> flooded_;
  TlsFlood() {
    settings_.on_flood = [this](const Peer& peer) { flooded_.push_back(peer.ip); };
  }
  // Another client is served while one floods, and the one that floods is closed.
  void others_are_served(std::string first, std::string between) {
    FloodingClient client(port(), std::move(first), std::move(between));
    run([](auto& self) -> Task<void> {
      const auto began = steady_clock::now();
      EXPECT_TRUE(co_await self.eventually([&] { return !self.served_.empty(); }));
      EXPECT_TRUE((co_await self.ask({}, kLast)).ends_with("127.0.0.1 tls"));
      EXPECT_LT(steady_clock::now() - began, kSoon);
      EXPECT_TRUE(co_await self.eventually([&] { return !self.flooded_.empty(); }));
    }(*this));
    EXPECT_TRUE(client.was_closed());
    EXPECT_EQ(flooded_, std::vector<std::string>{"127.0.0.1"});
  }
};

TEST_F(TlsFlood, OfKeyUpdatesStopsNobodyElse) {
  arrive(tls(), hello());
  others_are_served({}, {});
}

TEST_F(TlsFlood, MixedWithDataIsFoundOut) {
  arrive(tls(), hello());
  others_are_served("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", "x");
}

TEST_F(TlsFlood, EndsTheWatchOverAClientWhoseRequestRuns) {
  bool gone = false;
  arrive(tls(), [&](ServerExchange& exchange) -> Task<void> {
    SteadyTimer until(io_.get_executor(), std::chrono::seconds{10});
    if (exchange.head().target == "/wait") {
      (void)co_await exchange.read_body();
      exchange.watch_gone([&until] { until.cancel(); });
      co_await until.async_wait(use_task_ec);
      gone = exchange.gone();
    } else {
      co_await exchange.respond({.body = exchange.peer().ip + " tls"});
    }
  });
  others_are_served("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n", {});
  EXPECT_TRUE(gone);
}

TEST_F(TlsFlood, OfFragmentsInTheHandshakeIsEnded) {
  arrive(tls(), hello());
  std::string records;
  std::string hello =
      "\x01\x00\x02\x54\x03\x03"s + std::string(32, 'r') + "\x00\x00\x02\x13\x01\x01\x00\x02\x29"s;  // 600 bytes
  hello.resize(600, 'x');
  for (const char byte : hello) records += "\x16\x03\x01\x00\x01"s + byte;
  run([](auto& self, std::string bytes) -> Task<void> {
    (void)co_await self.talk(std::move(bytes));
    EXPECT_TRUE(co_await self.eventually([&] { return !self.refused_.empty(); }));
  }(*this, records));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0], std::pair("tls_flood"s, std::string(kTlsFlood)));
}

// What clients with long connections do (RFC 8446 5.5), only more often.
TEST_F(TlsFlood, AKeyUpdateBeforeEachRequestIsNone) {
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    auto [stream, done] = co_await self.tls_client();
    EXPECT_TRUE(done);
    stream->socket().set_option(asio::ip::tcp::no_delay(true));
    std::array<char, 4096> part{};
    for (int i = 0; i < 100; ++i) {
      SSL_key_update(const_cast<SSL*>(stream->ssl()), SSL_KEY_UPDATE_NOT_REQUESTED);
      (void)stream->try_write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const auto got = co_await stream->read_some(part);
      EXPECT_TRUE(std::string_view(part.data(), got.bytes).ends_with("127.0.0.1 tls")) << i;
      if (got.error) break;
    }
    stream->close();
  }(*this));
  EXPECT_TRUE(flooded_.empty());
}

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class UpstreamFlood : public Loopback {
 protected:
  const made::Issued server_{made::Wanted{.common_name = "server", .authority = true}};
  SSL_CTX* const server_context_ = SSL_CTX_new(TLS_server_method());
  UpstreamFlood() {
    SSL_CTX_use_certificate(server_context_, server_.x509.get());
    SSL_CTX_use_PrivateKey(server_context_, server_.key.get());
    acceptor_.native_non_blocking(false);
    const timeval most{.tv_sec = 10};  // of a wait for a connection
    ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  }
  ~UpstreamFlood() override { SSL_CTX_free(server_context_); }

  [[nodiscard]] int next() { return ::accept(acceptor_.native_handle(), nullptr, nullptr); }
  // One request, then `answer`, and the flood where it is asked for.
  void serve_one(int fd, std::string_view answer, bool floods) {
    const SslPtr ssl(SSL_new(server_context_));
    SSL_set_fd(ssl.get(), fd);
    char request[4096];
    if (SSL_accept(ssl.get()) == 1 && SSL_read(ssl.get(), request, sizeof request) > 0) {
      if (!answer.empty()) SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
      if (floods) flood(ssl.get(), fd);
    }
    ::close(fd);
  }
  Task<Result<EgressResponse>> get(EgressClient& client) {
    const auto terms = TlsTerms::make({.ca_pem = server_.pem()});
    const auto target = EgressTarget::make("https://127.0.0.1:" + std::to_string(port()) + "/", {.allow_private = true},
                                           {}, terms.value_or(nullptr));
    EgressRequest request{.target = *target, .method = "GET", .deadline = soon()};
    co_return co_await client.fetch(std::move(request));
  }
};

TEST_F(UpstreamFlood, InPlaceOfAnAnswerEndsTheCall) {
  std::thread upstream([this] { serve_one(next(), {}, true); });
  run([](auto& self) -> Task<void> {
    EgressClient client(self.io_.get_executor(), self.sweep_);
    const auto began = steady_clock::now();
    const auto answer = co_await self.get(client);
    EXPECT_LT(steady_clock::now() - began, kSoon);
    EXPECT_FALSE(answer);
    if (!answer) {
      EXPECT_EQ(answer.error().code, Code::upstream_unavailable);
      EXPECT_EQ(answer.error().detail, "receive: " + std::string(kTlsFlood));
    }
  }(*this));
  upstream.join();
}

TEST_F(UpstreamFlood, OnAnIdleConnectionCostsThatConnection) {
  std::thread upstream([this] {
    std::thread first([this, fd = next()] { serve_one(fd, kAnswer, true); });
    serve_one(next(), kAnswer, false);
    first.join();
  });
  run([](auto& self) -> Task<void> {
    EgressClient client(self.io_.get_executor(), self.sweep_);
    const auto began = steady_clock::now();
    for (int i = 0; i < 2; ++i) {
      const auto answer = co_await self.get(client);
      EXPECT_TRUE(answer && answer->body == "ok") << (answer ? answer->body : answer.error().detail);
    }
    EXPECT_LT(steady_clock::now() - began, kSoon);
    client.drop_idle();
  }(*this));
  upstream.join();
}

// More than one call may read: it ends with nothing wrong, and the wait that follows must see what is in the socket already.
TEST_F(UpstreamFlood, ALongChainOfCertificatesIsNone) {
  for (int i = 0; i < 150; ++i) SSL_CTX_add1_chain_cert(server_context_, server_.x509.get());
  std::thread upstream([this] { serve_one(next(), kAnswer, false); });
  run([](auto& self) -> Task<void> {
    EgressClient client(self.io_.get_executor(), self.sweep_);
    const auto answer = co_await self.get(client);
    EXPECT_TRUE(answer && answer->body == "ok") << (answer ? answer->body : answer.error().detail);
    client.drop_idle();
  }(*this));
  upstream.join();
}

}  // namespace
}  // namespace sallyport::net
