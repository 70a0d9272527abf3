// What a trusted proxy cannot have meant: headers that are refused.
#include <gtest/gtest.h>

#include "net/proxy_protocol_test_support.h"

namespace sallyport::net {
namespace {

using State = ProxyHeaderReader::State;

struct Bad {
  const char* what;
  std::string bytes;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.what; }

class ProxyProtocolAbuse : public testing::TestWithParam<Bad> {};

TEST_P(ProxyProtocolAbuse, IsRefused) { EXPECT_EQ(read(GetParam().bytes).state, State::failed); }

const Bad kBad[] = {
    {"HTTP", "GET / HTTP/1.1\r\n\r\n"},
    {"TLS", "\x16\x03\x01\x02\x00"s},
    {"lower case", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"P alone", "POST / HTTP/1.1\r\n"},
    {"no blank", "PROXYTCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"two blanks", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"two blanks later", "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"},
    {"tab", "PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"blank at the end", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"},
    {"one word more", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"},
    {"one word less", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"},
    {"empty", "PROXY \r\n"},
    {"unknown family", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"UDP", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"v6 as v4", "PROXY TCP4 ::1 ::1 1 2\r\n"},
    {"v4 as v6", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"octal octet", "PROXY TCP4 010.2.3.4 1.2.3.4 1 2\r\n"},
    {"hex octet", "PROXY TCP4 0x7f.0.0.1 1.2.3.4 1 2\r\n"},
    {"three octets", "PROXY TCP4 127.0.1 1.2.3.4 1 2\r\n"},
    {"name", "PROXY TCP4 localhost 1.2.3.4 1 2\r\n"},
    {"zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"},
    {"port too high", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"},
    {"port with zeros", "PROXY TCP4 1.2.3.4 1.2.3.4 0443 2\r\n"},
    {"port with sign", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"},
    {"port negative", "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"},
    {"bare LF", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"},
    {"bare CR", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rGET"},
    {"CR in the middle", "PROXY TCP4 1.2.3.4\r 1.2.3.4 1 2\r\n"},
    {"two CR", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"},
    {"NUL", "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"s},
    {"endless line", "PROXY UNKNOWN " + std::string(200, 'x') + "\r\n"},
    {"108 bytes", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"},
    {"version 1 in binary", binary(0x11, 0x11, kV4)},
    {"version 3", binary(0x31, 0x11, kV4)},
    {"unknown command", binary(0x22, 0x11, kV4)},
    {"nobody named", binary(0x21, 0x00, "")},
    {"nobody named, with addresses", binary(0x21, 0x00, kV4)},
    {"UDP in binary", binary(0x21, 0x12, kV4)},
    {"a Unix socket", binary(0x21, 0x31, std::string(216, '/'))},
    {"unknown family in binary", binary(0x21, 0x41, kV4)},
    {"unknown transport", binary(0x21, 0x13, kV4)},
    {"no addresses", binary(0x21, 0x11, "")},
    {"half of the addresses", binary(0x21, 0x11, kV4.substr(0, 11))},
    {"v6 with addresses of v4", binary(0x21, 0x21, kV4)},
    {"longer than we take", kSignature + "\x21\x11\xFF\xFF" + kV4},
    {"extension cut in its head", binary(0x21, 0x11, kV4 + "\x04\x00"s)},
    {"extension longer than the header", binary(0x21, 0x11, kV4 + "\x04\x00\x09zz"s)},
    {"checksum of three bytes", binary(0x21, 0x11, kV4 + "\x03\x00\x03\x00\x00\x00"s)},
    {"wrong checksum", binary(0x21, 0x11, kV4 + "\x03\x00\x04\x01\x02\x03\x04"s)},
    {"TLS of four bytes", binary(0x21, 0x11, kV4 + "\x20\x00\x04\x01\x00\x00\x00"s)},
    {"broken signature", "\r\n\r\n\0\r\nQUIT\r"s},
};

INSTANTIATE_TEST_SUITE_P(Headers, ProxyProtocolAbuse, testing::ValuesIn(kBad));

}  // namespace
}  // namespace sallyport::net
