#include "core/limit_address.h"

#include <algorithm>
#include <array>

#include "core/ip_address.h"

namespace sallyport {
namespace {

constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xff, 0x9b};

// An IPv4 address behind a translator is in the last four bytes.
IpAddress untranslated(const IpAddress& address) {
  if (!address.v6 || !std::equal(kNat64.begin(), kNat64.end(), address.bytes.begin())) return address.unmapped();
  IpAddress v4;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), v4.bytes.begin());
  return v4;
}

}  // namespace

std::string limit_address(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return std::string(address);
  const auto parsed = IpAddress::parse(address.substr(0, address.find('%')));
  if (!parsed) return std::string(address);
  IpAddress key = untranslated(*parsed);
  if (!key.v6) return key.text();
  std::fill(key.bytes.begin() + 8, key.bytes.end(), std::uint8_t{0});
  return key.text() + "/64";
}

}  // namespace sallyport
