// Both decoders are total, and what decodes as a request encodes to the same bytes again.
#include <cstdlib>

#include "launcher/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport::launcher;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(decode_reply(bytes));
  if (const auto request = decode_request(bytes)) {
    const auto again = encode(*request);
    if (size <= kMessageBytesMax && (!again || *again != bytes)) std::abort();
  }
  return 0;
}
