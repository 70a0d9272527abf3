// Bytes before a connection: the reader never crashes, takes no byte behind its header, and cutting changes nothing.
#include <cstdlib>
#include <string>

#include "net/proxy_protocol.h"

namespace {

using sallyport::net::ProxyHeaderReader;

std::string outcome(std::string_view bytes, std::size_t step) {
  ProxyHeaderReader reader;
  std::size_t used = 0;
  while (reader.state() == ProxyHeaderReader::State::reading && used < bytes.size()) {
    used += reader.feed(bytes.substr(used, step));
  }
  if (used > bytes.size() || used > sallyport::net::kProxyHeaderMax) std::abort();
  std::string out = std::to_string(static_cast<int>(reader.state())) + " " + std::to_string(used);
  if (reader.state() != ProxyHeaderReader::State::complete) return out;
  const auto& source = reader.source();
  return out + " " + source.address.text() + " " + std::to_string(source.port) + (source.own ? " own" : "") +
         (source.tls ? " tls" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = outcome(bytes, size + 1);
  if (outcome(bytes, 1) != whole || outcome(bytes, 7) != whole) std::abort();
  return 0;
}
