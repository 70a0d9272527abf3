// An address as limits see it. Whoever has one IPv6 address has the 2^64 of its /64 (RFC 6177, section 2), so that is what
// a limit by address counts; IPv4 counts whole, also where an IPv6 address holds it: mapped, or in NAT64's well-known prefix
// 64:ff9b::/96 (RFC 6052, section 2.1), one /64 for all of IPv4. A zone ("fe80::1%eth0") counts for nothing. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// The key of limits by address: "192.0.2.1", "2001:db8:0:7::/64". Text that is no address is its own key.
[[nodiscard]] std::string limit_address(std::string_view address);

}  // namespace sallyport
