// Who may not come as far as the first request: too many handshakes, and anybody but the proxy where one takes the TLS off.
#include "net/arrival_fixture.h"

namespace sallyport::net {
namespace {

// S0-38: a handshake costs the gateway a signature, and the client nothing yet.
TEST_F(ArrivalTest, S0_38_HandshakesOverTheLimitEndBeforeAnyWorkOnThem) {
  std::vector<std::string> asked;
  arrival_.admit_handshake = [&](const IpAddress& who) {
    asked.push_back(who.text());
    return asked.size() <= 2;
  };
  from_ = "198.51.100.7";
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE((co_await self.ask({}, kLast)).ends_with("198.51.100.7 tls"));
    EXPECT_EQ(co_await self.talk(client_hello()), "") << "no ServerHello, no alert";
    (co_await self.connect()).close();  // a health check is no handshake
    EXPECT_TRUE(co_await self.eventually([&] { return self.refused_.size() == 2; }));
  }(*this));
  EXPECT_EQ(asked, std::vector<std::string>(3, from_));
  ASSERT_EQ(refused_.size(), 2U);
  EXPECT_EQ(refused_[0].first, "too_many_handshakes");
  EXPECT_NE(refused_[0].second.find("rate.tls_address"), std::string::npos) << "the setting is named";
}

// Found by a reviewer: a byte each of a few addresses took the places of all others.
TEST_F(ArrivalTest, OnlyAWholeHelloCountsAsAHandshake) {
  int asked = 0;
  arrival_.admit_handshake = [&](const IpAddress&) { return ++asked > 0; };
  from_ = "198.51.100.7";
  arrive(tls(), hello());
  const std::string whole = client_hello();
  std::vector<std::string> all{"\x16", "\x15", "\x80\x2e\x01", whole.substr(0, 5), whole.substr(0, whole.size() - 1)};
  for (const auto& record :
       {"\x16\x03\x01\xff\xff"s, "\x16\x03\x01\x00\x01\x01"s, "\x16\x03\x01\x00\x04\x01\x00\x00\x00"s})
    all.push_back(record);
  run([](auto& self, const std::vector<std::string>& beginnings) -> Task<void> {
    for (const std::string& bytes : beginnings) {
      auto socket = co_await self.connect();
      co_await asio::async_write(socket, asio::buffer(bytes), use_task_ec);
      socket.shutdown(TcpSocket::shutdown_send);
      (void)co_await self.read_all(socket);
    }
  }(*this, all));
  EXPECT_EQ(asked, 0);
  ASSERT_EQ(refused_.size(), all.size());
  for (const auto& [fault, detail] : refused_) EXPECT_EQ(fault, "handshake") << detail;
}

TEST_F(ArrivalTest, AHelloInSeveralRecordsIsServed) {
  int asked = 0;
  arrival_.admit_handshake = [&](const IpAddress&) { return ++asked > 0; };
  from_ = "198.51.100.7";
  arrive(tls(), hello());
  std::string records;
  for (std::string hello = client_hello().substr(5); !hello.empty(); hello.erase(0, 60)) {
    const std::string part = hello.substr(0, 60);
    records += "\x16\x03\x01\x00"s + static_cast<char>(part.size()) + part;
    if (part.size() < 60) break;
  }
  run([](auto& self, const std::string& bytes) -> Task<void> {
    auto socket = co_await self.connect();
    for (std::size_t at = 0; at < bytes.size(); at += 50) {
      co_await asio::async_write(socket, asio::buffer(bytes.substr(at, 50)), use_task_ec);
      co_await self.yield();
    }
    std::array<char, 1> first{};
    co_await asio::async_read(socket, asio::buffer(first), use_task_ec);
    EXPECT_EQ(first[0], 22) << "a ServerHello";
  }(*this, records));
  EXPECT_EQ(asked, 1);
}

TEST_F(ArrivalTest, LoopbackAndTrustedProxiesAreNotCounted) {
  arrival_.admit_handshake = [](const IpAddress&) { return false; };
  arrival_.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    for (const char* who : {"127.0.0.1", "10.1.2.3", "192.0.2.1"}) {
      self.from_ = who;
      const auto answer = co_await self.ask({}, kLast);
      EXPECT_EQ(answer.ends_with(" tls"), who != "192.0.2.1"s) << who;
    }
  }(*this));
}

TEST_F(ArrivalTest, BehindAProxyThatNamesClientsTheyAreCounted) {
  arrival_.proxy_protocol = true;
  arrival_.trusted_proxies = {*Cidr::parse("127.0.0.1")};
  arrival_.admit_handshake = [](const IpAddress& who) { return who.text() != "192.0.2.7"; };
  arrive(tls(), hello());
  run([](auto& self) -> Task<void> {
    EXPECT_EQ(co_await self.ask("PROXY TCP4 192.0.2.7 127.0.0.1 4711 443\r\n", kLast), "no handshake");
    EXPECT_TRUE((co_await self.ask("PROXY TCP4 192.0.2.8 127.0.0.1 4711 443\r\n", kLast)).ends_with("192.0.2.8 tls"));
  }(*this));
}

// C16: what comes in the clear comes from the proxy that took the TLS off.
TEST_F(ArrivalTest, C16_BehindATlsProxyNobodyElseIsServed) {
  arrival_.proxies_only = true;
  arrival_.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  arrive(nullptr, hello());
  EXPECT_TRUE(arrivals_->asked_for());
  run([](auto& self) -> Task<void> {
    self.from_ = "10.1.2.3";
    EXPECT_TRUE((co_await self.talk(kLast)).ends_with("10.1.2.3 plain"));
    for (const char* who : {"192.0.2.1", "11.0.0.1", "127.0.0.1", "2001:db8::1"}) {
      self.from_ = who;
      EXPECT_EQ(co_await self.talk("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.1.2.3\r\n\r\n"), "")
          << who;
    }
  }(*this));
  EXPECT_EQ(served_.size(), 1U);
  ASSERT_EQ(refused_.size(), 4U);
  for (const auto& [fault, detail] : refused_) EXPECT_EQ(fault, "untrusted_proxy");
}

}  // namespace
}  // namespace sallyport::net
