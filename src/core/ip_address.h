// An IP address and a CIDR as plain values, so that no socket type crosses a module border. Text is read strictly: four
// decimal octets without leading zeros, or RFC 4291 text without a zone. An IPv4-mapped IPv6 address stays IPv6 here:
// whoever compares decides. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // IPv4: the first four
  bool v6 = false;

  static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool loopback() const noexcept;
  // ::ffff:a.b.c.d as a.b.c.d; anything else unchanged. For peers of a dual-stack listener only.
  [[nodiscard]] IpAddress unmapped() const noexcept;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

struct Cidr {
  IpAddress network;
  std::uint8_t bits = 0;

  // "10.0.0.0/8", "fd00::/8", or a single address. Host bits must be zero.
  static std::optional<Cidr> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // always with the number of bits
  // A network of IPv4-mapped addresses as one of IPv4; anything else unchanged.
  [[nodiscard]] Cidr unmapped() const noexcept;
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

}  // namespace sallyport
