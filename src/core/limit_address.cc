#include "core/limit_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace sallyport {

std::string limit_address(std::string_view address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.find(':') == std::string_view::npos || address.size() >= text.size()) return std::string(address);
  std::ranges::copy(address, text.begin());
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.data(), &parsed) != 1) return std::string(address);
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return inet_ntop(AF_INET, &parsed.s6_addr[12], text.data(), text.size());
  std::fill(&parsed.s6_addr[8], &parsed.s6_addr[16], std::uint8_t{0});
  return std::string(inet_ntop(AF_INET6, &parsed, text.data(), text.size())) + "/64";
}

}  // namespace sallyport
