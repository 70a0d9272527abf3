// For tests of the PROXY protocol: headers of version 2, and what the reader makes of bytes.
#pragma once

#include <string>

#include "net/proxy_protocol.h"

namespace sallyport::net {

using std::string_literals::operator""s;

inline const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

// Version 2: command, family, then what stands behind the length.
inline std::string binary(char command, char family, const std::string& rest) {
  std::string out = kSignature + command + family;
  out += static_cast<char>(rest.size() >> 8U);
  out += static_cast<char>(rest.size() & 0xFFU);
  return out + rest;
}
inline const std::string kV4 = "\xC0\x00\x02\x01\x0A\x00\x00\x01\xDC\x04\x01\xBB"s;  // 192.0.2.1:56324 to 10.0.0.1:443

struct Read {
  ProxyHeaderReader::State state;
  std::size_t used;
  ProxySource source;
  std::string why;
};

inline Read read(const std::string& bytes, std::size_t step = 0) {
  ProxyHeaderReader reader;
  std::size_t used = 0;
  while (reader.state() == ProxyHeaderReader::State::reading && used < bytes.size()) {
    const std::size_t size = step == 0 ? bytes.size() : step;
    used += reader.feed(std::string_view(bytes).substr(used, size));
  }
  return {reader.state(), used, reader.source(), std::string(reader.why())};
}

}  // namespace sallyport::net
