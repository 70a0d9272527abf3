// The SSRF guard's judgement over one address. The egress client asks it for every candidate of a name and connects
// only to an address that it passed (threats.md: SSRF through 6to4, NAT64, site-local prefixes). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ip_address.h"

namespace sallyport::net {

struct EgressPolicy {
  // Loopback, RFC 1918, CGNAT, unique local. Never metadata, link-local, multicast, unspecified, or what embeds IPv4.
  bool allow_private = false;
  std::vector<std::string> allowed_hosts;  // exact names for which allow_private holds
  std::vector<Cidr> allowed_cidrs;  // addresses allowed whatever they are
};

// Why `address` is never, or only as private, allowed; empty: a public address.
struct AddressClass {
  std::string_view reason;
  bool private_use = false;  // allow_private opens it
};
AddressClass classify(const IpAddress& address) noexcept;

// Empty: `address`, reached as `host`, may be connected to. Else the reason.
std::string_view refusal(const EgressPolicy& policy, std::string_view host, const IpAddress& address) noexcept;

}  // namespace sallyport::net
