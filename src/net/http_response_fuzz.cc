// Bytes from an upstream: the reader never crashes, and cutting them differently changes nothing.
#include <cstdlib>

#include "net/http_response_reader.h"

namespace {

using sallyport::net::ResponseReader;
using State = ResponseReader::State;

std::string outcome(std::string_view bytes, std::size_t step) {
  ResponseReader reader;
  reader.start({.body_bytes = 4096}, false);
  const auto open = [&] { return reader.state() == State::head || reader.state() == State::body; };
  while (!bytes.empty() && open()) {
    auto part = bytes.substr(0, step);
    while (!part.empty() && open()) {
      const auto used = reader.feed(part);
      part.remove_prefix(used);
      bytes.remove_prefix(used);
    }
  }
  reader.feed_end();
  if (reader.state() == State::failed) return std::string(sallyport::info(reader.error().code).name);
  return std::to_string(reader.head().status) + reader.body();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome(bytes, 1) != outcome(bytes, size + 1)) std::abort();
  return 0;
}
