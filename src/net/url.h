// A strict reader of http and https URLs for egress. What one library reads as a name and another as an address is
// refused: decimal, octal, hex or short IPv4, trailing dots, user info, zone ids, percent-escapes in the host,
// fragments, control characters. Plain value; any thread. Limit: 2,000 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ip_address.h"
#include "core/result.h"

namespace sallyport::net {

struct Url {
  bool tls = false;
  std::string host;  // lower case, without brackets
  std::optional<IpAddress> address;  // when the host is one
  std::uint16_t port = 0;
  std::string target;  // path and query, at least "/"

  // "host", "host:8080", "[::1]:8080": as the Host header wants it, default port left out.
  [[nodiscard]] std::string authority() const;
  // "https://host:443": scheme, host and port, always with the port.
  [[nodiscard]] std::string origin() const;
};

// Error: egress_refused with the reason.
Result<Url> parse_url(std::string_view text);

}  // namespace sallyport::net
