#include <cstdlib>

#include "core/encoding.h"
#include "request/audit/checkpoint.h"
#include "request/audit/line.h"
#include "request/audit/tail.h"

// Lines of an audit folder that someone else may have written.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace sallyport;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  (void)audit::check_line(line);
  (void)audit::parse_checkpoint(line);
  if (audit::signature_holds(line, {})) std::abort();
  for (const auto format : {audit::Format::guide_s0, audit::Format::guide_s1, audit::Format::guide_s3, audit::Format::guide_s4}) {
    (void)audit::view(line, format);
  }
  return 0;
}
