#include "core/limit_address.h"

#include <algorithm>

#include "core/ip_address.h"

namespace sallyport {

std::string limit_address(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return std::string(address);
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return std::string(address);
  IpAddress key = parsed->unmapped();
  if (!key.v6) return key.text();
  std::fill(key.bytes.begin() + 8, key.bytes.end(), std::uint8_t{0});
  return key.text() + "/64";
}

}  // namespace sallyport
