#include "net/address_guard.h"

#include <algorithm>

namespace sallyport::net {
namespace {

struct Range {
  std::array<std::uint8_t, 16> network;
  std::uint8_t bits;
  AddressClass what;
};

// IANA special-purpose registries (RFC 6890 and successors), cloud metadata, what embeds IPv4. The first match counts.
constexpr Range kV4[] = {
    {{0}, 8, {"unspecified"}},
    {{10}, 8, {"private", true}},
    {{100, 64}, 10, {"shared address space (CGNAT)", true}},
    {{127}, 8, {"loopback", true}},
    {{169, 254}, 16, {"link-local or metadata"}},
    {{168, 63, 129, 16}, 32, {"metadata"}},
    {{172, 16}, 12, {"private", true}},
    {{192, 0, 0}, 24, {"protocol assignments or metadata"}},
    {{192, 0, 2}, 24, {"documentation"}},
    {{192, 31, 196}, 24, {"special purpose"}},
    {{192, 52, 193}, 24, {"special purpose"}},
    {{192, 88, 99}, 24, {"6to4 relay"}},
    {{192, 168}, 16, {"private", true}},
    {{192, 175, 48}, 24, {"special purpose"}},
    {{198, 18}, 15, {"benchmark"}},
    {{198, 51, 100}, 24, {"documentation"}},
    {{203, 0, 113}, 24, {"documentation"}},
    {{224}, 4, {"multicast"}},
    {{240}, 4, {"reserved or broadcast"}},
};

constexpr Range kV6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, {"loopback", true}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, {"IPv4-mapped"}},
    {{0}, 96, {"unspecified or IPv4-compatible"}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, {"IPv4-translated"}},
    {{0, 0x64, 0xff, 0x9b}, 96, {"NAT64"}},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, {"NAT64"}},
    {{0x01, 0}, 64, {"discard"}},
    {{0x20, 0x01, 0x00}, 23, {"Teredo, benchmark or protocol assignments"}},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, {"documentation"}},
    {{0x20, 0x02}, 16, {"6to4"}},
    {{0x3f, 0xff}, 20, {"documentation"}},
    {{0x5f, 0x00}, 16, {"segment routing"}},
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, {"metadata"}},
    {{0xfc}, 7, {"unique local", true}},
    {{0xfe, 0x80}, 10, {"link-local"}},
    {{0xfe, 0xc0}, 10, {"site-local"}},
    {{0xff}, 8, {"multicast"}},
};

bool inside(const Range& range, const IpAddress& address) noexcept {
  return Cidr{{range.network, address.v6}, range.bits}.contains(address);
}

}  // namespace

AddressClass classify(const IpAddress& address) noexcept {
  if (!address.v6) {
    for (const auto& range : kV4) {
      if (inside(range, address)) return range.what;
    }
    return {};
  }
  for (const auto& range : kV6) {
    if (inside(range, address)) return range.what;
  }
  // Only 2000::/3 is global unicast; whatever IANA has not given out is not a place to go.
  return (address.bytes[0] & 0xe0U) == 0x20U ? AddressClass{} : AddressClass{"not global unicast"};
}

std::string_view refusal(const EgressPolicy& policy, std::string_view host, const IpAddress& address) noexcept {
  const auto what = classify(address);
  if (what.reason.empty()) return {};
  if (what.private_use &&
      (policy.allow_private || std::ranges::find(policy.allowed_hosts, host) != policy.allowed_hosts.end())) {
    return {};
  }
  for (const auto& cidr : policy.allowed_cidrs) {
    if (cidr.contains(address)) return {};
  }
  return what.reason;
}

}  // namespace sallyport::net
