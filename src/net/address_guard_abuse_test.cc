// SSRF by address and by spelling (threats.md section 2: 6to4, NAT64, site-local, redirects, metadata).
#include <gtest/gtest.h>

#include "net/address_guard.h"
#include "net/url.h"

namespace sallyport::net {
namespace {

TEST(AddressGuardAbuse, DeniesWhatIsNotPublic) {
  for (const char* text : {"127.0.0.1",
                           "127.255.255.254",
                           "0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "169.254.0.1",
                           "169.254.169.254",
                           "168.63.129.16",
                           "192.0.0.192",
                           "192.0.2.1",
                           "198.51.100.7",
                           "203.0.113.9",
                           "198.18.0.1",
                           "198.19.255.255",
                           "192.88.99.1",
                           "224.0.0.1",
                           "239.1.2.3",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::7f00:1",
                           "::ffff:127.0.0.1",
                           "::ffff:8.8.8.8",
                           "::ffff:0:127.0.0.1",
                           "2002:7f00:1::",
                           "2002:808:808::1",
                           "64:ff9b::7f00:1",
                           "64:ff9b::808:808",
                           "64:ff9b:1::1",
                           "2001::1",
                           "2001:0:1::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:db8::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "feff::1",
                           "ff02::1",
                           "100::1",
                           "3fff::1",
                           "5f00::1",
                           "4000::1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(refusal({}, "h", *address).empty()) << text;
  }
}

TEST(AddressGuardAbuse, LetsPublicAddressesThrough) {
  for (const char* text :
       {"8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
        "169.253.255.255", "198.17.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"}) {
    EXPECT_EQ(refusal({}, "h", *IpAddress::parse(text)), "") << text;
  }
}

TEST(AddressGuardAbuse, PrivateMeansPrivateOnly) {
  const EgressPolicy open{.allow_private = true};
  for (const char* text : {"127.0.0.1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "::1", "fd00::1"}) {
    EXPECT_EQ(refusal(open, "h", *IpAddress::parse(text)), "") << text;
  }
  for (const char* text : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1",
                           "2002:7f00:1::", "64:ff9b::7f00:1", "fd00:ec2::254", "fe80::1", "255.255.255.255"}) {
    EXPECT_NE(refusal(open, "h", *IpAddress::parse(text)), "") << text;
  }
}

TEST(AddressGuardAbuse, AllowListsAreNarrow) {
  const EgressPolicy policy{.allowed_hosts = {"tools.internal"}, .allowed_cidrs = {*Cidr::parse("169.254.7.0/24")}};
  EXPECT_EQ(refusal(policy, "tools.internal", *IpAddress::parse("10.0.0.1")), "");
  EXPECT_NE(refusal(policy, "other.internal", *IpAddress::parse("10.0.0.1")), "");
  EXPECT_NE(refusal(policy, "tools.internal", *IpAddress::parse("169.254.169.254")), "");
  EXPECT_EQ(refusal(policy, "x", *IpAddress::parse("169.254.7.9")), "");
  EXPECT_NE(refusal(policy, "x", *IpAddress::parse("169.254.8.9")), "");
}

TEST(UrlAbuse, RefusesSpellingsThatOthersReadOtherwise) {
  for (const char* text : {"http://2130706433/",
                           "http://0x7f000001/",
                           "http://0x7f.1/",
                           "http://0177.0.0.1/",
                           "http://127.1/",
                           "http://127.0.0.1./",
                           "http://127.0.0.01/",
                           "http://1/",
                           "http://a.b.1/",
                           "http://a.0x1/",
                           "http://localhost./",
                           "http://user@host/",
                           "http://user:pass@host/",
                           "http://good.example@127.0.0.1/",
                           "http://[fe80::1%25eth0]/",
                           "http://[fe80::1%eth0]/",
                           "http://[::1/",
                           "http://::1/",
                           "http://[127.0.0.1]/",
                           "http://[]/",
                           "http://host#frag",
                           "http://host/a#b",
                           "http://ho st/",
                           "http://host/a b",
                           "http://host\\@evil/",
                           "http://%31%32%37.0.0.1/",
                           "http://h\xc3\xb6st/",
                           "http://\xef\xbc\x91.1.1.1/",
                           "http://host:0/",
                           "http://host:65536/",
                           "http://host:+80/",
                           "http://host:80a/",
                           "http://host:/",
                           "http://:80/",
                           "http://",
                           "http:///path",
                           "http:/host",
                           "//host/",
                           "ftp://host/",
                           "file:///etc/passwd",
                           "gopher://h/",
                           "javascript:alert(1)",
                           "",
                           "http://-host/",
                           "http://a..b/",
                           "http://.a/",
                           "http://host\r\nX: y/",
                           "http://127.0.0.1:80:80/",
                           "unix:/run/docker.sock"}) {
    const auto url = parse_url(text);
    EXPECT_FALSE(url) << text << " -> " << (url ? url->host : "");
  }
  EXPECT_FALSE(parse_url("http://host/" + std::string(2000, 'a')));
}

TEST(Url, ReadsWhatIsPlain) {
  const auto url = parse_url("HTTPS://Api.Example.COM:8443/mcp?a=b");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin(), "https://api.example.com:8443");
  EXPECT_EQ(url->authority(), "api.example.com:8443");
  EXPECT_EQ(url->target, "/mcp?a=b");
  EXPECT_EQ(parse_url("http://h?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("http://[2001:DB8:0::1]/")->authority(), "[2001:db8::1]");
  EXPECT_EQ(parse_url("http://10.0.0.1:80/")->authority(), "10.0.0.1");
  EXPECT_TRUE(parse_url("http://10.0.0.1/")->address);
  EXPECT_FALSE(parse_url("http://mcp.example/")->address);
}

TEST(IpAddress, CidrBordersAreExact) {
  const auto cidr = Cidr::parse("172.16.0.0/12");
  ASSERT_TRUE(cidr);
  EXPECT_TRUE(cidr->contains(*IpAddress::parse("172.31.255.255")));
  EXPECT_FALSE(cidr->contains(*IpAddress::parse("172.32.0.0")));
  EXPECT_FALSE(cidr->contains(*IpAddress::parse("::ffff:172.16.0.1")));
  EXPECT_FALSE(Cidr::parse("10.0.0.1/8")) << "host bits";
  EXPECT_FALSE(Cidr::parse("10.0.0.0/33"));
  EXPECT_FALSE(Cidr::parse("10.0.0.0/"));
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*IpAddress::parse("8.8.8.8")));
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->unmapped().text(), "10.0.0.1");
}

}  // namespace
}  // namespace sallyport::net
