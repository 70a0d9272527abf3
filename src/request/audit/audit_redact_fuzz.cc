#include <cstdlib>

#include "request/audit/redact.h"
#include "request/audit/scan.h"

// Any bytes: the output is one line of UTF-8 whose structure can be walked again.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace sallyport;
  static const audit::Redactor redactor{Secret(std::string(32, 'k')), {16, 4096, 8}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string out = redactor.json(text);
  for (const char c : out) {
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
  }
  if (!audit::valid_utf8(out) || audit::skip_value(out, 0) != out.size()) std::abort();
  (void)redactor.query(text);
  (void)audit::Members::of(text);
  (void)audit::elements(text);
  return 0;
}
