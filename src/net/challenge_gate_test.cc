// tls-alpn-01 at our own port (RFC 8737; S2-27): which first bytes are the authority's, and what becomes of them.
#include "net/challenge_gate.h"

#include <openssl/ssl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "net/arrival.h"
#include "net/loopback_fixture.h"
#include "net/tls_test_support.h"

namespace sallyport::net {
namespace {

using std::string_literals::operator""s;

// The first record of a client that offers these protocols, as ALPN writes them.
std::string hello_of(std::string_view protocols, std::string_view name = "gateway.example") {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const SslPtr ssl(SSL_new(context.get()));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_tlsext_host_name(ssl.get(), std::string(name).c_str());
  if (!protocols.empty()) {
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  (void)SSL_connect(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

constexpr std::string_view kAcme = "\x0a"
                                   "acme-tls/1";

TEST(Hello, ThatOneProtocolAloneIsAChallenge) {
  EXPECT_EQ(look_at_hello(hello_of(kAcme)).aim, HelloAim::challenge);
  const std::string http = "\x08http/1.1", longer = "\x0c"
                                                    "acme-tls/1.1";
  for (const std::string& other : {""s, http, http + std::string(kAcme), std::string(kAcme) + http, longer}) {
    EXPECT_EQ(look_at_hello(hello_of(other)).aim, HelloAim::other) << other;
  }
}

TEST(Hello, ABeginningSaysHowMuchIsNeeded) {
  const std::string hello = hello_of(kAcme);
  EXPECT_EQ(look_at_hello("").needed, 5U);
  for (std::size_t size = 0; size < hello.size(); ++size) {
    const HelloLook look = look_at_hello(std::string_view(hello).substr(0, size));
    EXPECT_EQ(look.aim, HelloAim::more) << size;
    EXPECT_EQ(look.needed, size < 5 ? 5 : hello.size());
  }
}

// One byte a record: what a client begins with is known once the last is there.
TEST(Hello, InSeveralRecordsIsOneButNoChallenge) {
  const std::string hello = hello_of(kAcme).substr(5);
  std::string records;
  for (const char byte : hello) {
    const HelloLook look = look_at_hello(records);
    EXPECT_EQ(look.aim, HelloAim::more);
    EXPECT_EQ(look.needed, records.size() + 5);
    records += "\x16\x03\x01\x00\x01"s + byte;
  }
  EXPECT_EQ(look_at_hello(records).aim, HelloAim::other);
}

TEST(Hello, WhatIsBrokenOrTooLongIsNone) {
  for (const std::string& none :
       {"GET / HTTP/1.1\r\n"s, "\x16\x03\x01\xff\xff"s, "\x16\x03\x01\x00\x00"s, "\x80\x2e\x01\x03\x01"s,
        "\x16\x03\x01\x00\x01\x02"s, "\x16\x03\x01\x00\x04\x01\x00\x00\x00"s,
        "\x16\x03\x01\x00\x01\x01\x15\x03\x03\x00\x02"s}) {
    EXPECT_EQ(look_at_hello(none).aim, HelloAim::none) << testing::PrintToString(none);
  }
  const std::string hello = hello_of(kAcme), extension = "\x00\x10\x00\x0d\x00\x0b"s + std::string(kAcme);
  int framed = 0;
  for (std::size_t at = 0; at < hello.size(); ++at) {  // no read beyond the bytes, whatever the lengths say
    for (const char wrong : {'\x00', '\xff', '\x7f'}) {
      std::string bad = hello;
      bad[at] = wrong;
      const std::unique_ptr<char[]> exact(new char[bad.size()]);  // a read beyond it is seen by the sanitizer
      std::ranges::copy(bad, exact.get());
      const HelloLook look = look_at_hello({exact.get(), bad.size()});
      EXPECT_EQ(look.aim == HelloAim::more, look.needed > bad.size()) << at;
      EXPECT_LE(look.needed, kHelloBytesMax) << at;
      if (bad == hello) continue;
      const bool framing = at == 0 || (at >= 3 && at <= 8) || bad.find(extension) == std::string::npos;
      if (framing) EXPECT_NE(look.aim, HelloAim::challenge) << at;
      framed += framing ? 1 : 0;
    }
  }
  EXPECT_GT(framed, 50) << "the protocol's bytes and the lengths before them";
}

TEST(Gate, OfOneAddressHoldsTwo) {
  ChallengeGate gate;
  for (const char* who : {"192.0.2.1", "2001:db8:0:7::/64"}) {
    EXPECT_TRUE(gate.take(who) && gate.take(who)) << who;
    EXPECT_FALSE(gate.take(who)) << who;
  }
  EXPECT_TRUE(gate.take("192.0.2.2")) << "others have theirs";
  EXPECT_EQ(gate.refused(), 2U);
  gate.give_back("192.0.2.1");
  EXPECT_TRUE(gate.take("192.0.2.1"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gate.take({})) << "behind a proxy many have one address";
}

TEST(Gate, HoldsSoManyAtOnce) {
  ChallengeGate gate;
  EXPECT_EQ(gate.port(), 0);
  for (int i = 0; i < ChallengeGate::kMost; ++i) EXPECT_TRUE(gate.take("192.0.2." + std::to_string(i)));
  EXPECT_FALSE(gate.take("198.51.100.1"));
  EXPECT_EQ(gate.refused(), 1U);
  gate.give_back("192.0.2.1");
  EXPECT_TRUE(gate.take("198.51.100.1"));
  EXPECT_EQ(gate.passed(), static_cast<std::uint64_t>(ChallengeGate::kMost) + 1);
}

class ChallengeTest : public Loopback {
 protected:
  SystemRandom random_;
  TestCertificate ca_{authority()};
  TestCertificate server_{CertificateWish{}, &ca_};
  ChallengeGate gate_;
  ArrivalSettings arrival_{.timeout = std::chrono::milliseconds{2000}, .challenges = &gate_};
  std::unique_ptr<Arrivals> arrivals_;
  TcpAcceptor inside_{io_.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  std::vector<std::string> faults_, inside_said_;
  std::string from_ = "127.0.0.1";  // whom the next connections come from, by TCP's word

  void arrive() {
    TlsMaterial material;
    material.chain = server_.pem();
    material.key = Secret(server_.key_pem());
    arrivals_ = std::make_unique<Arrivals>(arrival_, sweep_);
    arrivals_->use(TlsServer::make(material, TicketKeys::fresh(random_), clock_).value_or(nullptr));
    group_.spawn(accept_all());
    group_.spawn(answer_inside());
  }
  Task<void> accept_all() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(use_task_ec);
      if (error) co_return;
      group_.spawn(one(Stream(Socket(std::move(socket)))));
    }
  }
  Task<void> one(Stream stream) {
    Peer peer{.address = *IpAddress::parse(from_), .ip = from_};
    const auto failed = co_await arrivals_->admit(stream, peer);
    faults_.emplace_back(failed ? arrival_fault_name(failed->fault) : "none");
    stream.close();
  }
  // The ACME client's listener: says what came until "end", and ends.
  Task<void> answer_inside() {
    for (;;) {
      auto [error, socket] = co_await inside_.async_accept(use_task_ec);
      if (error) co_return;
      inside_said_.push_back(co_await read_until(socket, "end"));
      co_await asio::async_write(socket, asio::buffer("answer"s), use_task_ec);
    }
  }
  [[nodiscard]] std::uint16_t inside_port() const { return inside_.local_endpoint().port(); }
};

// Another user's listener at a port of 127.0.0.1, until this ends.
class Stranger {
 public:
  Stranger() {
    int told[2];
    if (::pipe(told) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      asio::io_context io;
      const bool changed = ::setuid(65'534) == 0;
      const asio::basic_socket_acceptor<asio::ip::tcp, Executor> taken(io.get_executor(),
                                                                       {asio::ip::address_v4::loopback(), 0});
      const std::uint16_t port = changed ? taken.local_endpoint().port() : 0;
      (void)!::write(told[1], &port, sizeof port);
      ::pause();
      ::_exit(0);
    }
    (void)!::read(told[0], &port_, sizeof port_);
    ::close(told[0]);
    ::close(told[1]);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  pid_t child_ = -1;
  std::uint16_t port_ = 0;
};

// lego listens anew for each name of an order: who takes the port between two of them would be given the authority's connection.
TEST_F(ChallengeTest, GoesToNobodyElseWhoTookThePort) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user is needed: root alone becomes one";
  const Stranger stranger;
  ASSERT_NE(stranger.port(), 0);
  EXPECT_TRUE(listens_for_us(inside_port()));
  EXPECT_FALSE(listens_for_us(stranger.port()));
  gate_.open(stranger.port());
  arrive();
  run([](auto& self) -> Task<void> {
    EXPECT_EQ(co_await self.talk(hello_of(kAcme)), "");
    self.inside_.close();
  }(*this));
  EXPECT_EQ(faults_, std::vector<std::string>{"challenge_refused"}) << "recorded: nothing of it is the authority's";
  EXPECT_EQ(gate_.passed(), 0U);
  EXPECT_EQ(gate_.refused(), 1U);
}

TEST_F(ChallengeTest, GoesByteForByteToTheClientThatWaits) {
  gate_.open(inside_port());
  arrive();
  const std::string hello = hello_of(kAcme);
  run([](auto& self, const std::string& sent) -> Task<void> {
    auto socket = co_await self.connect();
    // In pieces, as large hellos come: nothing is decided before the whole record is there.
    for (const std::size_t part : {std::size_t{3}, std::size_t{100}, sent.size()}) {
      const std::size_t from = part == 3 ? 0 : part == 100 ? 3 : 100;
      co_await asio::async_write(socket, asio::buffer(sent.substr(from, part - from)), use_task_ec);
      co_await self.yield();
    }
    co_await asio::async_write(socket, asio::buffer("and more end"s), use_task_ec);
    EXPECT_EQ(co_await self.read_all(socket), "answer");
    socket.close();
    EXPECT_TRUE(co_await self.eventually([&] { return !self.faults_.empty(); }));
    self.inside_.close();
  }(*this, hello));
  EXPECT_EQ(faults_, std::vector<std::string>{"challenge"});
  ASSERT_EQ(inside_said_.size(), 1U);
  EXPECT_EQ(inside_said_[0].substr(0, hello.size()), hello);
  EXPECT_EQ(gate_.passed(), 1U);
}

// Only while an order runs: else whoever asks would reach what listens on this machine.
TEST_F(ChallengeTest, AtAClosedGateItIsAHandshakeLikeAnyOther) {
  arrive();
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.talk(hello_of(kAcme));
    EXPECT_TRUE(answer.starts_with("\x15\x03"s)) << "an alert: no_application_protocol (RFC 7301 3.2)";
    self.inside_.close();
  }(*this));
  EXPECT_EQ(faults_, std::vector<std::string>{"handshake"});
  EXPECT_TRUE(inside_said_.empty());
  EXPECT_EQ(gate_.passed(), 0U);
}

TEST_F(ChallengeTest, OthersAreServedWhileItIsOpen) {
  gate_.open(inside_port());
  arrive();
  run([](auto& self) -> Task<void> {
    const auto answer = co_await self.talk(hello_of("\x08http/1.1"));
    EXPECT_TRUE(answer.starts_with("\x16\x03"s)) << "a ServerHello of our own";
    self.inside_.close();
  }(*this));
  EXPECT_TRUE(inside_said_.empty());
}

TEST_F(ChallengeTest, WhereNobodyWaitsOrTooManyCameItIsClosed) {
  gate_.open(inside_port());
  inside_.close();
  arrive();
  run([](auto& self) -> Task<void> {
    EXPECT_EQ(co_await self.talk(hello_of(kAcme)), "");
    for (int i = 0; i < ChallengeGate::kMost; ++i) (void)self.gate_.take({});
    EXPECT_EQ(co_await self.talk(hello_of(kAcme)), "");
  }(*this));
  EXPECT_GE(gate_.refused(), 1U);
}

// Found by a reviewer: sixteen that said nothing more kept the authority out.
TEST_F(ChallengeTest, WhoHoldsConnectionsOpenKeepsNobodyElseOut) {
  gate_.open(inside_port());
  arrive();
  run([](auto& self) -> Task<void> {
    std::vector<TcpSocket> held;
    for (self.from_ = "2001:db8:0:7::1"; held.size() < 16; self.from_.back() ^= 1) {  // two addresses of one /64
      held.push_back(co_await self.connect());
      co_await asio::async_write(held.back(), asio::buffer(hello_of(kAcme)), use_task_ec);
      EXPECT_TRUE(co_await self.eventually([&] { return self.faults_.size() == held.size(); }));
    }
    self.from_ = "192.0.2.1";
    auto authority = co_await self.connect();
    co_await asio::async_write(authority, asio::buffer(hello_of(kAcme)), use_task_ec);
    EXPECT_TRUE(co_await self.eventually([&] { return self.faults_.size() == 17; }));
    self.inside_.close();
    self.arrivals_->cancel();
  }(*this));
  EXPECT_EQ(std::ranges::count(faults_, "challenge_refused"), 14);
  EXPECT_EQ(faults_.back(), "challenge");
}

TEST_F(ChallengeTest, ARelayCarriesSoMuchAndNoMore) {
  gate_.open(inside_port());
  arrive();
  run([](auto& self) -> Task<void> {
    EXPECT_EQ(co_await self.talk(hello_of(kAcme) + std::string(70'000, 'x') + "end"), "") << "cut before its end";
    EXPECT_TRUE(co_await self.eventually([&] { return !self.inside_said_.empty(); }));
    self.inside_.close();
  }(*this));
  ASSERT_EQ(inside_said_.size(), 1U);
  EXPECT_LE(inside_said_[0].size(), 64U << 10);
  EXPECT_GE(inside_said_[0].size(), 56U << 10);
}

TEST_F(ChallengeTest, ARelayLastsSoLongAndNoLonger) {
  arrival_.timeout = std::chrono::milliseconds{100};
  gate_.open(inside_port());
  arrive();
  run([](auto& self) -> Task<void> {
    const auto began = self.clock_.steady();
    EXPECT_EQ(co_await self.talk(hello_of(kAcme)), "") << "and then nothing: the other end waits for more";
    EXPECT_GE(self.clock_.steady() - began, std::chrono::milliseconds{100});
    EXPECT_TRUE(co_await self.eventually([&] { return !self.inside_said_.empty(); }));
    self.inside_.close();
  }(*this));
  EXPECT_EQ(gate_.passed(), 1U);
}

// However near to the drain its hello comes.
TEST_F(ChallengeTest, NoRelayBeginsAfterADrain) {
  gate_.open(inside_port());
  arrive();
  run([](auto& self) -> Task<void> {
    const std::string hello = hello_of(kAcme);
    for (int turns = 0; turns < 30; ++turns) {
      auto socket = co_await self.connect();
      co_await asio::async_write(socket, asio::buffer(hello.substr(0, 50)), use_task_ec);
      co_await self.yield();
      co_await asio::async_write(socket, asio::buffer(hello.substr(50)), use_task_ec);
      co_await self.yield(turns);
      const auto before = self.gate_.passed();
      self.arrivals_->cancel();
      (void)co_await self.read_all(socket);
      EXPECT_TRUE(co_await self.eventually([&] { return self.faults_.size() == static_cast<std::size_t>(turns) + 1; }));
      EXPECT_EQ(self.gate_.passed(), before) << turns;
      const auto tls = self.arrivals_->tls();
      self.arrivals_ = std::make_unique<Arrivals>(self.arrival_, self.sweep_);
      self.arrivals_->use(tls);
    }
    self.inside_.close();
  }(*this));
}

}  // namespace
}  // namespace sallyport::net
