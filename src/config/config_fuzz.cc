// Any bytes as sallyport.yaml and as environment: a Settings or mistakes of one line each, never a crash or a hang.
#include <cstdlib>

#include "config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = load_text(text, "fuzz.yaml", "/tmp/h", {});
  if (settings && (settings->listen.port == 0 || settings->limits.connections == 0)) std::abort();
  if (settings) (void)explain_json(*settings);
  const std::string value(text.substr(0, 200));
  (void)load_text("", "fuzz.yaml", "/tmp/h",
                  {{"ALLOWED_ORIGINS", value}, {"RATE_LIMIT_REQUESTS", value}, {"DATABASE_URL", value}});
  return 0;
}
