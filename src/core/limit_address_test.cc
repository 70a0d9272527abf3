#include "core/limit_address.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(LimitAddress, Ipv4CountsWhole) {
  EXPECT_EQ(limit_address("192.0.2.1"), "192.0.2.1");
  EXPECT_NE(limit_address("192.0.2.1"), limit_address("192.0.2.2"));
}

TEST(LimitAddress, Ipv6CountsByTheNetworkOfOneCustomer) {
  EXPECT_EQ(limit_address("2001:db8:0:7::1"), "2001:db8:0:7::/64");
  EXPECT_EQ(limit_address("2001:DB8::7:ffff:ffff:ffff:ffff"), limit_address("2001:db8:0:7::"));
  EXPECT_NE(limit_address("2001:db8:0:7::1"), limit_address("2001:db8:0:8::1"));
}

TEST(LimitAddress, AMappedAddressCountsAsIpv4) {
  EXPECT_EQ(limit_address("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_address("::ffff:c000:201"), "192.0.2.1");
}

TEST(LimitAddress, AnAddressBehindNat64CountsAsIpv4) {
  EXPECT_EQ(limit_address("64:ff9b::192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_address("64:ff9b::c000:202"), "192.0.2.2");
  EXPECT_EQ(limit_address("64:ff9b:0:0:0:1:c000:201"), "64:ff9b::/64") << "outside of the /96";
  EXPECT_EQ(limit_address("64:ff9b:1::c000:201"), "64:ff9b:1::/64");
}

TEST(LimitAddress, AZoneCountsForNothing) {
  EXPECT_EQ(limit_address("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(limit_address("fe80::2:3%7"), "fe80::/64");
}

TEST(LimitAddress, OtherTextIsItsOwnKey) {
  for (const std::string text : {"", "user:0011", "::g", "::g%eth0", "%eth0", "192.0.2.1%eth0", "1:2:3"})
    EXPECT_EQ(limit_address(text), text);
  EXPECT_EQ(limit_address(std::string(1000, ':')), std::string(1000, ':'));
}

}  // namespace
}  // namespace sallyport
