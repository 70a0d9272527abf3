// Bytes of a hostile tool server through the line cutter, the strict reader and the classifier; and back out.
#include <cstdlib>
#include <string_view>

#include "request/upstream/codec.h"
#include "request/upstream/incoming.h"
#include "request/upstream/line_buffer.h"

namespace up = sallyport::upstream;

namespace {

void look_at(std::string_view line) {
  std::string minified;
  const auto in = up::read_incoming(line, 1U << 20, minified);
  if (!in) return;
  if (minified.find('\n') != std::string::npos) std::abort();
  (void)up::progress_token(in->params);
  const std::string rest = up::without_member(in->params.empty() ? "{}" : in->params, "progressToken");
  (void)up::legacy::read_initialize(in->body);
  up::Call call;
  call.method = in->method;
  call.params = rest;
  call.wants_progress = true;
  const auto again = up::legacy::request(1, call);
  std::string copy;
  // What passed the reader and our envelope is one readable message.
  if (!again || !up::read_incoming(*again, 4U << 20, copy)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  up::LineBuffer lines(1U << 16);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    const auto piece = text.substr(at, 7);
    std::copy(piece.begin(), piece.end(), lines.prepare(8).begin());
    lines.commit(piece.size());
    while (const auto line = lines.next()) look_at(*line);
  }
  look_at(lines.rest());
  return 0;
}
