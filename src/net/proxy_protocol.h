// The PROXY protocol, versions 1 and 2, as a receiver (haproxy's proxy-protocol.txt, 2020/03/05): how a proxy that passes
// bytes on says whose connection it is. Strict: whatever does not match exactly is refused, and so is what names no TCP
// connection over IPv4 or IPv6 without being the proxy's own (LOCAL, UNKNOWN). Whether its sender may speak for others is
// the caller's question. A plain parser, one a connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/ip_address.h"

namespace sallyport::net {

inline constexpr std::size_t kProxyLineMax = 107;  // version 1, its CRLF included
inline constexpr std::size_t kProxyHeaderMax = 4096;  // version 2, ours: addresses and extensions

struct ProxySource {
  bool own = false;  // the proxy's own connection (a health check): its address holds
  IpAddress address;
  std::uint16_t port = 0;
  bool tls = false;  // version 2: the client reached the proxy over TLS (PP2_TYPE_SSL)
};

class ProxyHeaderReader {
 public:
  enum class State : std::uint8_t { reading, complete, failed };

  // Takes bytes of the header, and never one behind it; returns how many. Nothing is taken once it is not reading.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] std::string_view why() const noexcept { return why_; }  // of a failure
  [[nodiscard]] const ProxySource& source() const noexcept { return source_; }

 private:
  bool take(char c);  // false: it is at its end, one way or the other
  bool refuse(std::string_view why);
  bool finish();
  bool parse_line(std::string_view line);
  bool parse_binary();
  bool parse_extensions(std::string_view rest);
  bool take_extension(unsigned type, std::string_view value);
  [[nodiscard]] bool checksum_holds(std::size_t at) const;
  [[nodiscard]] unsigned byte(std::size_t at) const { return static_cast<unsigned char>(buffer_[at]); }

  std::array<char, kProxyHeaderMax> buffer_{};
  std::size_t size_ = 0, wanted_ = 0;  // wanted_: of version 2, once it is known
  State state_ = State::reading;
  std::string_view why_;
  ProxySource source_;
};

}  // namespace sallyport::net
