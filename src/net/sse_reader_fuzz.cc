// Event streams from an upstream: never a crash, cutting changes nothing, and what is written is read back.
#include <cstdlib>

#include "net/sse.h"

namespace {

std::string outcome(std::string_view bytes, std::size_t step) {
  sallyport::net::SseReader reader(4096);
  std::string out;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    const auto done = reader.feed(part, [&](const sallyport::net::SseEvent& event) {
      out.append(event.event).append("|").append(event.id).append("|").append(event.data).append("\n");
      return true;
    });
    if (!done) return out + "too large";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome(bytes, 1) != outcome(bytes, size + 1)) std::abort();
  std::string written;
  if (size > 0 && size < 4000 && sallyport::net::append_event(written, bytes)) {
    if (outcome(written, 3) != "message||" + std::string(bytes) + "\n") std::abort();
  }
  return 0;
}
