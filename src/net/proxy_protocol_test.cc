#include <gtest/gtest.h>

#include "net/proxy_protocol_test_support.h"

namespace sallyport::net {
namespace {

using State = ProxyHeaderReader::State;

TEST(ProxyProtocol, ReadsALineOfVersion1) {
  const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
  const Read got = read(line + "GET / HTTP/1.1\r\n");
  ASSERT_EQ(got.state, State::complete) << got.why;
  EXPECT_EQ(got.used, line.size()) << "what follows is not the header's";
  EXPECT_EQ(got.source.address.text(), "192.0.2.1");
  EXPECT_EQ(got.source.port, 56324);
  EXPECT_FALSE(got.source.own);
}

TEST(ProxyProtocol, ReadsTheLongestLineOfVersion1) {
  const std::string address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const Read got = read("PROXY TCP6 " + address + " " + address + " 65535 65535\r\n");
  ASSERT_EQ(got.state, State::complete) << got.why;
  EXPECT_EQ(got.source.address.text(), address);
  const std::string unknown = "PROXY UNKNOWN " + address + " " + address + " 65535 65535\r\n";
  ASSERT_EQ(unknown.size(), kProxyLineMax);
  EXPECT_TRUE(read(unknown).source.own);
}

TEST(ProxyProtocol, ReadsVersion2) {
  const Read v4 = read(binary(0x21, 0x11, kV4) + "\x16\x03\x01");
  ASSERT_EQ(v4.state, State::complete) << v4.why;
  EXPECT_EQ(v4.used, 28U);
  EXPECT_EQ(v4.source.address.text(), "192.0.2.1");
  EXPECT_EQ(v4.source.port, 56324);
  std::string addresses(32, '\0');
  addresses[0] = 0x20, addresses[1] = 0x01, addresses[15] = 0x07;
  const Read v6 = read(binary(0x21, 0x21, addresses + "\x01\x02\x03\x04"s));
  ASSERT_EQ(v6.state, State::complete) << v6.why;
  EXPECT_EQ(v6.source.address.text(), "2001::7");
  EXPECT_EQ(v6.source.port, 0x0102);
}

TEST(ProxyProtocol, AProxysOwnConnectionKeepsItsAddress) {
  EXPECT_TRUE(read(binary(0x20, 0x00, "")).source.own);
  EXPECT_TRUE(read(binary(0x20, 0x11, kV4)).source.own) << "2.2: the receiver must ignore what is there";
  EXPECT_TRUE(read("PROXY UNKNOWN\r\n").source.own);
}

TEST(ProxyProtocol, ReadsOfTlsInFrontOfTheProxy) {
  const std::string tls = "\x20\x00\x0F\x01\x00\x00\x00\x00\x21\x00\x07TLSv1.3"s;
  EXPECT_TRUE(read(binary(0x21, 0x11, kV4 + tls)).source.tls);
  const std::string plain = "\x20\x00\x05\x00\x00\x00\x00\x01"s;
  EXPECT_FALSE(read(binary(0x21, 0x11, kV4 + plain)).source.tls);
  EXPECT_FALSE(read(binary(0x21, 0x11, kV4)).source.tls);
}

// RFC 4960, appendix B; the value was computed in Python.
TEST(ProxyProtocol, ChecksTheChecksumWhereThereIsOne) {
  std::string header = binary(0x21, 0x11, kV4 + "\x03\x00\x04\x00\x00\x00\x00"s);
  header.replace(31, 4, "\xA4\x54\x06\x56"s);
  EXPECT_EQ(read(header).why, "");
  for (std::size_t i = 13; i < header.size(); ++i) {
    if (i == 28) continue;  // the extension's type: then there is no checksum
    std::string flipped = header;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    EXPECT_NE(read(flipped).state, State::complete) << i;
  }
}

TEST(ProxyProtocol, CuttingChangesNothing) {
  for (const std::string& header : {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"s, binary(0x21, 0x11, kV4)}) {
    for (const std::size_t step : {1U, 2U, 7U}) {
      const Read got = read(header + "x", step);
      EXPECT_EQ(got.state, State::complete);
      EXPECT_EQ(got.used, header.size());
    }
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(read(header.substr(0, size)).state, State::reading) << size;
    }
  }
}

}  // namespace
}  // namespace sallyport::net
