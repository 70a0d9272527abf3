// An address as limits see it. Whoever has one IPv6 address has the 2^64 of its /64 (RFC 6177, section 2), so that is what
// a limit by address counts; IPv4 counts whole, and an IPv4-mapped address as IPv4. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// The key of limits by address: "192.0.2.1", "2001:db8:0:7::/64". Text that is no address is its own key.
[[nodiscard]] std::string limit_address(std::string_view address);

}  // namespace sallyport
