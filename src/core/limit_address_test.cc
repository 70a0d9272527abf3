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

TEST(LimitAddress, OtherTextIsItsOwnKey) {
  for (const std::string text : {"", "user:0011", "::g", "2001:db8::1%eth0", "1:2:3"}) EXPECT_EQ(limit_address(text), text);
  EXPECT_EQ(limit_address(std::string(1000, ':')), std::string(1000, ':'));
}

}  // namespace
}  // namespace sallyport
