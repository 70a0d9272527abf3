// Bytes from a client: the reader never crashes, and cutting them differently changes nothing.
#include <cstdlib>

#include "net/http_reader.h"

namespace {

using sallyport::net::HttpLimits;
using sallyport::net::RequestReader;

std::string outcome(std::string_view bytes, std::size_t step) {
  RequestReader reader{HttpLimits{.body_bytes = 4096}};
  std::string out;
  while (!bytes.empty() && reader.state() != RequestReader::State::failed) {
    auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    while (!part.empty() && reader.state() != RequestReader::State::failed) {
      part.remove_prefix(reader.feed(part));
      if (reader.state() != RequestReader::State::complete || !reader.head().keep_alive) continue;
      out.append(reader.head().method).append(reader.head().target).append(reader.body()).append("\n");
      reader.next();
    }
  }
  // The code, not the wording: llhttp names a broken trailer by where it was cut.
  if (reader.state() == RequestReader::State::failed) out += sallyport::info(reader.error().code).name;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = outcome(bytes, size + 1);
  if (outcome(bytes, 1) != whole || outcome(bytes, 7) != whole) std::abort();
  return 0;
}
